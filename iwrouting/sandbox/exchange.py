"""One received request: what came in, how far the answer got, and the line that the log keeps of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import Refused

ID_CHARACTERS = 200


@dataclass(slots=True)
class Exchange:
    """A request and the state of its answer. Times: `at` is UTC, `started` is the monotonic clock in seconds."""

    n: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    bytes_in: int
    request_id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.monotonic)
    model: str | None = None
    stream: bool = False
    status: int | None = None
    usage: Any = None
    bytes_out: int = 0
    events: int = 0
    fault: str | None = None
    ended: str | None = None
    waiting: str = "client_closed"

    def json(self) -> Json:
        """The body as a JSON object. Refused: not JSON, or not an object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refused(
                400,
                "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your "
                "HTTP library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
            ) from None
        if not isinstance(value, dict):
            raise Refused(400, "Invalid body: expected a JSON object.")
        return value

    def ms(self) -> float:
        """Milliseconds since the request was received."""
        return round((time.monotonic() - self.started) * 1000, 1)

    def record(self) -> Json:
        """The request as one object of the log: ids and numbers, never text and never the key."""
        return {
            "at": self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "n": self.n,
            "method": self.method[:16],
            "path": self.path[:ID_CHARACTERS],
            "model": None if self.model is None else self.model[:ID_CHARACTERS],
            "stream": self.stream,
            "status": self.status,
            "request_id": self.request_id,
            "client_request_id": self._id("x-client-request-id"),
            "hop": self._id("x-iw-hop"),
            "usage": self.usage,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "events": self.events,
            "fault": self.fault,
            "ended": self.ended,
            "ms": self.ms(),
        }

    def _id(self, header: str) -> str | None:
        value = self.headers.get(header)
        return None if value is None else value[:ID_CHARACTERS]
