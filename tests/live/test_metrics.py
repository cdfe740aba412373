"""What `/metrics` counts of calls is what the audit holds of them, to the last token and pico-dollar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from openai import APIStatusError

from iwrouting.types import Result
from tests.api.exposition import Series, parse
from tests.live import ledger
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.live.test_auto import CODE, FAST
from tests.live.world import Tenant
from tests.sandbox import raw

FIRST = "gpt-5.1"
"""What the role `manager` is answered by."""


@pytest.fixture
def metered(live: Live) -> ServiceProcess:
    """A service of two workers, which has served nobody yet."""
    return live.world.other_service("metered", workers=2)


def scrape(service: ServiceProcess, tenant: Tenant) -> dict[Series, float]:
    """One scrape, by whichever worker answers."""
    got = raw.get(f"{service.url}/v1", "/metrics", host="127.0.0.1", authorization=f"Bearer {tenant.key}")
    assert got.status == 200, got.body
    return parse(got.body.decode())


def of(found: dict[Series, float], name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """The samples of a name that are not 0, added up by these labels."""
    summed: Counter[tuple[str, ...]] = Counter()
    for (sample, pairs), value in found.items():
        if sample == name and value:
            summed[tuple(dict(pairs).get(label, "") for label in labels)] += value  # type: ignore[assignment] # floats
    return summed


def traffic(live: Live, tenant: Tenant, url: str) -> None:
    """Calls of every kind and end, over several connections."""
    client = live.client(tenant, url=url)
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": "server_error", "times": 2}])
    live.chat("manager", client=client)
    for _ in range(3):
        live.chat("manager", client=live.client(tenant, url=url))
        live.stream("deep", client=live.client(tenant, url=url))
    live.chat("auto", CODE, client=client)
    live.chat("auto", FAST, client=client)
    live.embed(["one", "two"], client=client)
    client.responses.create(model="fast", input="Say hello")
    live.chat("manager", client=live.client(tenant, url=url, x_iw_test="1"))
    for model in ("no-such-model-of-a-caller", "embedding"):
        with pytest.raises(APIStatusError):
            live.chat(model, client=client)
    key: dict[str, Any] = {"authorization": f"Bearer {tenant.key}", "x_iw_run_id": live.run, "host": "127.0.0.1"}
    assert raw.post(f"{url}/v1", "/api/v1/resolve", {"alias": "intent"}, **key).status == 200


def counted(records: Iterable[ledger.Record], key: Callable[[ledger.Record], Any]) -> Counter[Any]:
    """How many records by what the key says; None: it is not counted."""
    return Counter(found for found in map(key, records) if found is not None)


def summed(records: Iterable[ledger.Record], column: str) -> int:
    """The sum of a column of the outcomes."""
    return sum(getattr(each.outcome, column) or 0 for each in records)


def test_the_metrics_of_calls__equal_the_audits_rows(live: Live, metered: ServiceProcess) -> None:
    tenant = live.tenant(scopes=["call", "resolve", "read_audit"], projects=["*"])
    before = scrape(metered, tenant)
    assert not of(before, "iwrouting_decisions_total", "result")
    traffic(live, tenant, metered.url)
    every = ledger.eventually(lambda: [each for each in live.records() if each.outcomes], "the outcomes")
    records = [each for each in every if not each.decision.is_test]
    assert len(every) == len(records) + 1 == 15
    found = scrape(metered, tenant)
    some = scrape(metered, live.tenant(scopes=["read_audit"]))
    assert [name for name, _ in some if name.startswith(("gen_ai", "iwrouting_decisions", "iwrouting_cost"))] == []
    assert ("iwrouting_database_up", frozenset()) in some

    def outcome(each: ledger.Record) -> tuple[str, ...]:
        return each.decision.endpoint, each.outcome.result

    def route(each: ledger.Record) -> tuple[str, ...] | None:
        return (each.decision.alias, each.decision.source) if each.decision.source else None

    def inferred(each: ledger.Record) -> tuple[str, ...] | None:
        rule = each.decision.reason.partition(":")[0]
        return (each.decision.inferred_mode, rule) if each.decision.inferred_mode else None

    assert of(found, "iwrouting_decisions_total", "endpoint", "result") == counted(records, outcome)
    assert of(found, "iwrouting_routes_total", "alias", "source") == counted(records, route)
    assert of(found, "iwrouting_auto_routes_total", "inferred_mode", "rule") == counted(records, inferred)
    assert set(of(found, "iwrouting_auto_routes_total", "inferred_mode")) == {("code",), ("fast",)}
    assert of(found, "iwrouting_fallback_attempts_total", "alias") == {("manager",): 1}
    assert of(found, "iwrouting_fallback_successes_total", "alias") == {("manager",): 1}
    served = [each for each in records if each.outcome.result in (Result.OK, Result.OK_AFTER_FALLBACK)]
    check_sums(found, served)
    assert "no-such-model-of-a-caller" not in str(found)


def check_sums(found: dict[Series, float], served: list[ledger.Record]) -> None:
    """Tokens, cost, tries and durations of what was served."""
    name = "gen_ai_client_token_usage_sum"
    assert of(found, name, "gen_ai_token_type") == {
        ("input",): summed(served, "prompt_tokens"),
        ("output",): summed(served, "completion_tokens"),
    }
    models = counted(served, lambda each: (each.decision.alias, each.outcome.model_served))
    duration = "gen_ai_client_operation_duration_seconds_count"
    assert of(found, duration, "gen_ai_request_model", "gen_ai_response_model", "error_type") == {
        (*key, ""): count for key, count in models.items()
    }
    streams = of(found, "gen_ai_client_operation_time_to_first_chunk_seconds_count", "gen_ai_request_model")
    assert streams == {("deep",): 3}
    cost = sum(of(found, "iwrouting_cost_usd_total", "state").values())
    assert round(cost * 10**12) == summed(served, "cost_pico") > 0
    assert of(found, "iwrouting_attempts_total", "model", "outcome", "reason") == Counter(
        (attempt.model, "failed", str(attempt.status)) if attempt.error_type else (attempt.model, "answered", "")
        for each in served
        for attempt in each.attempts
    )
    assert set(of(found, "iwrouting_overhead_seconds_count", "endpoint")) == {
        ("chat",),
        ("embeddings",),
        ("responses",),
    }
