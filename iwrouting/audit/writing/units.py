"""What is committed together, who waits for it, and the line in which it waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from iwrouting.audit.rows import DECISION
from iwrouting.audit.writing.budget import SETTLED, Claim, Reserve, Settle, Verdict
from iwrouting.audit.writing.numbers import has_place
from iwrouting.audit.writing.storing import Rows
from iwrouting.errors import AuditUnavailable

MAX_ROWS = 500
MAX_BYTES = 4_000_000
ROW_BYTES = 1_000
NO_BUDGET = "The run's budget can't be booked while the database is away: nothing was sent. Try again shortly."


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many units may wait, and for how long a database is tried: while a journal stands behind it, and while not.

    `beat_s`: how often the Writer row is written; `probe_s`: how often what takes nothing is asked again.
    """

    queue: int
    wait_s: float
    commit_s: float
    beat_s: float = 10.0
    probe_s: float = 0.5


@dataclass(slots=True, eq=False)
class Unit:
    """Rows that are committed together, and who waits for them until `deadline` (monotonic clock).

    `if_refused` are the rows that go with them where the claim is refused. `again`: it may be stored already.
    `keep`: it is stored even when nobody waits any more. `quarantined`: why a row of it stands in quarantine.
    """

    rows: Rows
    future: asyncio.Future[Verdict | None] | None = None
    deadline: float = 0.0
    claim: Claim | None = None
    if_refused: Rows = ()
    again: bool = False
    keep: bool = False
    verdict: Verdict | None = None
    quarantined: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether its claim was refused, and the rows that say so have their numbers."""
        return self.verdict is not None and self.verdict.granted is None and has_place(self.if_refused)

    def stored(self) -> None:
        """Tell whoever waits what became of it."""
        if self.quarantined:
            self.fail("A row of it was refused by the database and stands in quarantine.")
        elif self.future is not None and not self.future.done():
            self.future.set_result(self.verdict)

    def journaled(self) -> None:
        """Tell whoever waits that the journal has it: enough for all but a reservation."""
        if isinstance(self.claim, Reserve) and not self.is_refused:
            self.fail()
            return
        if isinstance(self.claim, Settle):
            self.verdict = SETTLED
        self.stored()

    def fail(self, message: str = "") -> None:
        """Tell whoever waits that it is not stored."""
        reserving = isinstance(self.claim, Reserve)
        message = message or (NO_BUDGET if reserving else "The audit can't be written now.")
        if self.future is not None and not self.future.done():
            self.future.set_exception(AuditUnavailable(message, retry_after_s=1))
            self.future.exception()


class Line:
    """The units that wait. Those with a claim are booked apart from the others, which need one statement a batch."""

    def __init__(self) -> None:
        self._plain: deque[Unit] = deque()
        self._claiming: deque[Unit] = deque()
        self._claims_next = True

    def __len__(self) -> int:
        return len(self._plain) + len(self._claiming)

    def add(self, unit: Unit) -> None:
        """Put a unit at the end."""
        (self._plain if unit.claim is None else self._claiming).append(unit)

    def take(self, *, reserving: bool) -> list[Unit]:
        """The next batch, all with claims or all without. Without `reserving` those that reserve go on waiting."""
        self._claims_next = not self._claims_next
        for claims in (self._claims_next, not self._claims_next):
            batch = self._take(reserving) if claims else _first(self._plain)
            if batch:
                return batch
        return []

    def _take(self, reserving: bool) -> list[Unit]:
        if reserving:
            return _first(self._claiming)
        waiting = [unit for unit in self._claiming if isinstance(unit.claim, Reserve)]
        settling = deque(unit for unit in self._claiming if not isinstance(unit.claim, Reserve))
        batch = _first(settling)
        self._claiming = deque((*waiting, *settling))
        return batch

    def expire(self, in_hand: Iterable[Unit]) -> None:
        """Tell those whose time is over, here and `in_hand`, and forget those here unless they are to be kept."""
        now = time.monotonic()
        fail(unit for unit in in_hand if unit.deadline <= now)
        late = [unit for unit in (*self._plain, *self._claiming) if unit.deadline <= now]
        fail(late)
        gone = {unit for unit in late if not unit.keep}
        if gone:
            self._plain = deque(unit for unit in self._plain if unit not in gone)
            self._claiming = deque(unit for unit in self._claiming if unit not in gone)

    def give_up(self) -> list[Unit]:
        """All that wait; none does any more."""
        found = [*self._plain, *self._claiming]
        self._plain.clear()
        self._claiming.clear()
        return found


def _first(line: deque[Unit]) -> list[Unit]:
    batch: list[Unit] = []
    rows = size = 0
    while line and rows < MAX_ROWS and size < MAX_BYTES:
        unit = line.popleft()
        for table, row in unit.rows:
            size += ROW_BYTES
            if table == DECISION:
                size += len(row["ladder"]) + len(row["chain"])
        rows += len(unit.rows)
        batch.append(unit)
    return batch


def fail(units: Iterable[Unit]) -> None:
    """Tell all who wait for these that they are not stored."""
    for unit in units:
        unit.fail()
