"""The periodic jobs of every worker: one line each (docs/processes.md)."""

from __future__ import annotations

from iwrouting.server.upkeep import Job


def jobs() -> tuple[Job, ...]:
    """What each worker does beside its calls, in no order. Seconds; `alone` unless it says otherwise."""
    return ()
