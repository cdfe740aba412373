"""Each failure of a provider that lets the chain go on: what the caller gets, and every attempt as it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import NotFoundError, RateLimitError

from tests.live.live import Called, Live, text_of
from tests.live.world import DEAD, HASTY, WALLED

FIRST, SECOND, THIRD = "gpt-5.1", "gpt-4.1", "gpt-4.1-mini"
"""The chain of the role `manager`."""


def error(code: str | None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": "No (sandbox).", "type": "invalid_request_error", "param": param, "code": code}}


BUSY = {"message": "Busy (sandbox).", "type": "server_error", "param": None, "code": "server_error"}
REPEATED: dict[str, tuple[Any, int | None, str]] = {
    "408": ("request_timeout", 408, "server_error"),
    "409": ("conflict", 409, "conflict"),
    "429": ({"status": 429, "headers": {"retry-after-ms": "20"}}, 429, "rate_limit_exceeded"),
    "500": ("server_error", 500, "server_error"),
    "502": ("bad_gateway", 502, "http_502"),
    "503": ("overloaded", 503, "server_is_overloaded"),
    "504": ("gateway_timeout", 504, "server_error"),
    "529": ({"status": 529, "raw_body": ""}, 529, "http_529"),
    "reset": ("reset", None, "connection_reset"),
}
PASSED_OVER: dict[str, tuple[Any, int | None, str]] = {
    "model_not_found": ("model_gone", 404, "model_not_found"),
    "403 about the model": ({"status": 403, "body": error("model_access_denied")}, 403, "model_access_denied"),
    "unsupported_parameter": (
        {"status": 400, "body": error("unsupported_parameter", "stop")},
        400,
        "unsupported_parameter",
    ),
    "unsupported_value": ({"status": 400, "body": error("unsupported_value", "stream")}, 400, "unsupported_value"),
    "redirect": ({"redirect": "http://127.0.0.1:9/v1"}, 307, "redirect_refused"),
    "garbage": ({"raw_bytes": "220 smtp.example ESMTP\r\n"}, None, "bad_http"),
    "html in a 200": ("html", 200, "bad_body"),
    "accepted, no answer": ({"status": 202, "body": {"id": "later"}}, 202, "http_202"),
    "no content": ({"status": 204, "raw_body": ""}, 204, "http_204"),
    "error in a 200": ({"raw_body": '{"error": {"message": "Busy", "type": "oversleep"}}'}, 200, "in_band_error"),
    "error text in a 200": ({"raw_body": '{"error": "boom"}'}, 200, "in_band_error"),
    "a 200 without choices": ({"raw_body": '{"choices": []}'}, 200, "bad_body"),
    "an empty object in a 200": ({"raw_body": "{}"}, 200, "bad_body"),
    "a 200 that is no object": ({"raw_body": "[]"}, 200, "bad_body"),
    "body cut": ({"cut_after_bytes": 40}, 200, "body_cut"),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("name", REPEATED)
def test_passing_failure__is_repeated_once_and_then_the_next_rung_serves(live: Live, name: str, streamed: bool) -> None:
    fault, status, code = REPEATED[name]
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    called = ask(live, "manager", streamed=streamed)
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, status, code),
        (2, "call", 0, 2, FIRST, status, code),
        (3, "call", 1, 1, SECOND, 200, ""),
    ]
    second_rung_served(live, called)
    if name == "429":
        assert [attempt.retry_after_ms for attempt in called.record.attempts] == [20, 20, None]


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_passing_failure_inside_a_200__is_repeated_once_too(live: Live, streamed: bool) -> None:
    inside = {"error_event_after_events": {"events": 0, "error": BUSY}}
    fault = inside if streamed else {"raw_body": json.dumps({"error": BUSY})}
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    called = ask(live, "manager", streamed=streamed)
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, 200, "server_error"),
        (2, "call", 0, 2, FIRST, 200, "server_error"),
        (3, "call", 1, 1, SECOND, 200, ""),
    ]
    second_rung_served(live, called)


@pytest.mark.parametrize("name", REPEATED)
def test_passing_failure__that_passes__leaves_the_rung_in_place(live: Live, name: str) -> None:
    fault, status, code = REPEATED[name]
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault, "times": 1}])
    called = live.chat("manager")
    assert called.record.tried == [(1, "call", 0, 1, FIRST, status, code), (2, "call", 0, 2, FIRST, 200, "")]
    assert called.record.served() == ("ok", FIRST, 200)
    assert (called.headers["x-iw-attempts"], called.headers["x-iw-fallback"]) == ("2", "0")


@pytest.mark.parametrize("name", PASSED_OVER)
def test_lasting_failure_of_one_model__goes_to_the_next_rung_at_once(live: Live, name: str) -> None:
    fault, status, code = PASSED_OVER[name]
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    called = live.chat("manager")
    assert called.record.tried == [(1, "call", 0, 1, FIRST, status, code), (2, "call", 1, 1, SECOND, 200, "")]
    second_rung_served(live, called)


def test_upstream_down__is_tried_twice_and_passed_over(live: Live) -> None:
    called = live.chat("manager", client=live.client(live.tenant({"manager": DEAD})))
    assert called.record.tried == [
        (1, "call", 0, 1, DEAD, None, "connect_failed"),
        (2, "call", 0, 2, DEAD, None, "connect_failed"),
        (3, "call", 1, 1, SECOND, 200, ""),
    ]
    second_rung_served(live, called)


def test_upstream_that_accepts_no_connection__is_passed_over_after_its_timeout(live: Live) -> None:
    called = live.chat("manager", client=live.client(live.tenant({"manager": WALLED})))
    assert called.record.tried == [
        (1, "call", 0, 1, WALLED, None, "connect_timeout"),
        (2, "call", 0, 2, WALLED, None, "connect_timeout"),
        (3, "call", 1, 1, SECOND, 200, ""),
    ]
    assert all(400_000 < (attempt.end_us or 0) < 2_000_000 for attempt in called.record.calls[:2])


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_no_answer__is_not_repeated_because_it_may_still_run(live: Live, streamed: bool) -> None:
    live.sandbox.plan([{"match": {"model": HASTY}, "fault": "no_answer"}])
    called = ask(live, "manager", streamed=streamed, client=live.client(live.tenant({"manager": HASTY})))
    assert called.record.tried == [
        (1, "call", 0, 1, HASTY, None, "timeout_first_byte"),
        (2, "call", 1, 1, SECOND, 200, ""),
    ]
    second_rung_served(live, called)


def test_second_rung_failing_too__ends_on_the_third(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": [FIRST, SECOND]}, "fault": "model_gone"}])
    called = live.chat("manager")
    assert called.record.tried == [
        (1, "call", 0, 1, FIRST, 404, "model_not_found"),
        (2, "call", 1, 1, SECOND, 404, "model_not_found"),
        (3, "call", 2, 1, THIRD, 200, ""),
    ]
    assert (called.record.outcome.fallbacks, called.headers["x-iw-fallback"]) == (2, "2")
    live.agrees(called.record)


def test_repeated_rung__is_a_recorded_skip_and_no_fallback(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": SECOND}, "fault": "model_gone"}])
    called = live.chat("manager", client=live.client(live.tenant({"manager": SECOND})))
    assert called.record.tried == [
        (1, "call", 0, 1, SECOND, 404, "model_not_found"),
        (2, "skip", 1, 0, SECOND, None, "duplicate"),
        (3, "call", 2, 1, THIRD, 200, ""),
    ]
    assert (called.record.outcome.fallbacks, called.headers["x-iw-fallback"]) == (1, "1")
    live.agrees(called.record)


def test_named_model__has_no_chain(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": "model_gone"}])
    with pytest.raises(NotFoundError) as caught:
        live.chat(FIRST)
    assert caught.value.code == "model_not_found"
    assert live.the_record().tried == [(1, "call", 0, 1, FIRST, 404, "model_not_found")]


def test_named_model_that_is_rate_limited__passes_status_and_wait_on(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"status": 429, "headers": {"retry-after": "7"}}}])
    with pytest.raises(RateLimitError) as caught:
        live.chat(FIRST)
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["x-should-retry"]) == ("7", "false")
    assert live.the_record().served() == ("error", "", 429)


def ask(live: Live, alias: str, *, streamed: bool, **more: Any) -> Called:
    return live.stream(alias, **more) if streamed else live.chat(alias, **more)


def second_rung_served(live: Live, called: Called) -> None:
    record = called.record
    assert record.served() == ("ok_after_fallback", SECOND, 200)
    assert (called.headers["x-iw-model"], called.headers["x-iw-fallback"]) == (SECOND, "1")
    assert int(called.headers["x-iw-attempts"]) == record.outcome.calls == len(record.calls)
    answer = called.answer
    text = text_of(answer) if isinstance(answer, list) else answer.choices[0].message.content
    assert text.startswith(f"sandbox: {SECOND} heard")
    assert record.outcome.cost_state == "exact"
    live.agrees(record)
