"""The writer: one per process; requests wait for the commit, or the journal's fsync, that holds their rows.

A batch is what waited while the last one was committed (group commit), at most 500 rows or 4 MB. It is numbered when it
is formed. What the database does not take in time goes to the journal, and so does all that follows, while the drainer
replays the journal; when that has caught up, the database takes batches again. While neither takes rows each unit waits
until its own deadline; rows that have a number stay. docs/audit.md tells it at length.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from iwrouting.audit.ids import new_id
from iwrouting.audit.journal.drain import Drainer
from iwrouting.audit.journal.journal import Journal, Place
from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.journal.shelf import Shelf
from iwrouting.audit.tamper.chain import AuditKey
from iwrouting.audit.writing.budget import Claim, Verdict
from iwrouting.audit.writing.heartbeat import Facts, Heart, Mode, State
from iwrouting.audit.writing.numbers import Numbers, has_place
from iwrouting.audit.writing.quarantine import store_units
from iwrouting.audit.writing.storing import Rows, Store, StoreDown
from iwrouting.audit.writing.units import Bounds, Line, Unit, fail
from iwrouting.conf.points import hit
from iwrouting.errors import AuditUnavailable

log = logging.getLogger(__name__)
BEAT_BOUND_S = 3.0
STOP_S = 5.0


class Writer:
    """Numbers rows (`writer_id`, `writer_seq`, `chain_hash`), batches them and has them stored.

    `place`: where the journal stands; None where only the database will do. `facts`: what the Writer row tells besides.
    """

    def __init__(
        self,
        store: Store,
        bounds: Bounds,
        key: AuditKey,
        place: Place | None = None,
        facts: Callable[[], Facts] = Facts,
    ) -> None:
        self.id = new_id()
        self._store = store
        self._bounds = bounds
        self._state = State()
        self._numbers = Numbers(self.id, key)
        self._heart = Heart(self._numbers, self._state, every_s=bounds.beat_s, facts=facts)
        self._shelf = Shelf(Journal(place, self.id, key_id=key.id)) if place else None
        self._drainer = Drainer(store, self._shelf, self._heart, self._beat, bounds) if self._shelf else None
        self._line = Line()
        self._in_hand: list[Unit] = []
        self._filled = asyncio.Event()
        self._stopping = self._ended = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def mode(self) -> Mode:
        """Where rows go now."""
        return self._state.mode

    @property
    def fault(self) -> str:
        """Why the database takes nothing now, or an empty text."""
        return self._state.fault

    @property
    def not_durable(self) -> str:
        """Why a commit may not outlive a crash of the database's host, or an empty text."""
        return self._store.not_durable

    @property
    def queued(self) -> int:
        """How many groups of rows wait."""
        return len(self._line) + len(self._in_hand)

    def state(self) -> dict[str, Any]:
        """What operators see of it: /readyz, /metrics and the Writer row tell the same."""
        more = {"queued": self.queued, "not_durable": self.not_durable, "journal_bytes": self._journal_bytes}
        return {**self._state.told(), **more, "last_seq": self._numbers.last}

    def start(self) -> None:
        """Begin to write, in the running event loop."""
        self._tasks = [asyncio.create_task(self._run(), name="iw-audit-writer")]
        if self._drainer:
            self._tasks.append(asyncio.create_task(self._drainer.run(), name="iw-audit-drainer"))

    async def stop(self) -> None:
        """Store what waits, for at most STOP_S with a database that is away, then close."""
        until = time.monotonic() + STOP_S
        self._stopping = True
        self._filled.set()
        await asyncio.wait(self._tasks[:1], timeout=STOP_S)
        self._ended = True
        if self._drainer is not None:
            await self._drainer.finish(until)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._give_up()
        await self._end()

    def submit(
        self,
        rows: Rows,
        *,
        patience_s: float | None = None,
        claim: Claim | None = None,
        if_refused: Rows = (),
        keep: bool = False,
    ) -> asyncio.Future[Verdict | None]:
        """Queue rows to be committed together; the future is done when they are durable, or has AuditUnavailable.

        `claim` is booked in the same commit and its verdict is the result; `if_refused` is stored too where that is a
        refusal. `patience_s` is how long the caller waits while nothing takes rows; those to `keep`, and those that
        have numbers already, are stored all the same. Raises AuditUnavailable at once for a full queue, which rows to
        keep are never too many for: each belongs to a call that was let in.
        """
        keep = keep or has_place(rows)
        if self._ended or (not keep and (self._stopping or len(self._line) >= self._bounds.queue)):
            raise AuditUnavailable("The audit is behind: nothing was sent. Try again shortly.", retry_after_s=1)
        future: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        deadline = time.monotonic() + (patience_s or self._bounds.wait_s)
        self._line.add(Unit(rows, future, deadline, claim, if_refused, keep=keep))
        self._filled.set()
        return future

    def _give_up(self) -> None:
        """The process ends with rows that neither database nor journal took."""
        lost = [*self._in_hand, *self._line.give_up()]
        fail(lost)
        if lost:
            self._state.dropped_rows += sum(len(unit.rows) for unit in lost)
            log.error("stopped with the rows of %d requests not stored: %s", len(lost), self._state.fault)

    async def _end(self) -> None:
        ended = not self._journal_bytes and not self._state.dropped_rows
        try:
            if not self._state.fault:
                row = self._heart.row(queued=0, journal_bytes=self._journal_bytes, ended=ended)
                await self._store.beat(row, BEAT_BOUND_S)
            if self._shelf:
                await self._shelf.close()
        except (StoreDown, JournalFault, OSError) as error:
            log.warning("the writer's end was not told: %s", error)
        await self._store.close()

    @property
    def _behind(self) -> bool:
        return self._drainer is not None and self._drainer.behind

    @property
    def _bound_s(self) -> float:
        """How long the database may take for a batch: longer where no journal stands behind it."""
        alone = self._shelf is None or bool(self._state.journal_fault)
        return self._bounds.wait_s if alone else self._bounds.commit_s

    @property
    def _journal_bytes(self) -> int:
        return self._shelf.pending_bytes if self._shelf else 0

    async def _run(self) -> None:
        await self._begin()
        while not (self._stopping and not self._line):
            try:
                await self._rest()
                await self._work()
            except Exception:
                # Whatever it is: the one task that writes must outlive it.
                log.exception("the audit's writer stumbled; it goes on with the same rows")
        # From here on nobody takes what is queued.
        self._ended = True

    async def _work(self) -> None:
        await self._look_around(self._bound_s)
        while batch := self._in_hand or self._take():
            await self._keep(batch)
            await self._look_around(self._bound_s)
        if self._stopping and self._behind:
            fail(self._line.give_up())
        self._expire()

    async def _begin(self) -> None:
        """Open the journal, and connect."""
        await self._look_around(BEAT_BOUND_S)

    async def _rest(self) -> None:
        """Wait for units, for the next beat, or for a moment where something is amiss."""
        idle = not self._line and self._state.mode == Mode.DATABASE and not self._state.fault
        most = max(0.0, self._heart.due_in()) if idle else self._bounds.probe_s
        # A timer costs a tenth of `wait_for`, once a batch.
        alarm = asyncio.get_running_loop().call_later(most, self._filled.set)
        await self._filled.wait()
        alarm.cancel()
        self._filled.clear()

    async def _look_around(self, bound_s: float) -> None:
        """Write the Writer row when that is due. A database that is away is noticed by that before callers come, and
        so is a database or a journal that is back.
        """
        if self._behind:
            if self._drainer and self._state.mode == Mode.REFUSING:
                async with self._drainer.turn:
                    await self._drainer.take([])
            return
        if self._heart.due_in() > 0 and not self._state.fault:
            return
        if self._drainer and (self._state.journal_fault or not self._heart.journal_id):
            await self._drainer.open()
        try:
            await self._beat(bound_s)
            self._state.mode = Mode.DATABASE
        except Exception as error:
            self._database_failed(error)
            if self._drainer:
                await self._drainer.take([])

    async def _beat(self, bound_s: float = BEAT_BOUND_S) -> None:
        await self._store.beat(self._heart.row(queued=self.queued, journal_bytes=self._journal_bytes), bound_s)
        self._heart.done()
        self._state.fault = ""

    def _take(self) -> list[Unit]:
        self._in_hand = self._line.take(reserving=not self._behind)
        for unit in self._in_hand:
            self._numbers.give(unit.rows)
        return self._in_hand

    async def _keep(self, batch: list[Unit]) -> None:
        """Return once the batch is durable. While nothing takes it, whoever waits is told at the own deadline."""
        while not await self._store_batch(batch):
            self._expire()
            await asyncio.sleep(self._bounds.probe_s / 5)
        self._in_hand = []
        self._numbers.stored()

    async def _store_batch(self, batch: list[Unit]) -> bool:
        if self._drainer is None:
            return await self._into_database(batch)
        async with self._drainer.turn:
            return (not self._behind and await self._into_database(batch)) or await self._drainer.take(batch)

    async def _into_database(self, batch: list[Unit]) -> bool:
        try:
            if not self._heart.is_told:
                await self._beat(self._bound_s)
            hit("writer.before_insert")
            aside = await store_units(self._store, batch, self._bound_s, self._numbers.give)
            self._state.quarantined_rows += aside
            hit("writer.after_insert")
        except Exception as error:
            self._database_failed(error)
            for unit in batch:
                unit.again = True
            return False
        self._state.committed()
        self._state.mode = Mode.DATABASE
        for unit in batch:
            unit.stored()
        return True

    def _database_failed(self, error: Exception) -> None:
        self._state.fault = f"{type(error).__name__}: {error}"
        if self._shelf is None or self._state.journal_fault:
            if self._state.mode != Mode.REFUSING:
                log.error("nothing takes the audit: calls are 503 (%s)", self._state.fault)
            self._state.mode = Mode.REFUSING

    def _expire(self) -> None:
        """Tell those whose time is over that nothing takes their rows."""
        if self._state.mode != Mode.DATABASE or self._state.fault:
            self._line.expire(self._in_hand)
