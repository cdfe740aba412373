"""Tool-call deltas and all that stands around them reach the caller byte for byte (faults T17, U23)."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iwrouting.upstream.sse import BOM, DONE, FrameSplitter, StreamScanner
from tests.harness.samples import sample

Event = dict[str, Any]
ENDS = (b"\n", b"\r\n", b"\r")
BETWEEN = (b": ping", b":", b": OPENROUTER PROCESSING", b"event: ping\ndata:", b"retry: 10", b"id: 7")

ARGUMENTS = st.sampled_from(
    ['{"', 'a\\"b', "\u2028", "Köln", "}", '"finish_reason":"stop"', "[DONE]", "data: x\n\n", ""]
)
INDEXES: st.SearchStrategy[Event] = st.sampled_from(
    [{}, {"index": 0}, {"index": 0}, {"index": 1}, {"index": "0"}, {"index": None}, {"index": -1}]
)
HEADS: st.SearchStrategy[Event] = st.sampled_from([{}, {"id": "call_1", "type": "function"}, {"id": ""}, {"id": None}])


@st.composite
def calls(draw: st.DrawFn) -> Event:
    """One delta of a call."""
    return {**draw(INDEXES), **draw(HEADS), "function": {"arguments": draw(ARGUMENTS)}}


PADDINGS: st.SearchStrategy[Event] = st.sampled_from([{}, {"obfuscation": "aB3"}, {"usage": None}])
DELTAS: st.SearchStrategy[Event] = st.one_of(
    st.lists(calls(), min_size=1, max_size=3).map(lambda made: {"tool_calls": made}),
    ARGUMENTS.map(lambda text: {"content": text}),
    ARGUMENTS.map(lambda text: {"function_call": {"arguments": text}}),
    st.just({"role": "assistant", "content": None}),
)


@st.composite
def chunks(draw: st.DrawFn) -> Event:
    """A chunk with one to three choices; some have no index, no finish reason, or none that counts."""
    choices = [
        {**draw(INDEXES), "delta": draw(DELTAS), "finish_reason": draw(st.sampled_from([None, None, "", "tool_calls"]))}
        for _ in range(draw(st.integers(1, 3)))
    ]
    padding = draw(PADDINGS)
    return {"id": draw(st.sampled_from(["c1", "", None])), "choices": choices, **padding}


@st.composite
def framed(draw: st.DrawFn, event: Event) -> bytes:
    """An event as a frame: on one line or over several, with any line end, with fields and comments around it."""
    end = draw(st.sampled_from(ENDS))
    indent = draw(st.sampled_from([None, None, 1]))
    lines = json.dumps(event, indent=indent, ensure_ascii=draw(st.booleans())).encode().split(b"\n")
    prefix = draw(st.sampled_from([b"data: ", b"data:"]))
    around = draw(st.sampled_from([b"", b"", b"event: message" + end, b": note" + end, b"id: 1" + end]))
    return around + end.join(prefix + line for line in lines) + end + end


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A stream, and what the caller must get of it: all but the usage that nobody asked for and the terminal marker."""
    wanted = draw(st.sampled_from([b"", b"", BOM]))
    stream = wanted
    for event in draw(st.lists(chunks(), min_size=1, max_size=6)):
        piece = draw(framed(event))
        if draw(st.booleans()):
            piece += draw(st.sampled_from(BETWEEN)) + b"\n\n"
        stream, wanted = stream + piece, wanted + piece
    usage = draw(framed({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}))
    return stream + usage + DONE, wanted


@sample(50, deadline=None)
@given(streams(), st.lists(st.integers(0, 3_000), max_size=12))
def test_any_deltas_in_any_pieces__come_out_as_they_went_in(given: tuple[bytes, bytes], borders: list[int]) -> None:
    stream, wanted = given
    splitter, scanner = FrameSplitter(), StreamScanner()
    at = [0, *sorted(border % (len(stream) + 1) for border in borders), len(stream)]
    relayed = b"".join(scanner.take(frame) for i, j in pairwise(at) for frame in splitter.feed(stream[i:j]))
    assert relayed == wanted
    assert (scanner.done, scanner.failure) == (True, None)
    assert scanner.usage is not None
