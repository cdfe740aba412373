"""Any bytes as a Responses stream: chat chunks or a failure, never an exception, never a word of our own (2d, T8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from pydantic import TypeAdapter

from iwrouting.upstream.sse import FrameSplitter, frame_data
from iwrouting.upstream.translate import ResponsesStream, TranslatingScanner
from tests.fuzz.campaign import examples
from tests.fuzz.mutants import in_bytes, reordered
from tests.fuzz.recorded import responses_streams
from tests.fuzz.truth import counts, faults, leaves, readable, said, texts

CHUNK = TypeAdapter(ChatCompletionChunk)
ID, NOW = "chatcmpl-1", 1_700_000_000
PASSED_ON = ("service_tier", "moderation")
"""What is handed on as it came; the rest is ours to make well."""

PARTS = in_bytes(responses_streams)


def translated(parts: Iterable[bytes], usage: bool) -> tuple[TranslatingScanner, list[Any]]:
    """What a caller gets of a stream that comes in parts, up to its end."""
    scanner = TranslatingScanner(ResponsesStream(ID, NOW, include_usage=usage))
    splitter, out = FrameSplitter(), b""
    for frame in (frame for part in parts for frame in splitter.feed(part)):
        out += scanner.take(frame)
        scanner.shows_output(frame)
        if scanner.done or scanner.failure is not None:
            break
    return scanner, chunks(out)


def chunks(out: bytes) -> list[bytes]:
    """The chunks of frames, comments left out; each frame is whole."""
    assert not out or out.endswith(b"\n\n")
    found = [frame for frame in out.split(b"\n\n") if frame and not frame.startswith(b":")]
    assert all(frame.startswith(b"data: {") and b"\n" not in frame and b"\r" not in frame for frame in found)
    return [frame[6:] for frame in found]


def received(parts: list[bytes]) -> list[Any]:
    """All JSON of a stream, read without the translator."""
    splitter = FrameSplitter()
    return [readable(frame_data(frame)) for part in parts for frame in splitter.feed(part)]


@examples(150)
@given(parts=PARTS, usage=st.booleans())
def test_any_bytes__make_valid_chunks_or_a_failure(parts: list[bytes], usage: bool) -> None:
    scanner, found = translated(parts, usage)
    for chunk in found:
        assert [fault for fault in faults(CHUNK, chunk) if not fault.startswith(PASSED_ON)] == []
    assert not (scanner.done and scanner.failure)
    assert scanner.whole == scanner.done == bool(scanner.finish_reason)


@examples(150)
@given(parts=PARTS, usage=st.booleans())
def test_any_bytes__invent_nothing(parts: list[bytes], usage: bool) -> None:
    scanner, found = translated(parts, usage)
    given_ = received(parts)
    known = texts(given_)
    numbers = {each for each in leaves(given_) if type(each) is int}
    made = [readable(chunk) for chunk in found]
    assert all(chunk["id"] == ID for chunk in made)
    assert {text for chunk in made for text in said(chunk)} <= known
    for chunk in made:
        usage_made = chunk.get("usage") or {}
        total = usage_made.get("prompt_tokens", 0) + usage_made.get("completion_tokens", 0)
        assert counts(usage_made) <= numbers | {total}
    if scanner.whole:
        assert {"response.completed", "response.incomplete"} & known


@examples(80)
@given(frames=reordered(responses_streams), cuts=st.lists(st.integers(1, 400), max_size=8))
def test_cuts_between_bytes__change_nothing(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    at = [sum(cuts[:n]) for n in range(1, len(cuts) + 1)]
    parts = [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]
    whole, pieces = translated([data], True), translated(parts, True)
    assert whole[1] == pieces[1]
    assert (whole[0].whole, whole[0].usage) == (pieces[0].whole, pieces[0].usage)


def test_recorded_streams__are_whole_and_valid() -> None:
    for frames in responses_streams():
        scanner, found = translated(frames, True)
        assert scanner.whole
        assert [faults(CHUNK, chunk) for chunk in found] == [[]] * len(found)
        assert orjson.loads(found[-1])["choices"] == []


def test_the_truth_would_tell() -> None:
    assert faults(CHUNK, b'{"id": 1}')
    assert not {*said({"choices": [{"delta": {"content": "made up"}}]})} <= texts({"delta": "said"})
    assert counts({"a": 5, "b": [True, "7", 2.5]}) == {5}
