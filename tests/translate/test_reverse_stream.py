"""A chat stream for a Responses client: every event in order, numbered, and the same as the whole answer (2c)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from iwrouting.sandbox.response_events import events as events_of
from iwrouting.types import ModelFacts
from iwrouting.upstream.translate import ResponsesStream
from iwrouting.upstream.translate.reverse import ChatStream, Echo, chat_to_response, request_for_chat
from tests.harness.samples import sample
from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess
from tests.translate.bodies import JUNK, answers
from tests.translate.cast import ID, NOW, SCHEMA, Json, chat, chunks_of, joined, streamed
from tests.translate.test_reverse import ECHO, MINI

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def events(frames: bytes) -> list[Json]:
    """The events of frames, each frame naming its own."""
    found = []
    for frame in frames.split(b"\n\n")[:-1]:
        name, data = frame.split(b"\n")
        found.append(json.loads(data.removeprefix(b"data: ")))
        assert name == f"event: {found[-1]['type']}".encode()
    return found


def chunk(delta: Json | None = None, finish: str | None = None, **more: Any) -> Json:
    """A chat chunk."""
    return {"model": "m", "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}


def told(*chunks: Json) -> list[Json]:
    """The events of a whole stream."""
    stream = ChatStream(ECHO)
    return events(b"".join([*map(stream.feed, chunks), stream.end()]))


def part(index: int, arguments: str, **opening: Any) -> Json:
    """A tool-call delta."""
    function = {"arguments": arguments, **({"name": opening.pop("name")} if "name" in opening else {})}
    return chunk({"tool_calls": [{"index": index, "function": function, **opening}]})


def test_text__has_every_event_in_order() -> None:
    found = told(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "He"}),
        chunk({"content": "y"}),
        chunk(finish="stop"),
    )
    assert [each["type"].removeprefix("response.") for each in found] == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [each["sequence_number"] for each in found] == list(range(len(found)))
    assert all({"output_index", "content_index", "item_id"} <= set(each) for each in found[3:8])
    assert found[-1]["response"]["output"][0]["content"][0]["text"] == found[6]["text"] == "Hey"
    for each in found:
        EVENT.validate_python(each)


def test_calls__have_one_index_each_and_ids_minted_once() -> None:
    found = told(
        part(0, "", id="call_a", name="add"), part(0, "{"), part(1, "", id="call_b", name="sub"), part(1, "[]"),
        part(0, "}"), chunk(finish="tool_calls"),
    )  # fmt: skip
    added = [each["item"] for each in found if each["type"] == "response.output_item.added"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in added] == [
        ("call_a", "add", ""),
        ("call_b", "sub", ""),
    ]
    assert [item["arguments"] for item in found[-1]["response"]["output"]] == ["{}", "[]"]
    assert [item["id"] for item in found[-1]["response"]["output"]] == [item["id"] for item in added]
    deltas = [each for each in found if each["type"].endswith("arguments.delta")]
    assert [each["output_index"] for each in deltas] == [0, 1, 0]
    for each in found:
        EVENT.validate_python(each)


def test_words_after_a_call__are_an_item_of_their_own() -> None:
    found = told(
        chunk({"content": "One."}), part(0, "{}", id="a", name="f"), chunk({"content": "Two."}), chunk(finish="stop")
    )
    assert [item["type"] for item in found[-1]["response"]["output"]] == ["message", "function_call", "message"]
    assert found[-1]["response"]["output"][2]["content"][0]["text"] == "Two."


def test_refusal__is_a_part_of_its_own() -> None:
    found = told(chunk({"refusal": "N"}), chunk({"refusal": "o."}), chunk(finish="stop"))
    assert found[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert [each["type"] for each in found].count("response.refusal.delta") == 2


@pytest.mark.parametrize(("reason", "why"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_cut_answer__is_incomplete(reason: str, why: str) -> None:
    last = told(chunk({"content": "H"}), chunk(finish=reason))[-1]
    assert (last["type"], last["response"]["incomplete_details"]) == ("response.incomplete", {"reason": why})


def test_usage__stands_in_the_last_event() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = told(chunk({"content": "H"}), chunk(finish="stop"), {"choices": [], "usage": usage})[-1]
    assert last["response"]["usage"]["total_tokens"] == 5


def test_error__is_a_failure_and_the_end() -> None:
    stream = ChatStream(ECHO)
    assert stream.feed({"error": {"code": "rate_limit_exceeded", "message": "Slow"}}) == b""
    assert stream.failure is not None
    assert (stream.failure.code, stream.output) == ("rate_limit_exceeded", False)
    assert stream.feed(chunk({"content": "H"})) == b""


def test_output__begins_with_the_first_word() -> None:
    stream = ChatStream(ECHO)
    stream.feed(chunk({"role": "assistant", "content": ""}))
    assert stream.output is False
    stream.feed(chunk({"content": "H"}))
    assert (stream.output, stream.finish_reason) == (True, "")


@sample(50, deadline=None)
@given(body=answers())
def test_stream__is_the_same_after_there_and_back(body: Json) -> None:
    chunks, _ = streamed([e.data for e in events_of(body, {}) if isinstance(e.data, dict)], include_usage=True)
    made = told(*chunks)
    again = ResponsesStream(ID, created=NOW, include_usage=True)
    back = chunks_of(b"".join(again.feed(each) for each in made))
    assert joined(back) == joined(chunks)
    assert back[-1]["usage"] == chat(body)["usage"]
    Response.model_validate(made[-1]["response"])


@sample(50, deadline=None)
@given(
    chunks=st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "model", "error"]), JUNK), max_size=4),
    deltas=st.lists(st.dictionaries(st.sampled_from(["content", "refusal", "tool_calls"]), JUNK), max_size=4),
)
def test_any_chunks__raise_nothing(chunks: list[Json], deltas: list[Json]) -> None:
    stream = ChatStream(ECHO)
    frames = b"".join(stream.feed(each) for each in [*chunks, *(chunk(delta) for delta in deltas)])
    assert [each["sequence_number"] for each in events(frames)] == list(range(len(events(frames))))


CASES: dict[str, Json] = {
    "text": {"input": "Say hello", "instructions": "Be brief"},
    "cut": {"input": "write 100 words", "max_output_tokens": 70},
    "calls": {
        "input": "call add",
        "tools": [{"type": "function", "name": "add", "parameters": SCHEMA, "strict": False}],
    },
    "shaped": {
        "input": "x",
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object", "properties": {}}}},
    },
    "history": {
        "input": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ]
    },
    "logprobs": {"input": "Say hello", "top_logprobs": 2},
}


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5-mini"])
@pytest.mark.parametrize("name", CASES)
def test_over_the_sandbox__whole_and_streamed_are_the_same(sandbox: SandboxProcess, name: str, model: str) -> None:
    facts = MINI if model == MINI.id else ModelFacts(model, frozenset({"chat"}))
    asked = {"model": model, **CASES[name]}
    echo = Echo(asked, "resp_1", "k", NOW)
    got = raw.post(sandbox.base_url, raw.CHAT, request_for_chat(asked, facts).body)
    assert got.status == 200, got.body
    whole = chat_to_response(got.json, echo)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    frames = raw.post(sandbox.base_url, raw.CHAT, {**request_for_chat(asked, facts).body, **options}).frames
    stream = ChatStream(echo)
    made = events(b"".join([*(stream.feed(json.loads(frame[6:])) for frame in frames[:-1]), stream.end()]))
    for each in made:
        EVENT.validate_python(each)
    parsed, last = Response.model_validate(whole), Response.model_validate(made[-1]["response"])
    assert (last.output_text, last.status) == (parsed.output_text, parsed.status)
    assert [item.type for item in last.output] == [item.type for item in parsed.output]
    assert last.usage is not None
    assert parsed.usage is not None
    assert last.usage.total_tokens == parsed.usage.total_tokens
