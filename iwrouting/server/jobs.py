"""The periodic jobs of every worker: one line each (docs/processes.md)."""

from __future__ import annotations

from iwrouting.alerts import look
from iwrouting.server.upkeep import Job

LOOK_EVERY_S = 60.0


def jobs() -> tuple[Job, ...]:
    """What each worker does beside its calls, in no order. Seconds; `alone` unless it says otherwise."""
    return ()


def watch() -> tuple[Job, ...]:
    """What has a thread of its own: it must tell of a database that hangs, which would hold up the jobs above."""
    return (Job("alerts", LOOK_EVERY_S, look, alone=False),)
