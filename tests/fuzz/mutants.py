"""Mutations of what is valid: of values inside JSON, of a stream's events, of its bytes, of how they are cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.sandbox.test_fuzz import changed, places

Json = dict[str, Any]


DEEP = re.compile(rb'"@deep(\d+)@"')
"""Stands for a value nested so deep until the JSON is written: Python's own tools would not survive it."""


HOSTILE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**40, -(10**40)]),
    st.sampled_from([0.5, -1.5, 1e308, float("nan"), float("inf")]),
    st.sampled_from(
        ["", "x", "\x00", "\ud800", "\udc00x", "\r\n\r\n", "data: [DONE]\n\n", '"finish_reason": "stop"', "\u2028", "é"]
    ),
    st.sampled_from(["stop", "length", "completed", "failed", "in_progress", "function_call", "message", "error"]),
    st.sampled_from([[], {}, [None], [[]], {"x": None}, ["x"], {"type": "output_text"}, {"message": "no"}]),
    st.sampled_from([5, 120, 240, 260, 600, 1010, 1100]).map("@deep{}@".format),
)
NESTED = b'[{"deep":'


def one_of(draw: st.DrawFn, seeds: Sequence[Any]) -> Any:
    """One of the seeds, chosen by its place: their own text would be too long to show."""
    return seeds[draw(st.integers(0, len(seeds) - 1))]


@st.composite
def mutated(draw: st.DrawFn, seeds: Callable[[], list[Any]], most: int = 3) -> Any:
    """One of the seeds with up to `most` places changed or removed."""
    value = one_of(draw, seeds())
    for _ in range(draw(st.integers(0, most))):
        found: list[tuple[Any, ...]] = places(value)
        if not found:
            break
        path = one_of(draw, found)
        value = removed(value, path) if draw(st.booleans()) else changed(value, path, draw(HOSTILE))
    return value


def removed(body: Any, path: tuple[Any, ...]) -> Any:
    """A copy without one member or item."""
    whole = changed(body, path, None)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    inner.pop(path[-1])
    return whole


@st.composite
def reordered(draw: st.DrawFn, seeds: Callable[[], list[list[bytes]]]) -> list[bytes]:
    """One of the recorded streams with frames dropped, doubled, swapped, cut off, or changed inside."""
    frames = list(one_of(draw, seeds()))
    for _ in range(draw(st.integers(0, 4))):
        if not frames:
            break
        at = draw(st.integers(0, len(frames) - 1))
        how = draw(st.sampled_from(["drop", "double", "swap", "cut", "change", "change", "insert"]))
        if how == "drop":
            frames.pop(at)
        elif how == "double":
            frames.insert(draw(st.integers(0, len(frames))), frames[at])
        elif how == "swap":
            frames.append(frames.pop(at))
        elif how == "cut":
            del frames[at:]
        elif how == "insert":
            frames.insert(at, draw(st.sampled_from(STRANGE)))
        else:
            frames[at] = draw(changed_frame(frames[at]))
    return frames


STRANGE = [
    b": comment\n\n",
    b"data: [DONE]\n\n",
    b"data:[DONE]\r\n\r\n",
    b"data: {\n\n",
    b"data: null\n\n",
    b"data: [1]\n\n",
    b"\n\n",
    b"event: error\ndata: {}\n\n",
    b"id: 7\nretry: 10\n\n",
    b'data: {"error": {"message": "no", "code": "server_error"}}\n\n',
    b'data: {"error": "no"}\n\n',
    b'data: {"type":\ndata: "keepalive"}\n\n',
    b"\xef\xbb\xbfdata: {}\n\n",
    b"data: \xff\xfe\n\n",
]


@st.composite
def changed_frame(draw: st.DrawFn, frame: bytes) -> bytes:
    """A frame with other values inside its JSON."""
    event = event_in(frame)
    if event is None:
        return frame
    made = draw(mutated(lambda: [event], 2))
    kind = made.get("type") if isinstance(made, dict) else None
    head = f"event: {kind}\n".encode() if isinstance(kind, str) and kind.isprintable() and kind.isascii() else b""
    return head + b"data: " + written(made, draw(st.booleans())) + b"\n\n"


def written(value: Any, ascii_only: bool = True) -> bytes:
    """JSON as Python writes it, NaN and halves of surrogate pairs included."""
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "backslashreplace")
    return DEEP.sub(lambda found: nested(int(found[1])), data)


def nested(depth: int) -> bytes:
    """A value nested so deep."""
    return NESTED * (depth // 2) + b'"x"' + b"}]" * (depth // 2)


def event_in(frame: bytes) -> Any:
    """The JSON of a frame; None for one that has none, or was nested deep."""
    _, found, data = frame.partition(b"data: ")
    if not found or not data.startswith(b"{") or NESTED in data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return None


@st.composite
def in_bytes(draw: st.DrawFn, seeds: Callable[[], list[list[bytes]]]) -> list[bytes]:
    """A mutated stream as the parts in which it comes: other line ends, bytes changed, cut anywhere."""
    data = b"".join(draw(reordered(seeds)))
    ends = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"]))
    data = data.replace(b"\r\n", b"\n").replace(b"\n", ends)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        how = draw(st.sampled_from(["cut", "flip", "insert"]))
        if how == "cut":
            data = data[:at]
        elif how == "flip":
            data = data[:at] + draw(st.binary(min_size=1, max_size=1)) + data[at + 1 :]
        else:
            data = (
                data[:at] + draw(st.sampled_from([b"\n", b"\r", b"\x00", b"\n\n", b'"', b"{", b"data: "])) + data[at:]
            )
    return [*pieces(data, draw(st.lists(st.integers(0, len(data)), max_size=6)))]


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """Data cut at these places."""
    at = 0
    for cut in sorted(cuts):
        yield data[at:cut]
        at = cut
    yield data[at:]
