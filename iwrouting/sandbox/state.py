"""All that the sandbox knows while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.log import Log
from iwrouting.sandbox.lookup import Models
from iwrouting.sandbox.plan import Plan
from iwrouting.sandbox.store import Store
from iwrouting.sandbox.usage import PrefixCache


class Stoppable(Protocol):
    """An open connection."""

    def stop(self) -> None:
        """Ends it at once."""


@dataclass(slots=True)
class Counters:
    """What goes on, and what went on since the start."""

    open_connections: int = 0
    open_requests: int = 0
    open_streams: int = 0
    connections: int = 0
    requests: int = 0
    faults: int = 0
    client_disconnects: int = 0
    started: float = field(default_factory=time.monotonic)

    def as_dict(self) -> Json:
        """The counters for `GET /_sandbox/state`."""
        return {
            "open_connections": self.open_connections,
            "open_requests": self.open_requests,
            "open_streams": self.open_streams,
            "connections": self.connections,
            "requests": self.requests,
            "faults": self.faults,
            "client_disconnects": self.client_disconnects,
            "uptime_s": round(time.monotonic() - self.started, 3),
        }


@dataclass(slots=True)
class Sandbox:
    """All that the sandbox knows: models, the plan in force, the log, what it remembers."""

    log: Log
    plan: Plan
    as_of: date | None = None
    connections: set[Stoppable] = field(default_factory=set)
    store: Store = field(default_factory=Store)
    cache: PrefixCache = field(default_factory=PrefixCache)
    counters: Counters = field(default_factory=Counters)
    models: Models = field(init=False)

    def __post_init__(self) -> None:
        self.models = Models(self.as_of)
