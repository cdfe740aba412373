"""No call without its decision, no answer without its outcome: what happens while the audit can't be written (G1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction

from tests.live.databases import ALIAS, IS_POSTGRESQL, statement
from tests.live.ledger import eventually, record, records_of_run
from tests.live.live import Live, events
from tests.live.processes import ServiceProcess
from tests.live.reading import events_of
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT, EMBEDDINGS, RESOLVE = "/v1/chat/completions", "/v1/embeddings", "/api/v1/resolve"
RESPONSES, ASK = "/v1/responses", {"model": "fast", "input": "Say hello"}
BODIES: dict[str, Any] = {
    CHAT: hello("fast"),
    EMBEDDINGS: {"model": "embedding", "input": "one"},
    RESOLVE: {"alias": "fast"},
}


@contextmanager
def locked() -> Iterator[None]:
    """Nobody can write the audit within the block."""
    with transaction.atomic(using=ALIAS):
        if IS_POSTGRESQL:
            statement("LOCK TABLE iwrouting_decision, iwrouting_outcome IN EXCLUSIVE MODE")
        yield
    connections[ALIAS].close()


@pytest.fixture
def hasty(live: Live) -> ServiceProcess:
    """A service without a journal that waits 0.3 s for a decision to be stored."""
    service = live.world.other_service("strictly", IW_AUDIT_STRICT="1", IW_AUDIT_WAIT_S="0.3", IW_DEADLINE_S="1")
    live.introduce(live.home.key, service.url)
    return service


def ask(live: Live, service: ServiceProcess, path: str, body: Any) -> Raw:
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    return raw.post(service.url, path, body, 15, **headers)


def test_decision_that_can_not_be_stored__is_a_503_and_no_call(live: Live, hasty: ServiceProcess) -> None:
    assert ask(live, hasty, CHAT, hello("fast")).status == 200
    sent = len(live.sent())
    bad = [*BODIES.items(), (CHAT, hello("fast", stream=True)), (CHAT, hello("no-such-name"))]
    with locked(), ThreadPoolExecutor(len(bad)) as pool:
        for got in pool.map(lambda case: ask(live, hasty, *case), bad):
            assert (got.status, got.error["code"], got.error["type"]) == (503, "audit_unavailable", "server_error")
            assert "retry-after" in got.headers
        status, state = hasty.get("/readyz")
        assert (status, bool(state["audit"]["fault"])) == (503, True)
        assert hasty.status("/healthz") == 200
    assert len(live.sent()) == sent
    eventually(lambda: ask(live, hasty, CHAT, hello("fast")).status == 200, "the way back", 5)
    assert hasty.status("/readyz") == 200
    assert all(len(each.outcomes) <= 1 for each in live.records())


def test_outcome_that_can_not_be_stored__ends_no_answer_as_whole(live: Live, hasty: ServiceProcess) -> None:
    live.sandbox.plan([{"fault": {"delay_ms": 400}}])
    key = live.home.key
    got: dict[tuple[str, bool], Raw] = {}

    def call(path: str, streamed: bool) -> None:
        headers = {"authorization": f"Bearer {key}", "x-iw-run-id": f"{live.run}-{streamed}"}
        body = hello("fast", stream=streamed) if path == CHAT else {**ASK, "stream": streamed}
        got[path, streamed] = raw.post(hasty.url, path, body, 15, **headers)

    cases = [(CHAT, False), (CHAT, True), (RESPONSES, True)]
    threads = [threading.Thread(target=call, args=case) for case in cases]
    for thread in threads:
        thread.start()
    eventually(lambda: live.sandbox.state()["open_requests"] == 4, "all at the provider")
    with locked():
        for thread in threads:
            thread.join()
    found = events_of(got[RESPONSES, True].body)
    assert (found[-1]["type"], found[-1]["error"]["code"]) == ("error", "audit_unavailable")
    assert "response.completed" not in {event["type"] for event in found}
    buffered, streamed = got[CHAT, False], got[CHAT, True]
    assert (buffered.status, buffered.error["code"]) == (503, "audit_unavailable")
    assert buffered.headers["x-should-retry"] == "false"
    [stored] = records_of_run(f"{live.run}-False")
    assert str(stored.decision.id) in buffered.error["message"]
    assert (buffered.headers["x-iw-decision-id"], buffered.headers["x-iw-attempts"]) == (str(stored.decision.id), "1")
    assert streamed.status == 200
    assert b"[DONE]" not in streamed.body
    assert events(streamed.body)[-1]["error"]["code"] == "audit_unavailable"
    # The rows of a call that was made are stored when that is possible, whatever its caller was told.
    eventually(lambda: record(streamed.headers["x-iw-decision-id"]).outcomes, "the outcome")


def test_deadline__spans_the_whole_chain(live: Live, hasty: ServiceProcess) -> None:
    live.sandbox.plan([{"fault": {"status": 503, "delay_ms": 380}}])
    got = ask(live, hasty, CHAT, hello("manager"))
    assert got.status in (503, 504)
    assert got.error["code"] == "all_candidates_failed"
    found = live.the_record()
    assert 900_000 < (found.outcome.latency_us or 0) < 1_600_000
    assert len(found.attempts) == 3
    assert found.attempts[-1].error_code == "deadline"


def test_stream_that_is_under_way__outlives_the_deadline(live: Live, hasty: ServiceProcess) -> None:
    live.sandbox.plan([{"fault": {"event_delay_ms": 160}}])
    got = ask(live, hasty, CHAT, hello("fast", stream=True))
    assert events(got.body)[-1] == "[DONE]"
    found = live.the_record()
    assert (found.outcome.result, (found.outcome.latency_us or 0) > 1_100_000) == ("ok", True)
