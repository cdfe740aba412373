"""The periodic jobs of every worker: one line each (docs/processes.md)."""

from __future__ import annotations

from collections.abc import Callable

from iwrouting.alerts import look
from iwrouting.audit.sweeping.sweeper import sweep_every_s
from iwrouting.audit.tamper.seals import seal_when_due
from iwrouting.conf import settings
from iwrouting.reports.usage.rolling import roll_settled
from iwrouting.server.lines import LineWriter
from iwrouting.server.sweeping import sweep_now
from iwrouting.server.upkeep import Job
from iwrouting.snapshot import store

LOOK_EVERY_S = 60.0
LINES_EVERY_S = 5.0
SCHEDULE_EVERY_S = 10.0
SUM_EVERY_S = 60.0
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


def lines() -> tuple[Job, ...]:
    """The lines of the change list that no revision made. Each is written once, whoever comes first.

    In a thread of their own: a database that hangs under one of them must not hold up the sweep.
    """
    writer = LineWriter(store)
    return (
        Job("environment", LINES_EVERY_S, writer.environment, alone=False),
        Job("break_glass", LINES_EVERY_S, writer.break_glass, alone=False),
        Job("schedule", SCHEDULE_EVERY_S, writer.schedule, alone=False),
    )


def sums() -> tuple[Job, ...]:
    """Usage, summed up. In a thread of its own: with the rows of an upgrade it may be busy for minutes, and a database
    that hangs under it must not hold up the sweep."""
    return (Job("usage", SUM_EVERY_S, roll_settled),)


def watch() -> tuple[Job, ...]:
    """What has a thread of its own: it must tell of a database that hangs, which would hold up the jobs above."""
    return (Job("alerts", LOOK_EVERY_S, look, alone=False),)
