"""What the relay of a stream asks of whoever watches its frames, whatever the two APIs on its sides."""

from __future__ import annotations

from typing import Protocol

from iwrouting.types import Usage
from iwrouting.upstream.failures import Failure


class Scanner(Protocol):
    """What watches the frames of one stream on their way to the caller, and may turn them into others.

    `done`: the stream has said its last word. `whole`: the provider ended the answer as whole (G2). `terminal`: the
    bytes that tell the caller so, held back until the outcome is stored; asked for once. `text_bytes` is how much text
    has come, where no usage tells. `number` is the sequence number of an event that is added to a Responses stream.
    """

    @property
    def done(self) -> bool: ...
    @property
    def whole(self) -> bool: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def usage(self) -> Usage | None: ...
    @property
    def finish_reason(self) -> str: ...
    @property
    def response_id(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def text_bytes(self) -> int: ...
    @property
    def terminal(self) -> bytes: ...

    def take(self, frame: bytes) -> bytes:
        """What reaches the caller of a frame."""
        ...

    def shows_output(self, frame: bytes) -> bool:
        """Whether output has come, with the frame that was just taken at the latest."""
        ...
