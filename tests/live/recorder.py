"""A provider that writes down each request as it came, byte by byte, and answers every one the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.taking import Answer, Taken, taking

ANSWER = {
    "id": "chatcmpl-recorder",
    "object": "chat.completion",
    "created": 1,
    "model": "recorded",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "noted"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


@dataclass
class Recorder:
    """Where it listens, and what it received."""

    base_url: str = ""
    requests: list[Taken] = field(default_factory=list)

    @property
    def last(self) -> Taken:
        """The latest request."""
        return self.requests[-1]

    def take(self, request: Taken) -> Answer:
        """Keep a request."""
        self.requests.append(request)
        return Answer(headers={"content-type": "application/json"}, body=json.dumps(ANSWER).encode())


@contextmanager
def recorder() -> Iterator[Recorder]:
    """Run one within the block."""
    found = Recorder()
    with taking(found.take) as address:
        found.base_url = f"{address}/v1"
        yield found
