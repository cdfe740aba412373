"""What a worker does beside its calls: periodic jobs, one after another in one thread, never on the event loop.

Every worker has all of them. A job that must not run twice at once is `alone`: whoever comes second passes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import DatabaseError, connections

from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.locks import LockFault, only_one

log = logging.getLogger(__name__)
FIRST_S = 0.5
"""At most so long after the start a job runs for the first time."""

STOP_S = 0.8
"""So long an end waits for a job; the thread is a daemon, so it holds nobody up after that."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done every `every_s` seconds. It may block, and uses Django's database connection as it likes.

    `alone`: by one process of all that share the database, at a time. `manage.py maintain` runs it too.
    """

    name: str
    every_s: float
    work: Callable[[], object]
    alone: bool = True


def run_job(job: Job) -> bool:
    """Do it now, in this thread, and let go of the database; False where another process is at it.

    Raises what the job raises, and LockFault.
    """
    try:
        if not job.alone:
            job.work()
            return True
        with only_one(f"upkeep.{job.name}") as ours:
            if ours:
                job.work()
            return ours
    finally:
        connections.close_all()


class Upkeep:
    """The thread that runs the jobs of one worker. What fails is logged and runs again when it is due."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = tuple(jobs)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="iw-upkeep", daemon=True)
        self.faults: dict[str, str] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no more jobs, and wait a moment for the one that runs. Blocking."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        begun = time.monotonic()
        due = {job.name: begun + min(job.every_s, FIRST_S) for job in self._jobs}
        while self._jobs:
            job = min(self._jobs, key=lambda each: due[each.name])
            if self._stop.wait(max(0.0, due[job.name] - time.monotonic())):
                return
            due[job.name] = time.monotonic() + job.every_s
            self._attempt(job)

    def _attempt(self, job: Job) -> None:
        try:
            run_job(job)
        except (DatabaseError, JournalFault, LockFault) as error:
            self._failed(job, error)
        except Exception as error:
            # Whatever it is: the one thread that runs all jobs must outlive it.
            self._failed(job, error, unexpected=True)
        else:
            self.faults.pop(job.name, None)

    def _failed(self, job: Job, error: Exception, *, unexpected: bool = False) -> None:
        fault = f"{type(error).__name__}: {error}"
        if fault != self.faults.get(job.name):
            log.error("upkeep '%s' failed: %s; it is tried again", job.name, fault, exc_info=unexpected)
        self.faults[job.name] = fault
