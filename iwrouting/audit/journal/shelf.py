"""A writer's journal as the event loop uses it: every touch of its files happens in one thread, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from iwrouting.audit.journal.journal import Journal, folder_id
from iwrouting.audit.journal.records import encode, trial
from iwrouting.audit.journal.replay import Portion, read_portion
from iwrouting.audit.journal.segments import MOST_RECORD, Segment
from iwrouting.audit.writing.units import Unit
from iwrouting.conf.points import hit

T = TypeVar("T")


class Shelf:
    """What waits in the journal, and how far it is replayed. Its coroutines raise JournalFault or OSError."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._thread = ThreadPoolExecutor(1, "iw-audit-journal")
        self._segment: Segment | None = None
        self._offset = 0
        self.pending_bytes = 0

    async def open(self) -> str:
        """Make the folder and the first file; the folder's name."""
        await self._do(self._journal.open)
        return await self._do(lambda: folder_id(self._journal.folder))

    def without_place(self, error: Exception) -> str:
        """What an error says, for those who are not to know our folders."""
        return str(error).replace(str(self._journal.folder), "IW_JOURNAL_DIR")

    async def append(self, units: Sequence[Unit]) -> None:
        """Return once the units are on disk; without any, once it is known that others could be."""
        await self._do(lambda: self._append(units))

    async def is_usable(self) -> bool:
        """Whether units could be put into it, tried while none waits in it."""
        return await self._do(self._try)

    async def next(self) -> Portion | None:
        """What to replay now; None where nothing waits."""
        return await self._do(self._next)

    async def replayed(self, portion: Portion) -> None:
        """Go on behind a portion. The files of what is replayed are emptied or removed."""
        await self._do(lambda: self._replayed(portion))

    async def close(self) -> None:
        """Let go of the files; what holds no record is removed."""
        await self._do(self._journal.close)
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[], T]) -> T:
        def counted() -> T:
            try:
                return work()
            finally:
                self.pending_bytes = self._journal.pending_bytes

        return await asyncio.get_running_loop().run_in_executor(self._thread, counted)

    def _append(self, units: Sequence[Unit]) -> None:
        payload = encode(units) if units else trial()
        if len(payload) > MOST_RECORD and len(units) > 1:
            middle = len(units) // 2
            self._append(units[:middle])
            self._append(units[middle:])
        else:
            self._journal.append(payload)

    def _try(self) -> bool:
        if self._journal.pending_bytes:
            return False
        self._journal.append(trial())
        while (segment := self._journal.oldest()) is not None:
            self._journal.forget(segment)
        return True

    def _next(self) -> Portion | None:
        oldest = self._journal.oldest()
        if oldest is None:
            return None
        if oldest is not self._segment:
            self._segment, self._offset = oldest, oldest.start
        return read_portion(oldest, self._offset)

    def _replayed(self, portion: Portion) -> None:
        if self._segment is None:
            return
        self._offset = portion.next
        if self._offset >= self._segment.end:
            hit("replay.before_clear")
            self._journal.forget(self._segment)
            self._segment = None
            hit("replay.after_clear")
