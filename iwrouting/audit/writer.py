"""The writer: one per process; requests wait for the commit that holds their rows (group commit).

A batch is what waited while the last one was committed, at most 500 rows or 4 MB. A batch that the database
refuses is tried row group by row group, so that one bad group does not take its neighbours along. While the
database is away each group waits until its own deadline.

A group may carry a claim on a run's budget, which is booked in the transaction of its rows; where it is refused, the
group is stored with the rows that say so, and whoever waits gets the verdict. Groups without a claim keep to
themselves: one statement a batch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from iwrouting.audit.budget import Claim, Verdict
from iwrouting.audit.ids import new_id
from iwrouting.audit.rows import Row
from iwrouting.errors import AuditUnavailable

log = logging.getLogger(__name__)
MAX_ROWS = 500
MAX_BYTES = 4_000_000
ROW_BYTES = 1_000
RETRY_S = 0.05
PROBE_S = 1.0
STOP_S = 5.0

Rows = Sequence[tuple[str, Row]]
RowsOf = Callable[[list[Verdict]], Rows]


class StoreDown(Exception):
    """The database can't be reached or did not answer in time; the same rows may succeed later."""


class RowsRefused(Exception):
    """The database answered and does not take these rows; they will not succeed later either."""


class Store(Protocol):
    """Where rows go. `insert` is idempotent by id, and returns once they are committed; `ping` connects.

    `book` books claims, and stores in the same transaction the rows that `rows_of` makes of the verdicts. Those of
    `repeated` may have been booked before.
    `not_durable` says why a commit may not outlive a crash of the database's host, or is empty.
    """

    not_durable: str

    async def ping(self) -> None: ...

    async def insert(self, rows: Rows) -> None: ...

    async def book(self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf) -> list[Verdict]: ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class Unit:
    """Rows that are committed together, and who waits for them. Times from the monotonic clock.

    `if_refused` are the rows that go with them where the claim is refused. `again`: it may be stored already.
    """

    rows: Rows
    future: asyncio.Future[Verdict | None]
    deadline: float
    claim: Claim | None = None
    if_refused: Rows = ()
    again: bool = False


class Writer:
    """Numbers rows (`writer_id`, `writer_seq`), batches them and commits them."""

    def __init__(self, store: Store, *, queue_limit: int, wait_s: float) -> None:
        self.id = new_id()
        self.fault = ""
        self._store = store
        self._queue_limit = queue_limit
        self._wait_s = wait_s
        self._queue: deque[Unit] = deque()
        self._filled = asyncio.Event()
        self._seq = 0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def not_durable(self) -> str:
        """Why a commit may not outlive a crash of the database's host, or an empty text."""
        return self._store.not_durable

    @property
    def queued(self) -> int:
        """How many groups of rows wait."""
        return len(self._queue)

    def start(self) -> None:
        """Begin to write, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="iw-audit-writer")

    async def stop(self) -> None:
        """Commit what waits, for at most STOP_S with a database that is away, then close."""
        self._stopping = True
        self._filled.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=STOP_S)
            if late:
                log.error("stopped with the rows of %d requests not stored", len(self._queue))
                self._task.cancel()
        await self._store.close()

    def submit(
        self, rows: Rows, *, patience_s: float | None = None, claim: Claim | None = None, if_refused: Rows = ()
    ) -> asyncio.Future[Verdict | None]:
        """Queue rows to be committed together; the future is done after the commit, or has AuditUnavailable.

        `claim` is booked in the same commit and its verdict is the result; `if_refused` is stored too where that is a
        refusal. `patience_s` is how long a failing database is tried again. Raises AuditUnavailable at once for a
        full queue.
        """
        if len(self._queue) >= self._queue_limit or self._stopping:
            raise AuditUnavailable("The audit is behind: nothing was sent. Try again shortly.", retry_after_s=1)
        future: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        deadline = time.monotonic() + (patience_s or self._wait_s)
        self._queue.append(Unit(rows, future, deadline, claim, if_refused))
        self._filled.set()
        return future

    async def _run(self) -> None:
        await self._probe()
        while not (self._stopping and not self._queue):
            try:
                await asyncio.wait_for(self._filled.wait(), PROBE_S if self.fault else None)
            except TimeoutError:
                await self._probe()
            self._filled.clear()
            while self._queue:
                await self._commit(self._take())
                if self.fault and self._queue:
                    await asyncio.sleep(RETRY_S)
                self._expire()

    async def _probe(self) -> None:
        """Connect, so that a database that came back is known to be back before anybody calls."""
        try:
            await self._store.ping()
            self.fault = ""
        except Exception as error:
            # Whatever it is: the one task that writes must outlive it.
            self.fault = f"{type(error).__name__}: {error}"

    def _take(self) -> list[Unit]:
        batch: list[Unit] = []
        rows = size = 0
        while self._queue and rows < MAX_ROWS and size < MAX_BYTES:
            unit = self._queue.popleft()
            for _, row in unit.rows:
                self._number(row)
                size += ROW_BYTES + len(row.get("ladder", "")) + len(row.get("chain", ""))
            rows += len(unit.rows)
            batch.append(unit)
        return batch

    def _number(self, row: Row) -> None:
        """Give a row its place, once: rows that are tried again may be stored already."""
        if row.get("writer_id", "unnumbered"):
            return
        row["writer_id"] = self.id
        if "writer_seq" in row:
            self._seq += 1
            row["writer_seq"] = self._seq

    async def _commit(self, batch: list[Unit]) -> None:
        claiming = [unit for unit in batch if unit.claim is not None]
        if claiming and len(claiming) < len(batch):
            await self._commit([unit for unit in batch if unit.claim is None])
            if self.fault:
                self._queue.extendleft(reversed(claiming))
            else:
                await self._commit(claiming)
            return
        try:
            verdicts = await self._book(batch) if claiming else await self._insert(batch)
        except StoreDown as error:
            self.fault = f"{type(error).__name__}: {error}"
            for unit in batch:
                unit.again = True
            self._queue.extendleft(reversed(batch))
        except Exception as error:
            # RowsRefused, or a row that can't even be written down: its neighbours must not suffer.
            await self._commit_apart(batch, error)
        else:
            self.fault = ""
            for unit, verdict in zip(batch, verdicts, strict=True):
                if not unit.future.done():
                    unit.future.set_result(verdict)

    async def _insert(self, batch: list[Unit]) -> Sequence[None]:
        await self._store.insert([row for unit in batch for row in unit.rows])
        return [None] * len(batch)

    async def _book(self, batch: list[Unit]) -> list[Verdict]:
        def rows_of(verdicts: list[Verdict]) -> Rows:
            rows = [row for unit in batch for row in unit.rows]
            for unit, verdict in zip(batch, verdicts, strict=True):
                if verdict.granted is None:
                    for _, row in unit.if_refused:
                        self._number(row)
                    rows += unit.if_refused
            return rows

        claims = [unit.claim for unit in batch if unit.claim is not None]
        again = [unit.claim for unit in batch if unit.claim is not None and unit.again]
        return await self._store.book(claims, again, rows_of)

    async def _commit_apart(self, batch: list[Unit], error: Exception) -> None:
        if len(batch) == 1:
            self._fail(batch, f"{type(error).__name__}: {error}")
            return
        middle = len(batch) // 2
        await self._commit(batch[:middle])
        await self._commit(batch[middle:])

    def _expire(self) -> None:
        """Give up what waited past its own deadline while the database is away; what has patience left stays."""
        if not self.fault:
            return
        now = time.monotonic()
        late = [unit for unit in self._queue if unit.deadline <= now]
        if late:
            self._queue = deque(unit for unit in self._queue if unit.deadline > now)
            self._fail(late, self.fault)

    def _fail(self, batch: list[Unit], fault: str) -> None:
        log.error("audit rows of %d requests not stored: %s", len(batch), fault)
        for unit in batch:
            if not unit.future.done():
                unit.future.set_exception(AuditUnavailable("The audit can't be written now.", retry_after_s=1))
                unit.future.exception()
