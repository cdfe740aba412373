"""The drainer: brings what stands in the journal into the database while new rows keep coming."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from iwrouting.audit.journal.replay import Portion, store_portion
from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.journal.shelf import Shelf
from iwrouting.audit.writing.heartbeat import Heart, Mode
from iwrouting.audit.writing.storing import Store, StoreDown
from iwrouting.audit.writing.units import Bounds, Unit

log = logging.getLogger(__name__)
FIRST_BOUND_S = 3.0
LONGEST_BOUND_S = 15.0


class Drainer:
    """While the writer is `behind`, the database is the drainer's alone. `turn` is held to end that, or to append.

    `beat` writes the Writer row; a database that takes longer for it than `commit_s` is not given back yet.
    """

    def __init__(
        self, store: Store, shelf: Shelf, heart: Heart, beat: Callable[[], Awaitable[None]], bounds: Bounds
    ) -> None:
        self.behind = False
        self.turn = asyncio.Lock()
        self.caught_up = asyncio.Event()
        self._store = store
        self._shelf = shelf
        self._heart = heart
        self._state = heart.state
        self._beat = beat
        self._bounds = bounds
        self._bound_s = FIRST_BOUND_S
        self._wanted = asyncio.Event()

    async def open(self) -> None:
        """Open the journal. One that took nothing is tried again with each Writer row, which is to name it."""
        try:
            self._heart.journal_id = await self._shelf.open()
            if self._state.journal_fault and await self._shelf.is_usable():
                self._state.journal_fault = ""
        except (JournalFault, OSError) as error:
            self._failed(error)

    async def take(self, batch: list[Unit]) -> bool:
        """Put a batch into the journal, whose callers are told so; False where it takes nothing.

        An empty one tries whether it would. The caller holds the turn, or nobody is behind.
        """
        try:
            await self._shelf.append(batch)
            if not self._heart.journal_id:
                self._heart.journal_id = await self._shelf.open()
        except Exception as error:
            self._failed(error)
            self._state.mode = Mode.REFUSING
            return False
        self._state.journal_fault = ""
        self._state.mode = Mode.JOURNAL
        self._state.journaled_rows += sum(len(unit.rows) for unit in batch)
        self._fall_behind()
        for unit in batch:
            unit.journaled()
        return True

    def _failed(self, error: Exception) -> None:
        if not self._state.journal_fault:
            log.error("the journal takes nothing: %s", error)
        self._state.journal_fault = self._shelf.without_place(error)
        if self._shelf.pending_bytes:
            # A record may stand in it whose end we were not told.
            self._fall_behind()

    def _fall_behind(self) -> None:
        """From now on rows go to the journal, until it is replayed."""
        if not self.behind:
            log.warning("the audit goes to the journal: the database does not take it (%s)", self._state.fault)
        self.behind = True
        self.caught_up.clear()
        self._wanted.set()

    async def finish(self, until: float) -> None:
        """Wait for the end of the replay, at most until then, and not where the database is away."""
        if self.behind and not self._state.fault:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.caught_up.wait(), max(0.0, until - time.monotonic()))

    async def run(self) -> None:
        """Drain whenever that is wanted, for ever."""
        while True:
            await self._wanted.wait()
            try:
                await self._step()
            except (StoreDown, JournalFault, OSError) as error:
                self._state.fault = f"{type(error).__name__}: {error}"
                await asyncio.sleep(self._bounds.probe_s)
            except Exception:
                # Whatever it is: the one task that drains must outlive it.
                log.exception("the journal was not replayed")
                await asyncio.sleep(self._bounds.probe_s)

    async def _step(self) -> None:
        if self._state.fault or self._heart.due_in() <= 0:
            # A database that is away is asked with a short bound, so that its return is noticed soon.
            await self._beat()
        portion = await self._shelf.next()
        if portion is None:
            await self._catch_up()
            return
        if portion.units:
            await self._store_portion(portion)
        await self._shelf.replayed(portion)

    async def _store_portion(self, portion: Portion) -> None:
        started = time.monotonic()
        try:
            self._state.quarantined_rows += await store_portion(self._store, portion, self._bound_s)
        except StoreDown:
            if time.monotonic() - started >= self._bound_s:
                self._bound_s = min(LONGEST_BOUND_S, self._bound_s * 2)
            raise
        self._bound_s = FIRST_BOUND_S
        self._state.committed()

    async def _catch_up(self) -> None:
        """Give the database back to the writer, where it is quick enough again."""
        started = time.monotonic()
        await self._beat()
        if time.monotonic() - started > self._bounds.commit_s:
            await asyncio.sleep(self._bounds.probe_s)
            return
        async with self.turn:
            if self._shelf.pending_bytes:
                return
            log.warning("the journal is replayed: the audit goes to the database again")
            self.behind = False
            self._state.mode = Mode.DATABASE
            self._wanted.clear()
            self._heart.hurry()
            self.caught_up.set()
