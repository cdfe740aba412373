"""The periodic jobs of every worker: one line each (docs/processes.md)."""

from __future__ import annotations

from iwrouting.alerts import look
from iwrouting.audit.seals import seal_when_due
from iwrouting.server.upkeep import Job

LOOK_EVERY_S = 60.0
SEAL_EVERY_S = 300.0
"""How often it is asked whether the hourly seal is due."""


def jobs() -> tuple[Job, ...]:
    """What each worker does beside its calls, in no order. Seconds; `alone` unless it says otherwise."""
    return (Job("seal", SEAL_EVERY_S, seal_when_due),)


def watch() -> tuple[Job, ...]:
    """What has a thread of its own: it must tell of a database that hangs, which would hold up the jobs above."""
    return (Job("alerts", LOOK_EVERY_S, look, alone=False),)
