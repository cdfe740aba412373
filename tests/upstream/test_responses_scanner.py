"""The scanner of native Responses streams, event by event, and the events of a whole response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from iwrouting.upstream.failures import Step
from iwrouting.upstream.response_events import response_frames
from iwrouting.upstream.responses import ResponsesScanner, ending_of

Json = dict[str, Any]
PART = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [PART]}
REFUSAL = {**MESSAGE, "content": [{"type": "refusal", "refusal": "No."}]}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "add",
    "arguments": "{}",
}
REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}
SEARCH = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}}
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 5,
}


def response(*output: Json, status: str = "completed", **more: Any) -> Json:
    head: Json = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": status}
    tail = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None}
    return {**head, **tail, "output": list(output), "usage": USAGE, **more}


def frame(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': 7, **members})}\n\n".encode()


CREATED = frame("response.created", response=response(status="in_progress", usage=None))
DELTA = frame("response.output_text.delta", delta="Hi")


@pytest.mark.parametrize(
    ("kind", "members", "output"),
    [
        ("response.created", {"response": response(status="in_progress")}, False),
        ("response.in_progress", {"response": response(status="in_progress")}, False),
        ("response.queued", {"response": response(status="queued")}, False),
        ("keepalive", {}, False),
        ("response.output_item.added", {"item": MESSAGE}, False),
        ("response.output_item.added", {"item": REASONING}, False),
        ("response.output_item.added", {"item": SEARCH}, False),
        ("response.output_item.added", {"item": CALL}, True),
        ("response.output_item.added", {"item": {"type": "custom_tool_call"}}, True),
        ("response.output_item.added", {"item": {"type": "mcp_approval_request"}}, True),
        ("response.output_item.added", {"item": None}, False),
        ("response.content_part.added", {"part": PART}, False),
        ("response.reasoning_summary_text.delta", {"delta": "Hm"}, False),
        ("response.web_search_call.searching", {}, False),
        ("response.new_thing", {}, False),
        ("response.output_text.delta", {"delta": "Hi"}, True),
        ("response.refusal.delta", {"delta": "No"}, True),
        ("response.function_call_arguments.delta", {"delta": "{"}, True),
        ("response.custom_tool_call_input.delta", {"delta": "x"}, True),
        ("response.image_generation_call.partial_image", {}, True),
        ("response.completed", {"response": response()}, True),
    ],
)
def test_event__ends_the_time_of_fallback_by_the_table(kind: str, members: Json, output: bool) -> None:
    scanner = ResponsesScanner()
    taken = scanner.take(frame(kind, **members))
    assert scanner.shows_output(b"") is output
    assert scanner.failure is None
    assert (taken == b"") is (kind == "response.completed")


def test_background__is_committed_by_its_first_event() -> None:
    scanner = ResponsesScanner(at_once=True)
    assert scanner.take(CREATED) == CREATED
    assert (scanner.shows_output(CREATED), scanner.response_id) == (True, "resp_1")


@pytest.mark.parametrize(
    ("kind", "ended", "reason"),
    [
        ("response.completed", response(MESSAGE), "stop"),
        ("response.completed", response(MESSAGE, CALL), "tool_calls"),
        ("response.incomplete", response(incomplete_details={"reason": "max_output_tokens"}), "length"),
        ("response.incomplete", response(incomplete_details={"reason": "content_filter"}), "content_filter"),
        ("response.cancelled", response(status="cancelled"), ""),
    ],
)
def test_terminal_event__waits_and_tells_the_usage(kind: str, ended: Json, reason: str) -> None:
    scanner = ResponsesScanner()
    last = frame(kind, response=ended)
    assert (scanner.take(CREATED), scanner.take(DELTA), scanner.take(last)) == (CREATED, DELTA, b"")
    assert (scanner.whole, scanner.terminal, scanner.finish_reason) == (True, last, reason)
    assert scanner.usage is not None
    assert (scanner.usage.prompt_tokens, scanner.usage.completion_tokens) == (3, 2)
    assert scanner.take(DELTA) == b""


ERROR = {"code": "rate_limit_exceeded", "message": "Slow down.", "param": None}


@pytest.mark.parametrize("first", [[CREATED], [CREATED, DELTA]], ids=["before output", "after output"])
@pytest.mark.parametrize(
    "bad",
    [
        frame("error", **ERROR),
        frame("error", error=ERROR),
        frame("response.failed", response=response(status="failed", error=ERROR)),
        frame("response.completed", response=response(status="failed", error=ERROR)),
        b"data: " + json.dumps({"error": ERROR}).encode() + b"\n\n",
    ],
    ids=["form A", "form B", "failed", "completed of a failed one", "bare"],
)
def test_error__keeps_its_code_and_nothing_of_it_is_relayed(first: list[bytes], bad: bytes) -> None:
    scanner = ResponsesScanner()
    for each in first:
        scanner.take(each)
    assert scanner.take(bad) == b""
    assert scanner.failure is not None
    assert (scanner.failure.code, scanner.whole) == ("rate_limit_exceeded", False)
    assert scanner.number == 8


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (response(status="in_progress"), "truncated"),
        (response(status="no such"), "truncated"),
        (None, "bad_event"),
    ],
)
def test_completed_event_of_a_response_that_is_not__is_not_believed(ended: Any, code: str) -> None:
    scanner = ResponsesScanner()
    scanner.take(frame("response.completed", response=ended) if ended else b'data: {"type": "response.com\n\n')
    assert scanner.failure is not None
    assert (scanner.failure.code, scanner.failure.step) == (code, Step.NEXT)
    assert not scanner.whole


def test_comments_and_a_marker_of_chat__do_no_harm() -> None:
    scanner = ResponsesScanner()
    assert scanner.take(b": hello\n\n") == b": hello\n\n"
    assert scanner.take(b"data: [DONE]\n\n") == b""
    assert (scanner.whole, scanner.failure) == (False, None)


@pytest.mark.parametrize("output", [[], None, "x", [None, 1], [{"type": 1}]])
def test_ending__of_malformed_output_is_no_exception(output: Any) -> None:
    assert ending_of({"status": "completed", "output": output}) == "stop"


@pytest.mark.parametrize("status", ["completed", "incomplete"])
@pytest.mark.parametrize("output", [[MESSAGE], [REFUSAL], [CALL], [REASONING, SEARCH, MESSAGE, CALL], []])
def test_events_of_a_whole_response__are_read_by_the_sdk_as_that_response(output: list[Json], status: str) -> None:
    whole = response(*output, status=status)
    reader: Any = TypeAdapter(ResponseStreamEvent)
    state: Any = ResponseStreamState(input_tools=[], text_format=omit)
    scanner = ResponsesScanner()
    for number, each in enumerate(response_frames(whole)):
        data = json.loads(each.split(b"data: ")[1])
        assert data["sequence_number"] == number
        state.handle_event(reader.validate_python(data))
        scanner.take(each)
    assert (scanner.whole, scanner.failure) == (True, None)
    assert json.loads(scanner.terminal.split(b"data: ")[1])["response"] == whole


@pytest.mark.parametrize("broken", [{}, {"output": "x"}, {"output": [1]}, {"output": [{"type": "message"}]}])
def test_events_of_what_is_no_whole_response__have_no_end(broken: Json) -> None:
    scanner = ResponsesScanner()
    for each in response_frames(broken):
        scanner.take(each)
    assert not scanner.whole
