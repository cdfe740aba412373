"""The configuration in memory: one immutable snapshot, swapped whole, polled every second (design.md 7)."""

from __future__ import annotations

from iwrouting.snapshot.builtin import builtin_configuration
from iwrouting.snapshot.disk import stale_reason
from iwrouting.snapshot.load import load
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.snapshot.store import SnapshotStore, store

__all__ = ["SnapshotRefused", "SnapshotStore", "builtin_configuration", "load", "stale_reason", "store"]
