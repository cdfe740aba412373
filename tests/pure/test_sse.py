"""Frames: bytes out are bytes in, whatever the stream and however it is cut (faults.md T8, T17)."""

from __future__ import annotations

import re
import time
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.upstream.sse import (
    BOM,
    MAX_FRAME,
    FrameSplitter,
    FrameTooLarge,
    StreamScanner,
    frame_data,
    is_output,
    read_json,
)
from tests.harness.samples import sample

ENDS = (b"\n", b"\r\n", b"\r")


def cut(stream: bytes, borders: list[int]) -> tuple[list[bytes], bytes]:
    """The frames of a stream that arrives in these pieces, and what is left over."""
    splitter = FrameSplitter()
    at = [0, *sorted(border % (len(stream) + 1) for border in borders), len(stream)]
    frames = [frame for i, j in pairwise(at) for frame in splitter.feed(stream[i:j])]
    return frames, splitter.rest


def events(stream: bytes) -> list[bytes]:
    """The data of each event, as the standard for server-sent events says, slow and obvious."""
    found: list[bytes] = []
    data: list[bytes] = []
    for line in re.split(rb"\r\n|\n|\r", stream.removeprefix(BOM)):
        if not line:
            found += [b"\n".join(data)] if any(data) else []
            data = []
        elif line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))
    return found


WORDS = st.sampled_from(
    [b"{}", b"[DONE]", b'{"a": "b c"}', b"data: x", b"event:", b"\xc3\xa9", b"'", b"{", b"}", b"1", b"finish_reason"]
)
TEXT = st.lists(WORDS, min_size=1, max_size=3).map(b" ".join)
LINES = st.one_of(
    TEXT.map(lambda text: b"data: " + text),
    TEXT.map(lambda text: b"data:" + text),
    TEXT.map(lambda text: b": " + text),
    st.sampled_from([b":", b"data:", b"event: message", b"id: 3", b"retry: 10", b"data-not: x"]),
)


@st.composite
def frames_of(draw: st.DrawFn, ends: tuple[bytes, ...]) -> bytes:
    return b"".join(line + draw(st.sampled_from(ends)) for line in draw(st.lists(LINES, max_size=4)))


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames with line ends of one kind or of all, maybe after a byte order mark, and the begin of one more line."""
    ends = draw(st.sampled_from([*((end,) for end in ENDS), ENDS]))
    frames = [frame + draw(st.sampled_from(ends)) for frame in draw(st.lists(frames_of(ends), max_size=5))]
    return draw(st.sampled_from([b"", b"", BOM])) + b"".join(frames) + draw(st.sampled_from([b": end", b"data: {"]))


BORDERS = st.lists(st.integers(0, 400), max_size=12)


@sample(150)
@given(streams(), BORDERS)
def test_splitter__any_stream_in_any_pieces__gives_the_same_bytes_and_events(stream: bytes, borders: list[int]) -> None:
    frames, rest = cut(stream, borders)
    assert b"".join(frames) + rest == stream
    assert (frames, rest) == cut(stream, [])
    assert [data for data in map(frame_data, frames) if data.strip()] == events(stream)


@sample(100)
@given(st.binary(max_size=60), BORDERS)
def test_splitter__any_bytes__come_out_as_they_went_in(stream: bytes, borders: list[int]) -> None:
    frames, rest = cut(stream, borders)
    assert b"".join(frames) + rest == stream


@given(st.lists(st.sampled_from([b"\r", b"\n", b"data: x", b":"]), max_size=14).map(b"".join), BORDERS)
def test_splitter__any_mixture_of_line_ends__finds_the_same_events(stream: bytes, borders: list[int]) -> None:
    stream += b": end"
    frames, rest = cut(stream, borders)
    assert b"".join(frames) + rest == stream
    assert [data for data in map(frame_data, frames) if data] == events(stream)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: 1\n\ndata: 2\n\n", [b"data: 1\n\n", b"data: 2\n\n"]),
        (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"data: 1\r\n\r\n", b"data: 2\r\n\r\n"]),
        (b"data: 1\r\rdata: 2\r\r", [b"data: 1\r\r", b"data: 2\r\r"]),
        (b"data: 1\n\r\n", [b"data: 1\n\r\n"]),
        (b"data: 1\r\n\n", [b"data: 1\r\n\n"]),
        (b"data: 1\n\rdata: 2\n\n", [b"data: 1\n\r", b"data: 2\n\n"]),
        (b"data: 1\r\n\rdata: 2\n\n", [b"data: 1\r\n\r", b"data: 2\n\n"]),
        (b"data: 1\ndata: 2\n\n", [b"data: 1\ndata: 2\n\n"]),
        (b": ping\n\n", [b": ping\n\n"]),
        (b"data: 1\n", []),
        (b"", []),
    ],
)
def test_splitter__each_pair_of_line_ends__closes_a_frame(stream: bytes, expected: list[bytes]) -> None:
    for borders in ([], list(range(len(stream)))):
        assert cut(stream, borders)[0] == expected


def test_splitter__frame_over_ten_megabytes__is_refused_however_it_comes() -> None:
    splitter = FrameSplitter()
    assert list(splitter.feed(b"data: " + b"x" * (MAX_FRAME - 6))) == []
    with pytest.raises(FrameTooLarge):
        list(splitter.feed(b"x"))


def test_splitter__large_frame_in_small_pieces__costs_its_size_once() -> None:
    splitter = FrameSplitter()
    started = time.process_time()
    for _ in range(400):
        assert list(splitter.feed(b"x" * 20_000)) == []
    assert time.process_time() - started < 1
    assert len(splitter.rest) == 8_000_000
    assert list(splitter.feed(b"\n\n: end")) == [b"x" * 8_000_000 + b"\n\n"]
    assert splitter.rest == b": end"


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\r\n\r\n", b"{}"),
        (b"data: {}\r\r", b"{}"),
        (BOM + b"data: {}\n\n", b"{}"),
        (b": ping\n\n", b""),
        (b"\n", b""),
        (b": ping\ndata: {}\n\n", b"{}"),
        (b"event: x\nid: 2\ndata: {}\nretry: 1\n\n", b"{}"),
        (b'data: {"a":\ndata: 1}\n\n', b'{"a":\n1}'),
        (b'data: {"a":\r\ndata: 1}\r\n\r\n', b'{"a":\n1}'),
        (b'data: {"a":\rdata: 1}\r\r', b'{"a":\n1}'),
        (b"data: {}\n: ping\n\n", b"{}"),
        (b"data: {}\r: ping\r\r", b"{}"),
        (b"database: {}\n\n", b""),
    ],
)
def test_frame_data__each_form__is_the_joined_data_lines(frame: bytes, data: bytes) -> None:
    assert frame_data(frame) == data


@pytest.mark.parametrize("data", [b"[DONE]", b"{", b"\xff", b"", b'{"a":' * 5_000 + b"1" + b"}" * 5_000])
def test_read_json__what_is_none__is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each parser words it in its own way
        read_json(data)


@pytest.mark.parametrize(
    ("delta", "output"),
    [
        ({"role": "assistant"}, False),
        ({"role": "assistant", "content": ""}, False),
        ({"role": "assistant", "content": None, "refusal": None, "tool_calls": []}, False),
        ({}, False),
        (None, False),
        ("text", False),
        ({"content": "a"}, True),
        ({"content": " "}, True),
        ({"refusal": "no"}, True),
        ({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}, True),
        ({"function_call": {"name": "f"}}, True),
        ({"reasoning_content": "hm"}, True),
        ({"audio": {"id": "a"}}, True),
    ],
)
def test_is_output__delta__counts_when_it_carries_something(delta: object, output: bool) -> None:
    assert is_output({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) == output
    assert is_output({"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]})
    assert is_output({"choices": [None, {"index": 1, "delta": delta}]}) == output


@pytest.mark.parametrize("choices", [None, [], 5, "text", {"delta": {"content": "a"}}, [5], ["x"], True])
def test_is_output__odd_choices__are_none(choices: object) -> None:
    assert not is_output({"choices": choices})
    assert not is_output({"usage": {"prompt_tokens": 1}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["choices", "delta", "finish_reason", "index", "error", "usage"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_scanner__any_json__does_no_harm(value: object) -> None:
    for event in (value, {"choices": value}, {"choices": [value]}, {"usage": value}, {"error": value}):
        frame = b"data: " + orjson.dumps(event) + b"\n\n"
        scanner = StreamScanner()
        assert scanner.keep(frame) in (True, False)
        assert not isinstance(event, dict) or is_output(event) in (True, False)
        assert not scanner.done
