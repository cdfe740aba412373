"""One deadline for the whole chain: the deployment's, the alias's, or a shorter one of the caller's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from openai import InternalServerError

from iwrouting.models import Alias
from tests.live.databases import ALIAS
from tests.live.live import Live

FIRST, SECOND, THIRD = "gpt-5.1", "gpt-4.1", "gpt-4.1-mini"
"""The chain of the role `manager`."""


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_primary_that_hangs__leaves_its_fallback_the_time_it_needs(live: Live, streamed: bool) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": "no_answer"}])
    ask = live.stream if streamed else live.chat
    called = ask("manager", client=live.client(x_iw_deadline_s="1.5"))
    assert (called.record.outcome.latency_us or 0) < 1_500_000
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, None, "deadline"),
        (2, "call", 1, 1, SECOND, 200, ""),
    ]
    assert 400_000 < (called.record.attempts[0].end_us or 0) < 1_000_000
    live.agrees(called.record)


def test_whole_chain_that_hangs__ends_with_the_deadline_and_every_rung_had_its_turn(live: Live) -> None:
    live.sandbox.plan([{"fault": "no_answer"}])
    client = live.client(x_iw_deadline_s="0.9")
    started = time.monotonic()
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager", client=client)
    assert 0.8 < time.monotonic() - started < 1.9
    assert (caught.value.status_code, caught.value.code) == (504, "all_candidates_failed")
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert [(a.model, a.error_code) for a in live.the_record().calls] == [
        (FIRST, "deadline"), (SECOND, "deadline"), (THIRD, "deadline")
    ]  # fmt: skip


@contextmanager
def deadline_of(live: Live, alias: str, seconds: float) -> Iterator[None]:
    row = Alias.objects.using(ALIAS).get(name=alias)
    row.deadline_s = seconds
    row.save(using=ALIAS)
    live.settle()
    try:
        yield
    finally:
        row.deadline_s = None
        row.save(using=ALIAS)
        live.settle()


@pytest.mark.parametrize("asked", [None, "0.4", "30"])
def test_deadline_of_the_alias__counts_and_the_caller_can_only_shorten_it(live: Live, asked: str | None) -> None:
    live.sandbox.plan([{"fault": "no_answer"}])
    client = live.client() if asked is None else live.client(x_iw_deadline_s=asked)
    with deadline_of(live, "manager", 0.8):
        started = time.monotonic()
        with pytest.raises(InternalServerError):
            live.chat("manager", client=client)
        took = time.monotonic() - started
    low = 0.35 if asked == "0.4" else 0.75
    assert low < took < low + 1


@pytest.mark.parametrize("value", ["", "0", "0.0", "-1", "soon", "1e3", "nan", "inf", "1,5", "+1"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/api/v1/resolve"])
def test_deadline_that_is_no_number_of_seconds__is_a_400_that_names_it(live: Live, path: str, value: str) -> None:
    body = {"model": "fast", "messages": [{"role": "user", "content": "hello"}], "input": "hello"}
    body = {"alias": "fast"} if path == "/api/v1/resolve" else body
    got = live.post(path, body, x_iw_deadline_s=value)
    assert (got.status, got.json["error"]["param"]) == (400, "x-iw-deadline-s")


def test_wait_asked_by_the_provider__that_leaves_no_time__is_not_waited_for(live: Live) -> None:
    fault = {"status": 503, "headers": {"retry-after-ms": "900"}}
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    called = live.chat("manager", client=live.client(x_iw_deadline_s="2"))
    assert [(a.model, a.status) for a in called.record.attempts] == [(FIRST, 503), (SECOND, 200)]


def test_wait_that_the_caller_is_told__is_what_remains_of_it(live: Live) -> None:
    slow = {"status": 500, "delay_ms": 1100}
    asked = {"status": 429, "headers": {"retry-after": "3"}}
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": asked}, {"fault": slow}])
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager", client=live.client(x_iw_deadline_s="8"))
    assert caught.value.response.headers["retry-after"] == "1"


@pytest.mark.parametrize("model", ["manager", FIRST], ids=["alias", "named model"])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_deadline_that_is_over_before_anything_is_sent__records_no_try(live: Live, model: str, streamed: bool) -> None:
    ask = live.stream if streamed else live.chat
    with pytest.raises(InternalServerError) as caught:
        ask(model, client=live.client(x_iw_deadline_s="0.000001"))
    assert (caught.value.status_code, caught.value.code) == (504, "all_candidates_failed")
    record = live.the_record()
    assert (record.calls, record.outcome.calls, record.outcome.cost_state) == ([], 0, "none")
    assert live.sent() == []


def test_embeddings_whose_deadline_is_over_before_anything_is_sent__record_no_try(live: Live) -> None:
    with pytest.raises(InternalServerError) as caught:
        live.embed([f"text {n}" for n in range(20)], client=live.client(x_iw_deadline_s="0.000001"))
    assert (caught.value.status_code, caught.value.code) == (504, "all_candidates_failed")
    assert (live.the_record().calls, live.sent()) == ([], [])
