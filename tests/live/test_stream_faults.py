"""Streams that fail: another rung before the first output, an error event after it, never a false end (G2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIError, APIStatusError, BadRequestError

from tests.live.ledger import Record
from tests.live.live import Live, events, text_of
from tests.live.world import HASTY
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"
FIRST, SECOND = "gpt-5.1", "gpt-4.1"
BUSY = {"message": "Busy (sandbox).", "type": "server_error", "param": None, "code": "busy"}
RATE = {"message": "Slow down (sandbox).", "type": "requests", "param": None, "code": "rate_limit_exceeded"}

BEFORE_OUTPUT: dict[str, tuple[Any, str]] = {
    "html": ("html", "bad_body"),
    "json without an answer": ({"raw_body": '{"choices": []}', "content_type": "application/json"}, "bad_body"),
    "json without an end": (
        {"raw_body": '{"choices": [{"message": {"content": "half"}}]}', "content_type": "application/json"},
        "mode_mismatch",
    ),
    "json nested too deep": (
        {"raw_body": '{"choices": [' + '{"a":' * 300 + "1" + "}" * 300 + "]}", "content_type": "application/json"},
        "bad_body",
    ),
    "empty": ({"raw_body": "", "content_type": "text/event-stream"}, "truncated"),
    "only the end": ({"raw_body": "data: [DONE]\n\n", "content_type": "text/event-stream"}, "truncated"),
    "only a role": ({"cut_after_events": 1, "clean_end": True}, "truncated"),
    "cut": ({"cut_after_events": 1}, "body_cut"),
    "reset": ({"reset_after_events": 1}, "body_cut"),
    "reset after headers": ("reset_after_headers", "body_cut"),
    "malformed frame": ({"inject": [{"after_events": 1, "raw": 'data: {"choices": [\n\n'}]}, "bad_event"),
    "error first": ({"error_event_after_events": {"events": 0, "error": RATE}}, "rate_limit_exceeded"),
    "error after the role": ({"error_event_after_events": {"events": 1, "error": BUSY}}, "busy"),
}
AFTER_OUTPUT: dict[str, tuple[Any, str]] = {
    "end without reason": ({"cut_after_events": 4, "clean_end": True}, "stream_truncated"),
    "cut": ({"cut_after_events": 4}, "stream_body_cut"),
    "reset": ({"reset_after_events": 4}, "stream_body_cut"),
    "error": ({"error_event_after_events": {"events": 4, "error": BUSY}}, "busy"),
    "error with a text alone": (
        {"error_event_after_events": {"events": 4, "error": {"message": "Busy (sandbox)."}}},
        "in_band_error",
    ),
    "error that is a text": ({"inject": [{"after_events": 4, "raw": 'data: {"error": "Busy"}\n\n'}]}, "in_band_error"),
    "done without reason": ({"inject": [{"after_events": 4, "raw": "data: [DONE]\n\n"}]}, "stream_truncated"),
    "frame over 10 MB": ({"inject": [{"after_events": 4, "raw": "data: " + "x" * 12_000_000}]}, "stream_too_large"),
}


@pytest.mark.parametrize("name", BEFORE_OUTPUT)
def test_failure_before_output__goes_to_the_next_rung(live: Live, name: str) -> None:
    fault, code = BEFORE_OUTPUT[name]
    wanted = text_of(live.stream(SECOND).answer)
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    called = live.stream("manager")
    assert text_of(called.answer) == wanted
    assert (called.headers["x-iw-model"], called.headers["x-iw-fallback"]) == (SECOND, "1")
    record = called.record
    assert record.attempts[0].error_code == code
    assert (record.attempts[-1].model, record.attempts[-1].rung) == (SECOND, 1)
    assert record.served() == ("ok_after_fallback", SECOND, 200)
    live.agrees(record)


@pytest.mark.parametrize("name", AFTER_OUTPUT)
def test_failure_after_output__is_an_error_event_and_no_end(live: Live, name: str) -> None:
    fault, code = AFTER_OUTPUT[name]
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    got = live.post(CHAT, hello("manager", stream=True))
    truncated(live, got, code)


@pytest.mark.parametrize("name", AFTER_OUTPUT)
def test_failure_after_output__is_raised_by_the_sdk(live: Live, name: str) -> None:
    fault, code = AFTER_OUTPUT[name]
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    with pytest.raises(APIError) as caught:
        live.stream("manager")
    assert (caught.value.code, isinstance(caught.value, APIStatusError)) == (code, False)
    assert str(live.the_record().decision.id) in caught.value.message


def test_stall_after_output__is_an_error_event(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": HASTY}, "fault": {"stall_after_events": 4}}])
    got = live.post(CHAT, hello(HASTY, stream=True))
    record = truncated(live, got, "stream_stalled")
    assert 400_000 < (record.outcome.latency_us or 0) < 3_000_000


def test_stall_before_output__goes_to_the_next_rung(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": HASTY}, "fault": {"stall_after_events": 1}}])
    called = live.stream("manager", client=live.client(live.tenant({"manager": HASTY})))
    assert called.record.tried == [(1, "call", 0, 1, HASTY, 200, "stalled"), (2, "call", 1, 1, SECOND, 200, "")]
    assert called.record.served() == ("ok_after_fallback", SECOND, 200)


def test_end_without_terminal_marker__is_whole_where_every_choice_has_ended(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": "no_done"}])
    got = live.post(CHAT, hello("manager", stream=True, n=2))
    assert events(got.body)[-1] == "[DONE]"
    assert live.the_record().served() == ("ok", FIRST, 200)


@pytest.mark.parametrize("how", ["stall_after_bytes", "reset_after_bytes", "cut_after_bytes"])
def test_connection_that_is_lost_after_every_end__leaves_the_answer_whole(live: Live, how: str) -> None:
    body = live.post(CHAT, hello(HASTY, stream=True), x_iw_run_id="elsewhere").body
    told = {"raw_body": body.decode(), "content_type": "text/event-stream", how: len(body) - 5}
    live.sandbox.plan([{"match": {"model": HASTY}, "fault": told}])
    assert live.post(CHAT, hello(HASTY, stream=True)).body == body
    record = live.the_record()
    assert (record.served(), record.outcome.finish_reason) == (("ok", HASTY, 200), "stop")


def test_one_choice_of_two_without_its_end__is_truncated(live: Live) -> None:
    buffered = live.chat(FIRST, n=2).record
    assert buffered.outcome.result == "ok"
    both = events(live.post(CHAT, hello(FIRST, stream=True, n=2), x_iw_run_id="elsewhere").body)
    ends = [index for index, event in enumerate(both) if event != "[DONE]" and event["choices"][0]["finish_reason"]]
    cut = {"cut_after_events": ends[1], "clean_end": True}
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": cut}])
    got = live.post(CHAT, hello("manager", stream=True, n=2))
    data = events(got.body)
    assert data[-1]["error"]["code"] == "stream_truncated"
    assert sum(bool(event["choices"][0]["finish_reason"]) for event in data[:-1]) == 1
    assert live.records()[-1].outcome.result == "truncated"


def test_refusal_of_a_stream__is_a_plain_error_with_its_status(live: Live) -> None:
    with pytest.raises(BadRequestError) as caught:
        live.chat("fast", stream=True, temperature=9.5)
    assert (caught.value.param, caught.value.code) == ("temperature", "decimal_above_max_value")
    assert live.the_record().served() == ("error", "", 400)


def test_refusal_inside_a_200__stops_as_it_would_have_by_status(live: Live) -> None:
    policy = {**BUSY, "type": "invalid_request_error", "code": "content_policy_violation"}
    live.sandbox.plan(
        [{"match": {"model": FIRST}, "fault": {"error_event_after_events": {"events": 0, "error": policy}}}]
    )
    with pytest.raises(BadRequestError) as caught:
        live.chat("manager", stream=True)
    assert caught.value.code == "content_policy_violation"
    assert [a.model for a in live.the_record().attempts] == [FIRST]


def test_malformed_frame_after_output__is_an_error_event(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"malformed_after_events": 3}}])
    got = live.post(CHAT, hello("manager", stream=True))
    truncated(live, got, "stream_bad_event")
    assert b'"delta": {"conte' not in got.body


def test_malformed_frame_after_the_end__harms_nothing(live: Live) -> None:
    body = live.post(CHAT, hello(FIRST, stream=True)).body.decode()
    broken = body.replace("data: [DONE]", 'data: {"choices": [\n\ndata: [DONE]')
    live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"raw_body": broken, "content_type": "text/event-stream"}}])
    assert live.post(CHAT, hello("manager", stream=True)).body.decode() == body
    assert live.records()[-1].served() == ("ok", FIRST, 200)


def truncated(live: Live, got: Raw, code: str) -> Record:
    """Assert that a stream broke off in the open after output: bytes, audit and sandbox agree. The record."""
    assert (got.status, got.whole) == (200, True)
    *before, last = events(got.body)
    assert any(choice["delta"].get("content") for event in before for choice in event["choices"])
    assert set(last) == {"error"}
    assert set(last["error"]) == {"message", "type", "param", "code"}
    assert last["error"]["code"] == code
    record = live.the_record()
    assert (record.outcome.result, record.outcome.status, record.outcome.error_code) == ("truncated", 200, code)
    assert record.outcome.model_served == record.attempts[-1].model
    assert len(record.attempts) == 1
    assert record.attempts[0].error_code == code.removeprefix("stream_")
    assert (record.outcome.cost_state, record.outcome.tokens_source) == ("estimated", "bytes")
    assert record.outcome.cost_pico
    assert record.outcome.prompt_tokens == record.decision.estimate_tokens
    assert record.outcome.bytes_delivered == len(got.body) - len(b"data: \n\n" + json_of(last))
    live.agrees(record)
    return record


def json_of(event: Any) -> bytes:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
