"""Random chains, fault plans and deadlines, and what must come of each by docs/calls.md: a second way to say it.

`scenarios()` makes them, `play` runs one against a service and its sandbox, `judge` compares what the caller got, what
the audit holds and what the sandbox saw with `expected`. A campaign runs many: see test_chains.py for a short sample.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from openai import APIError

from tests.live.ledger import Record, eventually
from tests.live.live import Live
from tests.live.world import Tenant

WINDOWS = {"gpt-5.1": 272_000, "gpt-5-mini": 272_000, "gpt-4.1": 1_047_576, "gpt-4.1-mini": 1_047_576}
ALIASES = ("manager", "auto", "fast")
"""The chain of `manager` by alias: an override of each makes any chain of three models."""

BAD = "invalid_request_error"
SLACK_S = 1.0


def refusal(status: int, code: str | None, param: str | None = None) -> dict[str, Any]:
    """A fault: this error with this status."""
    return {"status": status, "body": {"error": {"message": "No.", "type": BAD, "param": param, "code": code}}}


@dataclass(frozen=True)
class Fault:
    """A fault of the sandbox, and what the table says of it: `again`, `next`, `larger`, `stop`, or `ok`."""

    plan: Any
    step: str
    code: str = ""
    status: int | None = None


FAULTS = {
    "none": Fault(None, "ok"),
    "slow": Fault({"delay_ms": 30}, "ok"),
    "500": Fault("server_error", "again", "server_error", 500),
    "503": Fault("overloaded", "again", "server_is_overloaded", 503),
    "409": Fault("conflict", "again", "conflict", 409),
    "429": Fault({"status": 429, "headers": {"retry-after-ms": "15"}}, "again", "rate_limit_exceeded", 429),
    "429 for long": Fault({"status": 429, "headers": {"retry-after": "60"}}, "next", "rate_limit_exceeded", 429),
    "reset": Fault("reset", "again", "connection_reset"),
    "gone": Fault("model_gone", "next", "model_not_found", 404),
    "redirect": Fault({"redirect": "http://127.0.0.1:9/v1"}, "next", "redirect_refused", 307),
    "accepted": Fault({"status": 202, "body": {}}, "next", "http_202", 202),
    "no answer": Fault("no_answer", "next", "deadline"),
    "too long": Fault("context_length", "larger", "context_length_exceeded", 400),
    "policy": Fault("content_policy", "stop", "content_policy_violation", 400),
    "quota": Fault("quota", "stop", "insufficient_quota", 429),
    "bad": Fault(refusal(400, "invalid_value", "messages"), "stop", "invalid_value", 400),
    "key": Fault(refusal(401, "invalid_api_key"), "stop", "invalid_api_key", 401),
}


@dataclass(frozen=True)
class Scenario:
    """A chain with a fault for each model, the models that the key may not reach, and the caller's deadline."""

    chain: tuple[str, ...]
    faults: Mapping[str, str]
    barred: frozenset[str]
    deadline_s: float
    streamed: bool


@dataclass(frozen=True)
class Played:
    """What came of a scenario: the record, the seconds that it took, and the error's status, None for an answer."""

    tenant: Tenant
    record: Record
    took_s: float
    status: int | None


def scenarios() -> st.SearchStrategy[Scenario]:
    """Any of them."""
    models = st.sampled_from(sorted(WINDOWS))
    return st.builds(
        Scenario,
        chain=st.tuples(models, models, models),
        faults=st.fixed_dictionaries({model: st.sampled_from(sorted(FAULTS)) for model in sorted(WINDOWS)}),
        barred=st.frozensets(models, max_size=2),
        deadline_s=st.sampled_from([0.6, 0.9, 1.2]),
        streamed=st.booleans(),
    )


def expected(scenario: Scenario) -> list[tuple[str, str, str]]:
    """The attempts as (kind, model, why), in order; empty where no rung may serve the key at all."""
    if set(scenario.chain) <= scenario.barred:
        return []
    found: list[tuple[str, str, str]] = []
    candidates = [model for model in dict.fromkeys(scenario.chain) if model not in scenario.barred]
    too_small = 0
    for rung, model in enumerate(scenario.chain):
        fault = FAULTS[scenario.faults[model]]
        if model in scenario.chain[:rung]:
            found.append(("skip", model, "duplicate"))
        elif model in scenario.barred:
            found.append(("skip", model, "not_allowed"))
        elif WINDOWS[model] <= too_small:
            found.append(("skip", model, "window"))
        else:
            found += [("call", model, fault.code)] * (2 if fault.step == "again" else 1)
            # Nobody keeps time for what could not serve anyway: with the last candidate the deadline is over.
            if fault.step in ("ok", "stop") or (fault.code == "deadline" and model == candidates[-1]):
                break
            too_small = max(too_small, WINDOWS[model] if fault.step == "larger" else 0)
    return found


def play(live: Live, scenario: Scenario, *, url: str = "") -> Played:
    """Run one; `url` names another service than the live one."""
    overrides = dict(zip(ALIASES, scenario.chain, strict=True))
    allowed = sorted(set(WINDOWS) - scenario.barred)
    tenant = live.tenant(overrides, allowed_models=allowed)
    planned = {model: FAULTS[name].plan for model, name in scenario.faults.items()}
    live.sandbox.plan([{"match": {"model": model}, "fault": plan} for model, plan in planned.items() if plan])
    client = live.client(tenant, url=url, x_iw_deadline_s=str(scenario.deadline_s))
    status: int | None = None
    started = time.monotonic()
    try:
        (live.stream if scenario.streamed else live.chat)("manager", client=client)
    except APIError as error:
        status = getattr(error, "status_code", 200)
    took = time.monotonic() - started
    record = eventually(lambda: next((r for r in reversed(live.records()) if r.outcomes), None), "the outcome")
    assert record.decision.project == tenant.slug
    return Played(tenant, record, took, status)


def judge(live: Live, scenario: Scenario, played: Played) -> None:
    """Assert what holds of every scenario."""
    record = played.record
    wanted = expected(scenario)
    told = [(a.kind, a.model, a.skip_reason or a.error_code or a.error_type) for a in record.attempts]
    assert told == wanted, scenario
    assert played.took_s < scenario.deadline_s + SLACK_S, (scenario, played.took_s)
    tries = [(a.rung, a.model) for a in record.calls]
    assert all(tries.count(each) <= 2 for each in tries)
    sent = [line for line in live.sent() if str(line["client_request_id"]).startswith(str(record.decision.id))]
    assert not {line["model"] for line in sent} & scenario.barred
    live.agrees(record)
    served = bool(wanted) and wanted[-1][0] == "call" and FAULTS[scenario.faults[wanted[-1][1]]].step == "ok"
    assert (played.status is None) == served
    if served:
        assert record.outcome.model_served == wanted[-1][1]
        assert record.outcome.result in ("ok", "ok_after_fallback")
    else:
        assert record.outcome.model_served == ""
        assert record.outcome.result == ("error" if wanted else "refused")
