"""Watches a chat stream on its way to a Responses caller. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.types import Usage
from iwrouting.upstream.delivered import chat_text
from iwrouting.upstream.failures import Failure, bad_answer
from iwrouting.upstream.sse import frame_data
from iwrouting.upstream.translate.reverse.stream import ChatStream
from iwrouting.upstream.translate.wire import event_of

MAX_KEPT = 128 * 1024 * 1024
"""Bytes of frames, as of a whole answer: the last events repeat all of it, so it is kept until then."""


@dataclass(slots=True)
class ReverseScanner:
    """Turns frames of chunks into frames of events. `response_id`: chat has none of the provider's."""

    stream: ChatStream
    done: bool = False
    malformed: bool = False
    response_id: str = ""
    text_bytes: int = 0
    _size: int = 0
    _last: bytes = b""

    @property
    def usage(self) -> Usage | None:
        """The usage that a chunk reported."""
        return self.stream.usage

    @property
    def finish_reason(self) -> str:
        """Why the choice ended, or an empty string."""
        return self.stream.finish_reason

    @property
    def whole(self) -> bool:
        """Whether the choice has its `finish_reason` (G2)."""
        return bool(self.stream.finish_reason)

    @property
    def failure(self) -> Failure | None:
        """What the provider's error means. A chunk that can't be read is one too: what it held is lost."""
        if self._size > MAX_KEPT:
            return bad_answer("too_large", 200)
        return bad_answer("bad_event", 200) if self.malformed else self.stream.failure

    @property
    def number(self) -> int:
        """The sequence number of the next event."""
        return self.stream.number

    def take(self, frame: bytes) -> bytes:
        """What reaches the caller of a frame: its events, or nothing."""
        if self.done or self.failure is not None:
            return b""
        if frame_data(frame) == b"[DONE]":
            self.done = True
            return b""
        try:
            chunk = event_of(frame)
        except ValueError:
            # After the end nothing can be lost any more.
            self.malformed = not self.whole
            return b""
        self._size += len(frame)
        if chunk is None or self._size > MAX_KEPT:
            return b""
        self.text_bytes += chat_text(chunk)
        return self.stream.feed(chunk)

    def shows_output(self, frame: bytes) -> bool:
        """Whether any frame so far carried output."""
        return self.stream.output

    @property
    def terminal(self) -> bytes:
        """The last events."""
        self._last = self._last or self.stream.end()
        return self._last
