"""Watches a Responses stream on its way to a chat caller, as StreamScanner watches a chat stream. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.types import Usage
from iwrouting.upstream.delivered import responses_text
from iwrouting.upstream.failures import Failure, bad_answer
from iwrouting.upstream.sse import DONE
from iwrouting.upstream.translate.stream import ResponsesStream
from iwrouting.upstream.translate.wire import event_of


@dataclass(slots=True)
class TranslatingScanner:
    """Turns frames of events into frames of chunks."""

    stream: ResponsesStream
    malformed: bool = False
    text_bytes: int = 0
    number: int = 0

    @property
    def usage(self) -> Usage | None:
        """The usage that the terminal event reported."""
        return self.stream.usage

    @property
    def finish_reason(self) -> str:
        """Why the choice ended, or an empty string."""
        return self.stream.finish_reason

    @property
    def response_id(self) -> str:
        """The provider's id of the response."""
        return self.stream.response_id

    @property
    def done(self) -> bool:
        """Whether the terminal event came."""
        return self.stream.finished

    @property
    def whole(self) -> bool:
        """Whether the provider ended the answer as whole (G2)."""
        return self.stream.finished

    @property
    def terminal(self) -> bytes:
        """What ends a whole stream."""
        return DONE

    @property
    def failure(self) -> Failure | None:
        """What the provider's error means. An event that can't be read is one too: what it held is lost."""
        return bad_answer("bad_event", 200) if self.malformed else self.stream.failure

    def take(self, frame: bytes) -> bytes:
        """What reaches the caller of a frame: its chunks, or nothing."""
        try:
            event = event_of(frame)
        except ValueError:
            # After the end nothing can be lost any more.
            self.malformed = not self.stream.finished
            return b""
        if event is None or self.malformed:
            return b""
        self.text_bytes += responses_text(event)
        return self.stream.feed(event)

    def shows_output(self, frame: bytes) -> bool:
        """Whether any frame so far carried output."""
        return self.stream.output
