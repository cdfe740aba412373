"""What a caller gets of a stream that comes in parts: the very scanners of the dispatch, without its connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from iwrouting.upstream.scanner import Scanner
from iwrouting.upstream.sse import FrameSplitter, frame_data
from tests.fuzz.truth import readable

ID, NOW = "chatcmpl-1", 1_700_000_000


def relayed(scanner: Scanner, parts: Iterable[bytes]) -> bytes:
    """The frames for the caller up to the stream's end, the terminal ones left out."""
    splitter, out = FrameSplitter(), []
    for frame in (frame for part in parts for frame in splitter.feed(part)):
        out.append(scanner.take(frame))
        scanner.shows_output(frame)
        if scanner.done or scanner.failure is not None:
            break
    assert scanner.number >= 0
    return b"".join(out)


def data_of(out: bytes) -> list[bytes]:
    """The JSON of frames that we wrote, comments left out; each frame is whole."""
    assert not out or out.endswith(b"\n\n")
    frames = [frame for frame in out.split(b"\n\n") if frame and not frame.startswith(b":")]
    found = [frame.split(b"\n")[-1] for frame in frames]
    assert all(line.startswith(b"data: {") and b"\r" not in line for line in found)
    return [line[6:] for line in found]


def received(parts: Iterable[bytes]) -> list[Any]:
    """All JSON of a stream, read without the scanners."""
    splitter = FrameSplitter()
    return [readable(frame_data(frame)) for part in parts for frame in splitter.feed(part)]
