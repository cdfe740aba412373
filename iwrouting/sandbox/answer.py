"""What the sandbox answers, before it is put on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from iwrouting.sandbox.refusals import Refused

Json = dict[str, Any]

DONE = "[DONE]"


def dumps(value: object) -> bytes:
    """Compact JSON in UTF-8; a lone surrogate stays an escape. NaN comes out as it is: a fault asks for that."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")


@dataclass(slots=True)
class Event:
    """One server-sent event. `data` is an object, or a raw string such as the chat terminator.

    `named`: the event's type stands before its data too, as on responses. `comment`: a comment line instead of data.
    """

    data: Json | str
    named: bool = False
    comment: bool = False

    def frame(self) -> bytes:
        """The event as SSE bytes with its blank line."""
        if isinstance(self.data, str):
            return (b": " if self.comment else b"data: ") + self.data.encode() + b"\n\n"
        head = f"event: {self.data['type']}\n".encode() if self.named else b""
        return head + b"data: " + dumps(self.data) + b"\n\n"


@dataclass(slots=True)
class Answer:
    """A buffered answer (`payload`) or a streamed one (`events`), with the usage that the provider would bill.

    `raw` replaces the JSON of `payload` on the wire; so many spaces as `padding` come before either.
    """

    payload: Any = None
    events: list[Event] | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    usage: Json | None = None
    raw: bytes | None = None
    content_type: str = "application/json"
    padding: int = 0

    def body(self) -> bytes:
        """The bytes of a buffered answer."""
        return dumps(self.payload) if self.raw is None else self.raw


def refused_answer(refused: Refused) -> Answer:
    """A refusal as an answer."""
    return Answer(refused.body(), status=refused.status)
