"""What all calls of one worker share."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.audit import Writer
from iwrouting.conf import Settings
from iwrouting.dispatch import Dispatcher
from iwrouting.snapshot import SnapshotStore
from iwrouting.types import Configuration


@dataclass(slots=True)
class Service:
    """The snapshot, the audit writer and the upstreams of a worker. `draining`: no new calls, open ones end."""

    store: SnapshotStore
    writer: Writer
    dispatcher: Dispatcher
    conf: Settings
    draining: bool = False
    open_calls: int = 0

    @property
    def config(self) -> Configuration:
        """The configuration that serves now."""
        return self.store.current
