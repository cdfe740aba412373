"""Streams whose first output is late: headers go out early, say so, and what they could not tell comes as a comment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIError

from tests.live.ledger import eventually
from tests.live.live import Live, events, text_of
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

FIRST, SECOND = "gpt-5.1", "gpt-4.1"
LATE = {"first_event_delay_ms": 1000}
LEFT_OUT = {"x-iw-model", "x-iw-attempts", "x-iw-fallback"}


@pytest.fixture
def early(live: Live) -> str:
    """The address of a service that holds headers back for 0.2 s."""
    url = live.world.other_service("early", IW_STREAM_HOLD_S="0.2").url
    live.introduce(live.home.key, url)
    return url


def ask(live: Live, early: str) -> Raw:
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    return raw.post(early, "/v1/chat/completions", hello("manager", stream=True), 10, **headers)


def comments(got: Raw) -> list[bytes]:
    return [frame for frame in got.body.split(b"\n\n") if frame.startswith(b":")]


def told(got: Raw) -> dict[str, Any]:
    """What the comment before the end tells."""
    found: dict[str, Any] = json.loads(comments(got)[-1][1:])
    return found


def test_late_output__lets_the_headers_go_first(live: Live, early: str) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": LATE}])
    got = ask(live, early)
    assert (got.status, got.headers["x-iw-early"]) == (200, "1")
    assert not LEFT_OUT & set(got.headers)
    record = live.the_record()
    assert got.headers["x-iw-decision-id"] == str(record.decision.id)
    frames = got.body.split(b"\n\n")
    assert frames[0].startswith(b": ")
    assert frames[-3].startswith(b": {")
    assert frames[-2:] == [b"data: [DONE]", b""]
    assert (told(got)["x-iw-model"], told(got)["x-iw-attempts"], told(got)["x-iw-fallback"]) == (FIRST, "1", "0")
    assert record.served() == ("ok", FIRST, 200)
    live.agrees(record)


def test_late_output__is_read_by_the_sdk_as_ever(live: Live, early: str) -> None:
    wanted = text_of(live.stream("manager").answer)
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": LATE}])
    called = live.stream("manager", client=live.client(url=early))
    assert text_of(called.answer) == wanted


def test_output_in_time__has_all_headers(live: Live, early: str) -> None:
    got = ask(live, early)
    assert "x-iw-early" not in got.headers
    assert set(got.headers) >= LEFT_OUT
    assert comments(got) == []


def test_fallback_after_early_headers__is_told_in_the_comment(live: Live, early: str) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"status": 404, "delay_ms": 700}}])
    got = ask(live, early)
    assert (got.headers["x-iw-early"], events(got.body)[-1]) == ("1", "[DONE]")
    assert (told(got)["x-iw-model"], told(got)["x-iw-fallback"]) == (SECOND, "1")
    assert live.the_record().served() == ("ok_after_fallback", SECOND, 200)


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"status": 404, "delay_ms": 150}, "all_candidates_failed"), ({"status": 422, "delay_ms": 500}, "")],
)
def test_failure_after_early_headers__is_an_error_event(live: Live, early: str, fault: Any, code: str) -> None:
    live.sandbox.plan([{"fault": fault}])
    got = ask(live, early)
    assert (got.status, got.headers["x-iw-early"], got.whole) == (200, "1", True)
    [error] = events(got.body)
    assert (error["error"]["code"] or "") == code
    record = live.the_record()
    assert (record.outcome.result, record.outcome.error_code) == ("error", code)
    live.agrees(record)


def test_failure_after_early_headers__is_raised_by_the_sdk(live: Live, early: str) -> None:
    live.sandbox.plan([{"fault": {"status": 404, "delay_ms": 150}}])
    with pytest.raises(APIError) as caught:
        live.stream("manager", client=live.client(url=early))
    assert caught.value.code == "all_candidates_failed"


def test_cut_after_early_headers__is_an_error_event_with_the_comment(live: Live, early: str) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": {**LATE, "cut_after_events": 4}}])
    got = ask(live, early)
    assert events(got.body)[-1]["error"]["code"] == "stream_body_cut"
    assert told(got)["x-iw-model"] == FIRST
    assert live.the_record().served() == ("truncated", FIRST, 200)


@pytest.mark.parametrize("comments", [1, 2])
def test_leaving_an_early_stream__closes_the_call(live: Live, early: str, comments: int) -> None:
    live.sandbox.plan([{"fault": {"first_event_delay_ms": 20_000}}])
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    with raw.connect(early) as sock:
        sock.sendall(raw.request_bytes("/v1/chat/completions", hello("manager", stream=True), "POST", **headers))
        got = b""
        while got.count(b": waiting") < comments:
            got += sock.recv(65536)
    eventually(lambda: live.sandbox.state()["open_requests"] == 1, "the close at the provider", 1.0)
    record = live.the_record()
    assert (record.outcome.result, record.outcome.cost_state) == ("client_closed", "unpriced")
    assert [a.error_code for a in record.attempts] == ["client_closed"]


def test_late_output_of_a_response__lets_the_headers_go_first_too(live: Live, early: str) -> None:
    live.sandbox.plan([{"match": {"model": SECOND}, "fault": LATE}])
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    body = {"model": SECOND, "input": "Say hello", "stream": True}
    got = raw.post(early, "/v1/responses", body, 10, **headers)
    assert (got.status, got.headers["x-iw-early"]) == (200, "1")
    assert (told(got)["x-iw-model"], told(got)["x-iw-attempts"]) == (SECOND, "1")
    assert got.body.split(b"\n\n")[-2].startswith(b"event: response.completed")
    assert live.the_record().served() == ("ok", SECOND, 200)
