"""The periodic jobs of every worker: one line each (docs/processes.md)."""

from __future__ import annotations

from collections.abc import Callable

from iwrouting.alerts import look
from iwrouting.audit.sweeping.sweeper import sweep_every_s
from iwrouting.audit.tamper.seals import seal_when_due
from iwrouting.conf import settings
from iwrouting.server.sweeping import sweep_now
from iwrouting.server.upkeep import Job

LOOK_EVERY_S = 60.0
SEAL_EVERY_S = 300.0
"""How often it is asked whether the hourly seal is due."""


def jobs(sweep: Callable[[], object] = sweep_now) -> tuple[Job, ...]:
    """What each worker does beside its calls, in no order. Seconds; `alone` unless it says otherwise.

    `sweep` is the worker's own, who has a writer to store by; a command needs one for the time of its sweep.
    """
    return (
        # It takes its lock itself, and only where there is something to do.
        Job("sweep", sweep_every_s(settings().writer_dead_s), sweep, alone=False),
        Job("seal", SEAL_EVERY_S, seal_when_due),
    )


def watch() -> tuple[Job, ...]:
    """What has a thread of its own: it must tell of a database that hangs, which would hold up the jobs above."""
    return (Job("alerts", LOOK_EVERY_S, look, alone=False),)
