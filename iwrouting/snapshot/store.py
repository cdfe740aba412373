"""The holder of the current snapshot in one process, and the thread that keeps it current."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime

from django.db import DatabaseError, connection

from iwrouting.models import Revision
from iwrouting.models.changing import by_sql
from iwrouting.snapshot import disk
from iwrouting.snapshot.builtin import builtin_configuration
from iwrouting.snapshot.contents import NoSuchRevision, configuration_at
from iwrouting.snapshot.glass_watch import GlassWatch
from iwrouting.snapshot.keeper import Keeper
from iwrouting.snapshot.listen import start_listener
from iwrouting.snapshot.load import load
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.types import Configuration

log = logging.getLogger(__name__)
POLL_S = 1.0
REFRESH_WAIT_S = 0.3
FROM_DISK, NOT_REFRESHED = "snapshot_from_disk", "configuration_not_refreshed"
"""The codes of the warnings that `note` gives."""
ANSWER_S = 5.0
"""How long a database may think before it counts as one that does not answer."""


class SnapshotStore:
    """`current` is read by every request without a lock; everything else belongs to the poller.

    At a start without a database the last one accepted is read from disk; where there is none, the built-in
    configuration stands in, with `database` False. `not_read`: why there is none on disk. `glass`: the overrides that
    are switched off on this host.
    """

    def __init__(self) -> None:
        self._current: Configuration | None = None
        self._plain: Configuration | None = None
        self._swap = threading.Lock()
        self.glass = GlassWatch()
        self.checked_at = 0.0
        self.not_read = ""
        self._fault = ""
        self._asked_at = 0.0
        self.keeper = Keeper()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def current(self) -> Configuration:
        """The snapshot that serves now."""
        config = self._current
        return self._take(builtin_configuration()) if config is None else config

    @property
    def plain(self) -> Configuration | None:
        """What was last read, before anything is switched off on this host; None before the first reading."""
        return self._plain

    @property
    def age_s(self) -> float | None:
        """Seconds since the snapshot was last known to be the newest; None for the built-in one."""
        if self.current.from_disk is not None:
            return max(0.0, (datetime.now(UTC) - self.current.from_disk).total_seconds())
        return time.monotonic() - self.checked_at if self.checked_at else None

    @property
    def fault(self) -> str:
        """Why the snapshot is not known to be the newest, or an empty text."""
        if self._asked_at and time.monotonic() - self._asked_at > ANSWER_S:
            return self._fault or "database: no answer"
        return self._fault

    @property
    def source(self) -> str:
        """Where the snapshot that serves was read: `database`, `disk`, or `builtin` for nowhere."""
        config = self.current
        return "builtin" if not config.database else "disk" if config.from_disk else "database"

    @property
    def note(self) -> str:
        """What every decision says while the snapshot is not known to be the newest: a warning, or an empty text."""
        config = self.current
        if config.from_disk is not None:
            return f"{FROM_DISK}: revision {config.revision}, last confirmed {config.from_disk:%Y-%m-%dT%H:%M:%SZ}"
        if not self.fault:
            return ""
        serves = f"revision {config.revision}" if config.database else "the built-in matrix"
        return f"{NOT_REFRESHED}: {serves} serves, the database can't be read"

    def start(self) -> None:
        """Load now and keep polling in a daemon thread. Raises SettingsError."""
        self.glass.start(self._reglaze)
        self.check()
        if not self.current.database:
            self._read_disk()
        self.keeper.start()
        self._stop.clear()
        self._thread = threading.Thread(target=self._poll, name="iw-snapshot", daemon=True)
        self._thread.start()
        start_listener(self._wake, self._stop)

    def stop(self) -> None:
        """Stop polling."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.keeper.stop()
        self.glass.stop()

    def check(self) -> None:
        """Compare the revision and load if it moved. Any failure keeps the former snapshot and is told in `fault`."""
        if not self._lock.acquire(timeout=ANSWER_S):
            return
        try:
            self._asked_at = time.monotonic()
            try:
                self._check()
            except SnapshotRefused as error:
                self._failed(f"snapshot refused: {error}")
            except DatabaseError as error:
                self._failed(f"database: {type(error).__name__}")
            except Exception as error:
                # Whatever it is: the one thread that keeps the configuration current must outlive it.
                self._failed(f"unexpected: {type(error).__name__}", error)
            else:
                if self._fault:
                    log.warning("the configuration is refreshed again: revision %s", self.current.revision)
                self._fault = ""
                self.checked_at = time.monotonic()
        finally:
            self._asked_at = 0.0
            self._lock.release()

    async def refresh(self) -> bool:
        """Check once for all who wait; at most REFRESH_WAIT_S. For a well-formed key that is not known yet.

        Whether the snapshot is known to be the newest now.
        """
        earlier = self._refreshing
        try:
            async with asyncio.timeout(REFRESH_WAIT_S):
                if earlier is not None:
                    # Begun before we asked: it may have read before the key was committed.
                    await asyncio.shield(earlier)
                if self._refreshing is earlier:
                    self._refreshing = asyncio.create_task(asyncio.to_thread(self.check))
                if self._refreshing is not None:
                    await asyncio.shield(self._refreshing)
        except TimeoutError:
            return False
        return not self.fault

    def _check(self) -> None:
        known = self._plain
        try:
            counter = Revision.standing()
            if counter.is_touched:
                self._isolate(counter)
            if known is None or not _is_read(known) or counter.number != known.revision:
                self._take(load())
        finally:
            if not connection.in_atomic_block:
                connection.close()

    def _isolate(self, counter: Revision) -> None:
        """Keep what served before a change by SQL; a process that has nothing takes it from history (design.md 7).

        Raises SnapshotRefused.
        """
        known = self._plain
        if counter.number and (known is None or not known.database or known.revision < counter.number):
            try:
                self._take(configuration_at(counter.number))
            except NoSuchRevision as error:
                raise SnapshotRefused(f"{by_sql(counter)}. {error}") from None
        raise SnapshotRefused(by_sql(counter))

    def _take(self, config: Configuration) -> Configuration:
        """Serve this one from now on, without what is switched off here."""
        with self._swap:
            self._plain = config
            self._current = self.glass.applied(config)
            return self._current

    def _reglaze(self) -> None:
        with self._swap:
            if self._plain is not None:
                self._current = self.glass.applied(self._plain)

    def _failed(self, fault: str, error: Exception | None = None) -> None:
        if fault != self._fault:
            log.error("configuration not refreshed: %s; the former one serves", fault, exc_info=error)
        self._fault = fault

    def _read_disk(self) -> None:
        try:
            self._take(disk.read())
        except disk.SnapshotUnusable as error:
            self.not_read = str(error)
            log.error("no configuration from disk: %s is %s", disk.path(), error)
        else:
            log.warning("%s", self.note)

    def _poll(self) -> None:
        while not self._stop.is_set():
            if not self._fault and self._plain is not None:
                self.keeper.offer(self._plain)
            self._wake.wait(POLL_S)
            self._wake.clear()
            if not self._stop.is_set():
                self.check()


def _is_read(config: Configuration) -> bool:
    """Whether this process has read it from a database."""
    return config.database and config.from_disk is None


store = SnapshotStore()
