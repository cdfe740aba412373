"""The sweeper beside a running writer, and on its own for a command."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from django.db import connections

from iwrouting.audit import Claim, Rows, Writer, open_store
from iwrouting.audit.sweeping.sweeper import Sweeper, Swept, find_work
from iwrouting.audit.writing.heartbeat import Mode
from iwrouting.conf import settings
from iwrouting.server.auditing import make_writer
from iwrouting.snapshot import store

PATIENCE_S = 10.0
MARGIN_S = 30.0


class WriterDesk:
    """A writer that runs in an event loop, for other threads."""

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop) -> None:
        self.id = writer.id
        self._writer = writer
        self._loop = loop

    @property
    def ready(self) -> bool:
        """Whether what it takes goes to the database now."""
        return self._writer.mode == Mode.DATABASE and not self._writer.fault

    def store(self, units: Sequence[tuple[Rows, Claim | None]]) -> None:
        """Return once all units are durable. Raises AuditUnavailable."""
        asyncio.run_coroutine_threadsafe(self._store(units), self._loop).result()

    async def _store(self, units: Sequence[tuple[Rows, Claim | None]]) -> None:
        waiting = [self._writer.submit(rows, patience_s=PATIENCE_S, claim=claim) for rows, claim in units]
        await asyncio.gather(*waiting)


def sweeper_of(writer: Writer) -> Sweeper:
    """The sweeper of a worker. Call it in the writer's event loop."""
    desk = WriterDesk(writer, asyncio.get_running_loop())
    return Sweeper(settings(), desk, partial(open_store, store.current.environment))


def sweep_now() -> dict[str, int]:
    """One sweep by a writer of its own, for a command: where something may have to be closed, it first watches the
    database for IW_WRITER_DEAD_S. Blocking. Returns what it did. Raises as Sweeper.sweep does.
    """
    try:
        swept = asyncio.run(_sweep_now()) if find_work(settings()) else Swept()
    finally:
        connections.close_all()
    return {"journals replayed": swept.adopted, "writers swept": swept.writers, "decisions closed": swept.closed}


async def _sweep_now() -> Swept:
    writer = make_writer(settings(), store)
    writer.start()
    try:
        return await asyncio.to_thread(sweep_until_done, sweeper_of(writer))
    finally:
        await writer.stop()


def sweep_until_done(sweeper: Sweeper) -> Swept:
    """Sweep until nothing waits, IW_WRITER_DEAD_S and half a minute at most; what all sweeps did. Blocking."""
    done = Swept()
    until = time.monotonic() + settings().writer_dead_s + MARGIN_S
    try:
        while True:
            done += sweeper.sweep()
            if not done.waits or time.monotonic() > until:
                return done
            time.sleep(sweeper.every_s)
    finally:
        connections.close_all()
