"""Any bytes as a stream, through every scanner: valid frames or a failure, never an exception or a word of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from iwrouting.upstream.responses import ResponsesScanner
from iwrouting.upstream.scanner import Scanner
from iwrouting.upstream.sse import StreamScanner
from iwrouting.upstream.translate import ResponsesStream, TranslatingScanner
from iwrouting.upstream.translate.reverse import ChatStream, Echo
from iwrouting.upstream.translate.reverse.scanner import ReverseScanner
from tests.fuzz.campaign import examples
from tests.fuzz.mutants import in_bytes, reordered
from tests.fuzz.recorded import chat_streams, responses_streams
from tests.fuzz.streams import ID, NOW, data_of, received, relayed
from tests.fuzz.truth import counts, faults, leaves, readable, said, texts

CHUNK: TypeAdapter[Any] = TypeAdapter(ChatCompletionChunk)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
REQUEST = {"model": "fast", "input": "Hi", "temperature": 0.5}
PASSED_ON = ("service_tier", "moderation")
"""What is handed on as it came; the rest is ours to make well."""

EVENTS, CHUNKS = in_bytes(responses_streams), in_bytes(chat_streams)


def to_chat(usage: bool = True) -> TranslatingScanner:
    return TranslatingScanner(ResponsesStream(ID, NOW, include_usage=usage))


def to_responses() -> ReverseScanner:
    return ReverseScanner(ChatStream(Echo(REQUEST, "resp_1", "k", NOW)))


def ours(fault: str) -> bool:
    """Whether what is wrong with a frame is of our making."""
    return not any(f"{name}." in fault or f"{name}:" in fault for name in PASSED_ON)


def check_chunks(scanner: TranslatingScanner, parts: list[bytes]) -> None:
    """Chunks of the SDK's type, all of one id; texts and counts from the input alone; whole only after a terminal."""
    given_ = received(parts)
    known, numbers = texts(given_), counts(given_)
    for data in data_of(relayed(scanner, parts)):
        assert [fault for fault in faults(CHUNK, data) if ours(fault)] == []
        chunk = readable(data)
        assert chunk["id"] == ID
        assert {*said(chunk)} <= known
        usage = chunk.get("usage") or {}
        total = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
        assert counts(usage) <= numbers | {total}
    assert not (scanner.done and scanner.failure)
    assert scanner.whole == scanner.done == bool(scanner.finish_reason)
    assert not scanner.whole or {"response.completed", "response.incomplete"} & known


@examples(150)
@given(parts=EVENTS, usage=st.booleans())
def test_responses_to_chat__any_bytes__make_valid_chunks_and_invent_nothing(parts: list[bytes], usage: bool) -> None:
    check_chunks(to_chat(usage), parts)


@examples(60)
@given(parts=CHUNKS)
def test_responses_to_chat__of_a_chat_stream__never_becomes_whole(parts: list[bytes]) -> None:
    check_chunks(scanner := to_chat(), parts)
    assert not scanner.whole


def check_events(scanner: ReverseScanner, parts: list[bytes]) -> None:
    """Events of the SDK's type, numbered without gaps; deltas from the input, `.done` the sum of its deltas."""
    given_ = received(parts)
    known, numbers = texts(given_), counts(given_)
    out = relayed(scanner, parts)
    if scanner.whole and scanner.failure is None:
        out += scanner.terminal
        assert any(isinstance(each, dict) and "finish_reason" in str(each) for each in given_)
    sums: dict[tuple[Any, ...], str] = {}
    for number, data in enumerate(data_of(out)):
        assert [fault for fault in faults(EVENT, data) if ours(fault)] == []
        event = readable(data)
        assert event["sequence_number"] == number
        place = (event.get("output_index"), event.get("content_index"), event["type"].rpartition(".")[0])
        if event["type"].endswith(".delta"):
            assert event["delta"] in known
            sums[place] = sums.get(place, "") + event["delta"]
        elif event["type"].endswith(("text.done", "refusal.done", "arguments.done")):
            whole = event.get("text", event.get("refusal", event.get("arguments")))
            assert whole == sums.get(place, "")
        usage = (event.get("response") or {}).get("usage") or {}
        total = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
        assert counts(usage) <= numbers | {total, 0}


@examples(120)
@given(parts=CHUNKS)
def test_chat_to_responses__any_bytes__make_valid_events_and_invent_nothing(parts: list[bytes]) -> None:
    check_events(to_responses(), parts)


@examples(40)
@given(parts=EVENTS)
def test_chat_to_responses__of_a_responses_stream__never_becomes_whole(parts: list[bytes]) -> None:
    check_events(scanner := to_responses(), parts)
    assert not scanner.whole


def within(out: bytes, data: bytes) -> bool:
    """Whether frames are those of the input, in order, byte for byte."""
    at = 0
    for frame in data.split(b"\n\n"):
        if out[at:].startswith(frame + b"\n\n"):
            at += len(frame) + 2
    return at == len(out)


@examples(100)
@given(frames=reordered(chat_streams) | reordered(responses_streams), choices=st.integers(1, 2), usage=st.booleans())
def test_chat_relay__any_frames__are_handed_on_byte_for_byte_or_left_out(
    frames: list[bytes], choices: int, usage: bool
) -> None:
    scanner = StreamScanner(choices=choices, keep_usage=usage)
    data = b"".join(frames)
    assert within(relayed(scanner, [data]).replace(b"\r\n\r\n", b"\n\n"), data.replace(b"\r\n\r\n", b"\n\n"))
    ends = [each for each in leaves(received([data])) if each in ("stop", "length", "tool_calls", "content_filter")]
    assert not scanner.whole or len(ends) >= choices


@examples(100)
@given(frames=reordered(responses_streams) | reordered(chat_streams), at_once=st.booleans())
def test_responses_relay__any_frames__are_handed_on_byte_for_byte_or_left_out(
    frames: list[bytes], at_once: bool
) -> None:
    scanner = ResponsesScanner(at_once=at_once)
    data = b"".join(frames)
    assert within(relayed(scanner, [data]).replace(b"\r\n\r\n", b"\n\n"), data.replace(b"\r\n\r\n", b"\n\n"))
    assert not (scanner.done and scanner.failure)
    ends = {"response.completed", "response.incomplete", "response.cancelled"}
    assert not scanner.whole or (scanner.terminal in data and ends & texts(received([scanner.terminal])))


SCANNERS: dict[str, Callable[[], Scanner]] = {
    "chat": StreamScanner,
    "responses": ResponsesScanner,
    "responses to chat": to_chat,
    "chat to responses": to_responses,
}


@pytest.mark.parametrize("name", SCANNERS)
@examples(40)
@given(frames=reordered(responses_streams) | reordered(chat_streams), cuts=st.lists(st.integers(1, 400), max_size=8))
def test_cuts_between_bytes__change_nothing(name: str, frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    at = [sum(cuts[:n]) for n in range(1, len(cuts) + 1)]
    parts = [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]
    one, other = SCANNERS[name](), SCANNERS[name]()
    assert relayed(one, [data]) == relayed(other, parts)
    assert (one.whole, one.usage, one.failure) == (other.whole, other.usage, other.failure)


def test_recorded_streams__are_whole_and_valid() -> None:
    for scanner, kind, streams in ((to_chat, CHUNK, responses_streams()), (to_responses, EVENT, chat_streams())):
        for frames in streams:
            found = scanner()
            out = relayed(found, frames)
            assert found.whole
            for data in data_of(out if kind is CHUNK else out + found.terminal):
                assert faults(kind, data) == []


def test_the_truth_would_tell() -> None:
    assert faults(CHUNK, b'{"id": 1}')
    assert not {*said({"choices": [{"delta": {"content": "made up"}}]})} <= texts({"delta": "said"})
    assert counts({"a": 5, "b": [True, "7", 2.5]}) == {5}
    assert not within(b"a\n\nc\n\n", b"a\n\nb\n\n")
    assert json.loads(data_of(b'event: x\ndata: {"a": 1}\n\n')[0]) == {"a": 1}
