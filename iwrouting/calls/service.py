"""What all calls of one worker share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from iwrouting.audit import Writer
from iwrouting.calls.held import HeldResponses
from iwrouting.calls.past import Past
from iwrouting.conf import Settings
from iwrouting.dispatch import Dispatcher
from iwrouting.meters import Meters, mine
from iwrouting.snapshot import SnapshotStore
from iwrouting.types import SHUTTING_DOWN, Configuration


@dataclass(slots=True)
class Service:
    """The snapshot, the audit writer and the upstreams of a worker.

    `draining`: no new calls, open ones end; `cutting`: their time for that is over. `calls` are the tasks of those who
    wait for an answer; `going_on`: calls that end without their caller. `meters`: its counts
    for Prometheus.
    """

    store: SnapshotStore
    writer: Writer
    dispatcher: Dispatcher
    conf: Settings
    draining: bool = False
    cutting: bool = False
    calls: set[asyncio.Task[Any]] = field(default_factory=set)
    held: HeldResponses = field(default_factory=HeldResponses)
    past: Past = field(default_factory=Past)
    going_on: set[asyncio.Task[Any]] = field(default_factory=set)
    meters: Meters = field(default_factory=mine)

    @property
    def config(self) -> Configuration:
        """The configuration that serves now."""
        return self.store.current

    @property
    def is_idle(self) -> bool:
        """Whether no call is open."""
        return not self.calls and not self.going_on

    def cut(self) -> None:
        """End what is still open: each call says so to its caller and leaves its rows."""
        if not self.cutting:
            self.draining = self.cutting = True
            for task in (*self.calls, *self.going_on):
                task.cancel(SHUTTING_DOWN)
