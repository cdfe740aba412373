"""Server-sent events as bytes: whole frames, relayed as they came (openai-facts.md 3).

Each is read on its way: with orjson that costs less than to search it for what would make it worth reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from iwrouting.types import Usage
from iwrouting.upstream.delivered import chat_text
from iwrouting.upstream.failures import Failure, bad_answer, in_band
from iwrouting.upstream.usage import read_usage

MAX_FRAME = 10_000_000
BOM = b"\xef\xbb\xbf"
DONE = b"data: [DONE]\n\n"
HEARTBEAT = b": heartbeat\n\n"
KEEPALIVES = (b":", b"event: keepalive", b'data: {"type":"keepalive"', b'data: {"type": "keepalive"')
"""How frames begin that are signs of life and no output (openai-facts.md 3)."""

_BOUNDARY = re.compile(rb"\r\r|\n\n|\n\r(?:\n|(?=[^\n]))")
"""The end of a frame: two line ends of CR LF, LF or CR. A last CR waits for the byte that may belong to it."""

_OVERLAP = 2
"""How many bytes of a boundary can stand before the piece that completes it."""


class FrameTooLarge(Exception):
    """One frame is larger than MAX_FRAME bytes."""


class FrameSplitter:
    """Cuts a byte stream into frames with their blank line; nothing is added, dropped or changed."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._tail = b""

    @property
    def rest(self) -> bytes:
        """What came after the last blank line."""
        return b"".join((*self._parts, self._tail))

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The frames that this chunk completes; take them all before the next chunk. Raises FrameTooLarge."""
        data = self._tail + chunk
        start = 0
        for match in _BOUNDARY.finditer(data):
            yield self._joined(data[start : match.end()])
            start = match.end()
        self._hold(data[start:])
        if self._size + len(self._tail) > MAX_FRAME:
            raise FrameTooLarge

    def _joined(self, end: bytes) -> bytes:
        if not self._parts:
            return end
        frame = b"".join((*self._parts, end))
        self._parts.clear()
        self._size = 0
        return frame

    def _hold(self, data: bytes) -> None:
        """Keep a beginning in pieces: joined and searched anew for each chunk, a large one would stall the loop."""
        if len(data) > _OVERLAP:
            self._parts.append(data[:-_OVERLAP])
            self._size += len(data) - _OVERLAP
        self._tail = data[-_OVERLAP:]


def frame_data(frame: bytes) -> bytes:
    """The joined `data` lines of a frame; empty for comments and keep-alives."""
    line = frame.rstrip(b"\r\n")
    if line.startswith(b"data:") and b"\n" not in line and b"\r" not in line:
        return line[5:].strip()
    lines = frame.removeprefix(BOM).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))


def read_json(data: bytes) -> object:
    """JSON as providers write it, half a surrogate pair that was cut between two deltas too. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None


def is_keepalive(frame: bytes) -> bool:
    """Whether a frame says nothing but that the provider is there."""
    return frame.startswith(KEEPALIVES) and (frame[:1] != b":" or frame_data(frame) == b"")


def is_output(event: dict[str, Any]) -> bool:
    """Whether a chat chunk carries output: text, a refusal, tool calls, audio, or the end of a choice."""
    for choice in _choices(event):
        delta = choice.get("delta")
        if choice.get("finish_reason") or (isinstance(delta, dict) and _carries(delta)):
            return True
    return False


def _choices(event: dict[str, Any]) -> list[dict[str, Any]]:
    choices = event.get("choices")
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


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
    response_id: str = ""
    number: int = 0
    done: bool = False
    error: dict[str, Any] | None = None
    malformed: bool = False
    finished: set[int] = field(default_factory=set)
    text_bytes: int = field(default=0, compare=False)
    _output: bool = field(default=False, compare=False)
    _tier: str = field(default="", compare=False)

    @property
    def whole(self) -> bool:
        """Whether every choice has its `finish_reason` (G2)."""
        return len(self.finished) >= self.choices

    @property
    def terminal(self) -> bytes:
        """What ends a whole stream."""
        return DONE

    @property
    def failure(self) -> Failure | None:
        """What the error in band means. An event that can't be read is one too: what it held is lost."""
        if self.malformed:
            return bad_answer("bad_event", 200)
        return None if self.error is None else in_band(self.error)

    def take(self, frame: bytes) -> bytes:
        """What reaches the caller of a frame: the frame as it came, or nothing."""
        return frame if self.keep(frame) else b""

    def shows_output(self, frame: bytes) -> bool:
        """Whether any frame so far carried output."""
        return self._output

    def keep(self, frame: bytes) -> bool:
        """Look at a frame; False for one that must not reach the caller."""
        data = frame_data(frame)
        if data == b"[DONE]":
            self.done = True
            return False
        try:
            event = read_json(data) if data else None
        except ValueError:
            # Once every choice has ended nothing can be lost any more.
            self.malformed = not self.whole
            return False
        return self._look(event) if isinstance(event, dict) else True

    def _look(self, event: dict[str, Any]) -> bool:
        if error := event.get("error"):
            self.error = error if isinstance(error, dict) else {"message": error}
            return False
        self._output = self._output or is_output(event)
        self.text_bytes += chat_text(event)
        for choice in _choices(event):
            reason = choice.get("finish_reason")
            if reason and isinstance(reason, str):
                self.finish_reason = reason
                index = choice.get("index")
                self.finished.add(index if isinstance(index, int) else 0)
        tier = event.get("service_tier")
        self._tier = tier if isinstance(tier, str) and tier else self._tier
        usage = read_usage(event)
        # Some providers name the tier in earlier chunks alone; priced as the default one, it would be a wrong cost.
        self.usage = replace(usage, service_tier=self._tier) if usage else self.usage
        return self.keep_usage or usage is None or bool(event.get("choices"))
