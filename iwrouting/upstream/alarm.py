"""A timer over many short waits: armed once, not for each of them, which would cost more than the wait itself."""

from __future__ import annotations

import asyncio
import time
from math import inf


class Alarm:
    """Interrupts the task that waits past its due time. Times of time.monotonic(). For one task at a time.

    What the loop's timer finds not yet due it looks at again later; `asyncio.timeout` would make and cancel one a wait.
    """

    __slots__ = ("_due", "_handle", "_rang", "_rings_at", "_task")

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None
        self._rings_at = inf
        self._due = inf
        self._task: asyncio.Task[object] | None = None
        self._rang = False

    def watch(self, due: float, now: float) -> int:
        """The current task begins to wait, until `due` at most; how often it has been cancelled before."""
        task = self._task = asyncio.current_task()
        self._due = due
        self._rang = False
        if due < self._rings_at:
            self._arm(due, now)
        return 0 if task is None else task.cancelling()

    def rest(self) -> None:
        """The wait is over."""
        self._task = None

    def rang(self, before: int) -> bool:
        """Whether this alarm alone interrupted the wait. `before`: what `watch` gave."""
        task, self._task = self._task, None
        return self._rang and task is not None and task.uncancel() <= before

    def stop(self) -> None:
        """No more waits: let go of the loop's timer."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self._rings_at, self._task = None, inf, None

    def _arm(self, due: float, now: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._rings_at = due
        self._handle = asyncio.get_running_loop().call_later(max(0.0, due - now), self._ring)

    def _ring(self) -> None:
        now = time.monotonic()
        self._handle, self._rings_at = None, inf
        if self._task is None:
            return
        if now < self._due:
            self._arm(self._due, now)
            return
        self._rang = True
        self._task.cancel()
