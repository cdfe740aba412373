"""The defects of openai-facts.md 2e in the other direction: a Responses client at a model that chat serves."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import Response

from iwrouting.upstream.sse import frame_data
from iwrouting.upstream.translate.reverse import ChatStream, ReverseScanner, chat_to_response, responses_param
from iwrouting.upstream.translate.reverse import scanner as reverse_scanner
from iwrouting.upstream.translate.wire import frame_of
from tests.translate.cast import SCHEMA, Json
from tests.translate.test_reverse import ANSWERED, CALL, CALLED, ECHO, OUTPUT, asked, said_in
from tests.translate.test_reverse_stream import EVENT, chunk, events, part, told

USAGE: Json = {
    "prompt_tokens": 30,
    "completion_tokens": 1024,
    "total_tokens": 1054,
    "prompt_tokens_details": {"cached_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 1000},
}
ERROR = {"code": "rate_limit_exceeded", "type": "requests", "message": "Slow down", "param": None}


def answered(finish: str, **message: Any) -> Json:
    """The response of a whole chat answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    found = chat_to_response({"model": "m", "choices": [choice], "usage": USAGE}, ECHO)
    assert isinstance(found, dict)
    Response.model_validate(found)
    return found


def test_usage_of_an_answer_cut_short__is_the_reported_one() -> None:
    streamed = told(chunk({"content": "Hm"}), chunk(finish="length"), {"choices": [], "usage": USAGE})[-1]["response"]
    for found in (answered("length", content="Hm"), streamed):
        assert (found["status"], found["usage"]["output_tokens"]) == ("incomplete", 1024)
        assert found["usage"]["output_tokens_details"] == {"reasoning_tokens": 1000}
        assert found["usage"]["input_tokens_details"]["cached_tokens"] == 10


def test_cut_short_with_reasoning_alone__is_incomplete_without_output() -> None:
    streamed = told(chunk({"role": "assistant"}), chunk(finish="length"))[-1]
    assert streamed["type"] == "response.incomplete"
    for found in (answered("length"), streamed["response"]):
        assert (found["output"], found["incomplete_details"]) == ([], {"reason": "max_output_tokens"})


def test_tool_arguments_in_one_piece__arrive_as_delta_and_done() -> None:
    found = told(part(0, '{"a":1}', id="call_a", name="add"), chunk(finish="tool_calls"))
    said = {event["type"]: event for event in found}
    assert said["response.function_call_arguments.delta"]["delta"] == '{"a":1}'
    assert said["response.function_call_arguments.done"]["arguments"] == '{"a":1}'
    assert said["response.completed"]["response"]["output"][0]["arguments"] == '{"a":1}'


def test_text_and_tool_in_one_stream__are_two_items() -> None:
    found = told(chunk({"content": "Adding."}), part(0, "{}", id="call_a", name="add"), chunk(finish="tool_calls"))
    assert [item["type"] for item in found[-1]["response"]["output"]] == ["message", "function_call"]
    added = [event["output_index"] for event in found if event["type"] == "response.output_item.added"]
    assert added == [0, 1]


def test_ids__are_the_same_in_every_event() -> None:
    found = told(
        chunk({"content": "a"}, id="chatcmpl-1"), chunk({"content": "b"}, id="chatcmpl-2"), chunk(finish="stop")
    )
    assert {event["response"]["id"] for event in found if "response" in event} == {"resp_1"}
    assert {event["item_id"] for event in found if "item_id" in event} == {found[-1]["response"]["output"][0]["id"]}
    for event in found:
        EVENT.validate_python(event)


def test_strict_that_was_omitted__is_told_not_to_be_normalised() -> None:
    tool = {"type": "function", "name": "add", "parameters": SCHEMA}
    body, changes = asked(tools=[tool])
    assert "strict" not in body["tools"][0]["function"]
    assert changes == ["tools without strict are not strict"]


def test_call_id__is_the_chats_and_never_the_items() -> None:
    call = answered("tool_calls", tool_calls=[CALLED])["output"][0]
    assert (call["call_id"], call["id"] != call["call_id"]) == ("call_a", True)
    assert said_in({"role": "user", "content": "Hi"}, CALL, OUTPUT)[1:] == [
        {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        ANSWERED,
    ]


def test_error_inside_a_stream__keeps_its_code() -> None:
    scanner = ReverseScanner(ChatStream(ECHO))
    scanner.take(frame_of(chunk({"content": "a"})))
    assert scanner.take(frame_of({"error": ERROR})) == b""
    assert scanner.failure is not None
    assert (scanner.failure.code, scanner.failure.message) == ("rate_limit_exceeded", "Slow down")


def test_keepalive_and_comments__do_not_break_the_stream() -> None:
    scanner = ReverseScanner(ChatStream(ECHO))
    frames = [b": beat\n\n", frame_of(chunk({"content": "Hi"})), b": beat\n\n", frame_of(chunk(finish="stop"))]
    sent = b"".join(map(scanner.take, [*frames, b"data: [DONE]\n\n"]))
    assert (scanner.done, scanner.whole, scanner.failure) == (True, True, None)
    assert scanner.terminal == scanner.terminal
    numbers = [event["sequence_number"] for event in events(sent + scanner.terminal)]
    assert numbers == list(range(len(numbers)))
    assert scanner.number == len(numbers)


def test_stream_without_its_reason__is_never_whole() -> None:
    scanner = ReverseScanner(ChatStream(ECHO))
    scanner.take(frame_of(chunk({"content": "Hi"})))
    scanner.take(b"data: [DONE]\n\n")
    assert (scanner.done, scanner.whole) == (True, False)


def test_chunk_that_can_not_be_read__is_a_failure() -> None:
    scanner = ReverseScanner(ChatStream(ECHO))
    assert scanner.take(b'data: {"choices": [\n\n') == b""
    assert scanner.failure is not None
    assert scanner.failure.code == "bad_event"
    assert frame_data(scanner.take(frame_of(chunk({"content": "Hi"})))) == b""


def test_chunk_that_can_not_be_read_after_the_end__harms_nothing() -> None:
    scanner = ReverseScanner(ChatStream(ECHO))
    frames = [frame_of(chunk({"content": "Hi"})), frame_of(chunk(finish="stop")), b"data: {\n\n"]
    sent = b"".join(map(scanner.take, [*frames, b"data: [DONE]\n\n"]))
    assert (scanner.done, scanner.whole, scanner.failure) == (True, True, None)
    assert events(sent + scanner.terminal)[-1]["type"] == "response.completed"


def test_stream_that_never_ends__is_cut_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverse_scanner, "MAX_KEPT", 100_000)
    scanner = ReverseScanner(ChatStream(ECHO))
    frame = frame_of(chunk({"content": "x" * 30_000}))
    sent = [scanner.take(frame) for _ in range(5)]
    assert [bool(each) for each in sent] == [True, True, True, False, False]
    assert scanner.failure is not None
    assert scanner.failure.code == "too_large"


def test_replayed_history__loses_reasoning_and_item_ids_and_says_so() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    body, changes = asked(input=[{"role": "user", "content": "Hi"}, reasoning, CALL, OUTPUT])
    assert changes == ["dropped reasoning items"]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool"]
    assert "rs_1" not in str(body)
    assert "fc_1" not in str(body)


def test_refused_field__is_blamed_by_its_responses_name() -> None:
    blamed = {
        "messages": "input",
        "messages[2].content": "input",
        "max_completion_tokens": "max_output_tokens",
        "reasoning_effort": "reasoning.effort",
        "response_format.json_schema": "text.format",
        "tools[0]": "tools[0]",
        "": "",
    }
    assert {name: responses_param(name) for name in blamed} == blamed


def test_stream__asks_chat_for_the_usage_that_every_response_has() -> None:
    assert asked(stream=True)[0]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in asked()[0]
