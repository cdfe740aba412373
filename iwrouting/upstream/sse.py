"""Server-sent events as bytes: whole frames, relayed as they came, parsed only where it matters (openai-facts.md 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from iwrouting.types import Usage
from iwrouting.upstream.usage import read_usage

MAX_FRAME = 10_000_000
DONE = b"data: [DONE]\n\n"
_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n")
_TELLING = re.compile(rb'"finish_reason"\s*:\s*"|"error"\s*:|"usage"\s*:\s*\{|\[DONE\]')


class FrameTooLarge(Exception):
    """One frame is larger than MAX_FRAME bytes."""


class FrameSplitter:
    """Cuts a byte stream into frames with their blank line; nothing is added, dropped or changed."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """What came after the last blank line."""
        return self._rest

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The frames that this chunk completes. Raises FrameTooLarge."""
        data = self._rest + chunk if self._rest else chunk
        start = 0
        for match in _BOUNDARY.finditer(data, 0):
            # A chunk that ends inside CR LF CR LF must not be cut at the bare CR.
            if match.end() == len(data) and match.group() == b"\r\r":
                break
            yield data[start : match.end()]
            start = match.end()
        self._rest = data[start:]
        if len(self._rest) > MAX_FRAME:
            raise FrameTooLarge


def frame_data(frame: bytes) -> bytes:
    """The joined `data` lines of a frame; empty for comments and keep-alives."""
    if frame.startswith(b"data:") and frame.count(b"\n") <= 2:
        return frame[5:].strip()
    lines = frame.lstrip(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))


def parse_frame(frame: bytes) -> dict[str, Any] | None:
    """The JSON object of a frame, or None."""
    try:
        parsed = orjson.loads(frame_data(frame))
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def is_output(event: dict[str, Any]) -> bool:
    """Whether a chat chunk carries output: text, a refusal, tool calls, audio, or the end of a choice."""
    for choice in event.get("choices") or ():
        if not isinstance(choice, dict):
            continue
        delta = choice.get("delta")
        if choice.get("finish_reason") or (isinstance(delta, dict) and _carries(delta)):
            return True
    return False


def _carries(delta: dict[str, Any]) -> bool:
    return any(value not in (None, "", []) for name, value in delta.items() if name != "role")


@dataclass(slots=True)
class StreamScanner:
    """Watches frames on their way: ends of choices, usage, errors in band, the terminal marker.

    `choices` is how many the caller asked for (`n`); `keep_usage`: the caller asked for the usage chunk.
    """

    choices: int = 1
    keep_usage: bool = False
    usage: Usage | None = None
    finish_reason: str = ""
    done: bool = False
    error: dict[str, Any] | None = None
    finished: set[int] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        """Whether every choice has its `finish_reason` (G2)."""
        return len(self.finished) >= self.choices

    def keep(self, frame: bytes) -> bool:
        """Look at a frame; False for one that must not reach the caller."""
        if _TELLING.search(frame) is None:
            return True
        if frame_data(frame) == b"[DONE]":
            self.done = True
            return False
        event = parse_frame(frame)
        return True if event is None else self._look(event)

    def _look(self, event: dict[str, Any]) -> bool:
        error = event.get("error")
        if isinstance(error, dict):
            self.error = error
            return False
        for choice in event.get("choices") or ():
            if isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str):
                self.finish_reason = choice["finish_reason"]
                index = choice.get("index")
                self.finished.add(index if isinstance(index, int) else 0)
        usage = read_usage(event)
        self.usage = usage or self.usage
        return self.keep_usage or usage is None or bool(event.get("choices"))
