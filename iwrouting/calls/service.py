"""What all calls of one worker share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from iwrouting.audit import Writer
from iwrouting.calls.held import HeldResponses
from iwrouting.conf import Settings
from iwrouting.dispatch import Dispatcher
from iwrouting.snapshot import SnapshotStore
from iwrouting.types import Configuration


@dataclass(slots=True)
class Service:
    """The snapshot, the audit writer and the upstreams of a worker. `draining`: no new calls, open ones end.

    `going_on`: calls that end without their caller.
    """

    store: SnapshotStore
    writer: Writer
    dispatcher: Dispatcher
    conf: Settings
    draining: bool = False
    open_calls: int = 0
    held: HeldResponses = field(default_factory=HeldResponses)
    going_on: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def config(self) -> Configuration:
        """The configuration that serves now."""
        return self.store.current
