"""The budget of a run: reserved with the decision, settled with the outcome, never overshot, raised by an operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from django.db import connections, transaction

from iwrouting.models import Run, RunReservation
from iwrouting.tokens import count_chat, count_embeddings, count_responses
from tests.live.databases import ALIAS, IS_POSTGRESQL, statement
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.world import Tenant
from tests.sandbox import raw

HELLO = {"messages": [{"role": "user", "content": "Say hello"}]}
PROMPT = count_chat(HELLO, "gpt-4.1").total
RESERVED = PROMPT + 16


def limited(live: Live, tokens: int) -> Tenant:
    """A tenant whose runs may take so many tokens."""
    tenant = live.tenant()
    tenant.row.max_run_tokens = tokens
    tenant.row.save(using=ALIAS)
    live.settle()
    return tenant


@contextmanager
def locked() -> Iterator[None]:
    """Nobody can write the audit within the block."""
    with transaction.atomic(using=ALIAS):
        if IS_POSTGRESQL:
            statement("LOCK TABLE iwrouting_decision, iwrouting_run IN EXCLUSIVE MODE")
        yield
    connections[ALIAS].close()


def the_run(live: Live) -> Run:
    return Run.objects.using(ALIAS).get(run_id=live.run)


def used(live: Live) -> int:
    """What the run has used, once nothing is reserved any more."""
    eventually(lambda: not reservations(live), "the settlement")
    return the_run(live).used_tokens


def reservations(live: Live) -> list[int]:
    found = RunReservation.objects.using(ALIAS).filter(run__run_id=live.run)
    return list(found.values_list("tokens", flat=True))


@pytest.mark.parametrize("streamed", [False, True])
def test_call__within_the_budget__is_capped_and_settles_what_was_reported(live: Live, streamed: bool) -> None:
    client = live.client(limited(live, 1_000))
    found = (live.stream if streamed else live.chat)("gpt-4.1", client=client).record
    assert found.outcome.result == "ok"
    cap = 1_000 - RESERVED
    assert json.loads(found.calls[0].changes) == [f"capped max_tokens to {cap} (run budget)"]
    prompt, completion = found.usage
    assert used(live) == (prompt or 0) + (completion or 0) > 0
    assert (found.decision.estimate_tokens, found.decision.estimate_source) == (PROMPT, "tiktoken")


def test_call__over_the_budget__is_refused_with_the_numbers_and_the_way_out(live: Live) -> None:
    tenant = limited(live, RESERVED + 50)
    client = live.client(tenant, max_retries=2)
    live.chat("fast", client=client, max_tokens=20)
    before = used(live)
    with pytest.raises(openai.PermissionDeniedError) as error:
        live.chat("fast", client=client, max_tokens=500)
    assert error.value.code == "run_budget_exceeded"
    assert error.value.response.headers["x-should-retry"] == "false"
    for words in (
        f"may take {RESERVED + 50} tokens",
        f"{before} are used",
        "0 are reserved",
        f"needs {RESERVED + 500}",
        f"run_raise {live.run} --project {tenant.slug} --by",
        "admin under Runs",
    ):
        assert words in error.value.message
    refused = next(each for each in live.records() if each.outcome.result == "refused")
    assert refused.decision.id.hex == error.value.response.headers["x-iw-decision-id"].replace("-", "")
    assert (refused.outcome.status, refused.outcome.error_code) == (403, "run_budget_exceeded")
    assert (refused.attempts, len(live.sent()), the_run(live).refused_calls) == ([], 1, 1)
    assert used(live) == before


def test_call__without_a_run_or_without_a_limit__has_no_budget(live: Live) -> None:
    tenant = limited(live, 1)
    headers = {"authorization": f"Bearer {tenant.key}", "host": "127.0.0.1"}
    got = raw.post(live.base_url, "/v1/chat/completions", {"model": "fast", **HELLO}, wait_s=5, **headers)
    assert got.status == 200
    assert live.chat("fast").record.outcome.result == "ok"
    assert not Run.objects.using(ALIAS).filter(run_id=live.run).exists()


def test_cap__is_put_in_each_apis_own_word(live: Live) -> None:
    client = live.client(limited(live, 10_000))
    changes = {
        model: json.loads(live.chat(model, client=client).record.calls[0].changes)
        for model in ("gpt-4.1", "gpt-5.1", "gpt-5.1-codex")
    }
    assert any(each.startswith("capped max_tokens to ") for each in changes["gpt-4.1"])
    assert any(each.startswith("capped max_completion_tokens to ") for each in changes["gpt-5.1"])
    assert any(each.startswith("capped max_output_tokens to ") for each in changes["gpt-5.1-codex"])


def test_fallback__shares_the_one_reservation_and_settles_once(live: Live) -> None:
    client = live.client(limited(live, 5_000))
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": "server_error"}])
    found = live.chat("fast", client=client).record
    assert found.outcome.result == "ok_after_fallback"
    prompt, completion = found.usage
    assert used(live) == (prompt or 0) + (completion or 0)


def test_failed_call__that_no_provider_billed__frees_its_reservation(live: Live) -> None:
    client = live.client(limited(live, 5_000))
    with pytest.raises(openai.APIStatusError):
        live.chat("nobody-listens", client=client)
    assert used(live) == 0


def test_caller_that_leaves__may_be_billed_and_settles_all_that_was_reserved(live: Live) -> None:
    tenant = limited(live, 5_000)
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": {"delay_ms": 5000}}])
    headers = {"authorization": f"Bearer {tenant.key}", "x-iw-run-id": live.run}
    body = {"model": "fast", "max_tokens": 100, **HELLO}
    with raw.connect(live.base_url) as sock:
        sock.sendall(raw.request_bytes("/v1/chat/completions", body, "POST", **headers))
        eventually(lambda: reservations(live) == [RESERVED + 100], "the reservation")
        eventually(lambda: live.sandbox.state()["open_requests"] >= 2, "the request at the provider")
    assert live.the_record().outcome.result == "client_closed"
    assert used(live) == RESERVED + 100


def test_stream_that_breaks_off__settles_all_that_was_reserved_and_not_its_estimate(live: Live) -> None:
    tenant = limited(live, 5_000)
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": {"cut_after_events": 4}}])
    with pytest.raises(openai.APIError):
        live.stream("fast", client=live.client(tenant), max_tokens=100)
    outcome = live.the_record().outcome
    assert (outcome.result, outcome.tokens_source) == ("truncated", "bytes")
    assert used(live) > 100 > (outcome.completion_tokens or 0)


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5.1-codex"])
def test_responses__are_capped_and_settled_like_chats(live: Live, model: str) -> None:
    client = live.client(limited(live, 2_000))
    found: Any = client.responses.with_raw_response.create(model=model, input="Say hello", store=False)
    usage = found.parse().usage
    assert used(live) == usage.input_tokens + usage.output_tokens
    cap = 2_000 - count_responses({"input": "Say hello"}, model).total - 16
    assert f"capped max_output_tokens to {cap} (run budget)" in found.headers["x-iw-changes"]
    with pytest.raises(openai.PermissionDeniedError) as error:
        client.responses.create(model=model, input="Say hello", max_output_tokens=2_000, store=False)
    assert error.value.code == "run_budget_exceeded"


def test_database_away__is_a_503_that_reserves_nothing(live: Live) -> None:
    tenant = limited(live, 5_000)
    service = live.world.other_service("hurried", IW_AUDIT_WAIT_S="0.3", IW_DEADLINE_S="1")
    client = live.client(tenant, url=service.url)
    with locked(), pytest.raises(openai.InternalServerError) as error:
        live.chat("fast", client=client, max_tokens=50)
    assert (error.value.status_code, error.value.code) == (503, "audit_unavailable")
    eventually(lambda: service.get("/readyz")[1]["audit"]["mode"] == "database", "the way back")
    live.chat("fast", client=client, max_tokens=50)
    assert len(live.sent()) == 1
    assert 0 < used(live) <= RESERVED + 50


def test_embeddings__count_with_their_input_alone(live: Live) -> None:
    texts = ["one two three", "four five six"]
    needed = count_embeddings(texts, "text-embedding-3-small").total + 16
    client = live.client(limited(live, needed))
    found = live.embed(texts, client=client).record
    assert used(live) == (found.usage[0] or 0) > 0
    with pytest.raises(openai.PermissionDeniedError, match=f"needs {needed}"):
        live.embed(texts, client=client)


def test_deployments_limit__and_200_calls_at_once_on_two_workers__never_overshoot(live: Live) -> None:
    fitting = 10
    limit = (RESERVED + 16) * fitting + 5
    # The key is there before the service: both workers know it from the first request on.
    headers = {"authorization": f"Bearer {live.home.key}", "host": "127.0.0.1", "x_iw_run_id": live.run}
    service = live.world.other_service(
        "budget", workers=2, AUTOPILOT_MAX_TOKENS_PER_RUN=str(limit), IW_AUDIT_WAIT_S="10"
    )
    body = {"model": "fast", "max_tokens": 16, **HELLO}
    # While the provider takes its time each call that passed holds its tokens.
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": {"delay_ms": 1000}}])

    def call(_: int) -> Any:
        return raw.post(f"{service.url}/v1", "/v1/chat/completions", body, wait_s=30, **headers)

    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(call, range(200)))
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 403}, [answer.body for answer in answers if answer.status not in (200, 403)][:3]
    taken = sum(answer.json["usage"]["total_tokens"] for answer in answers if answer.status == 200)
    assert used(live) == taken <= limit
    assert statuses.count(200) >= fitting
    assert the_run(live).refused_calls == statuses.count(403)
    outcomes = [each.outcome.result for each in live.records()]
    assert (outcomes.count("ok"), outcomes.count("refused")) == (statuses.count(200), statuses.count(403))
