"""The holder of the current snapshot in one process, and the thread that keeps it current."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

from django.db import DatabaseError, connection

from iwrouting.models import Revision
from iwrouting.snapshot.builtin import builtin_configuration
from iwrouting.snapshot.listen import start_listener
from iwrouting.snapshot.load import load
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.types import Configuration

log = logging.getLogger(__name__)
POLL_S = 1.0
REFRESH_WAIT_S = 0.3


class SnapshotStore:
    """`current` is read by every request without a lock; everything else belongs to the poller.

    Until a database was read, the built-in configuration stands in, with `database` False.
    """

    def __init__(self) -> None:
        self._current: Configuration | None = None
        self.checked_at = 0.0
        self.fault = ""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def current(self) -> Configuration:
        """The snapshot that serves now."""
        if self._current is None:
            self._current = builtin_configuration()
        return self._current

    @property
    def age_s(self) -> float:
        """Seconds since the snapshot was last known to be the newest."""
        return time.monotonic() - self.checked_at if self.checked_at else float("inf")

    def start(self) -> None:
        """Load now and keep polling in a daemon thread."""
        self.check()
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

    def check(self) -> None:
        """Compare the revision and load if it moved. Any failure keeps the former snapshot and is told in `fault`."""
        with self._lock:
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
                self.fault = ""
                self.checked_at = time.monotonic()

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
        known = self._current
        try:
            if known is None or not known.database or Revision.current() != known.revision:
                self._current = load()
        finally:
            if not connection.in_atomic_block:
                connection.close()

    def _failed(self, fault: str, error: Exception | None = None) -> None:
        if fault != self.fault:
            log.error("configuration not refreshed: %s; the former one serves", fault, exc_info=error)
        self.fault = fault

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(POLL_S)
            self._wake.clear()
            if not self._stop.is_set():
                self.check()


store = SnapshotStore()
