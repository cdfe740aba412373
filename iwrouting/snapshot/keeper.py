"""Keeps the last accepted configuration on disk, in a thread of its own: a slow disk delays no poll."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime

from iwrouting.snapshot import disk
from iwrouting.types import Configuration

log = logging.getLogger(__name__)
REFRESH_S = 60.0
"""How often the file is renewed while the configuration stays the same."""
AGAIN_S = 5.0
"""When a write that failed is tried again."""


class Keeper:
    """Takes what the poller knows to be the newest. `fault` says why the file is not, or is empty."""

    def __init__(self) -> None:
        self.fault = ""
        self._offered: tuple[Configuration, datetime] | None = None
        self._written: Configuration | None = None
        self._due_at = 0.0
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="iw-snapshot-disk", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; a write that is under way gets a moment."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def offer(self, config: Configuration) -> None:
        """This one is the newest now. Returns at once."""
        self._offered = config, disk.now_utc()
        if config is not self._written or time.monotonic() >= self._due_at:
            self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopping:
                return
            offered = self._offered
            if offered is not None:
                self._keep(*offered)

    def _keep(self, config: Configuration, confirmed_at: datetime) -> None:
        if self.fault and time.monotonic() < self._due_at:
            return
        try:
            disk.clear_left_overs()
            disk.write(config, confirmed_at)
        except Exception as error:
            # Whatever it is: the configuration serves without being kept, and the next try may succeed.
            self._failed(error)
        else:
            self.fault = ""
            self._written, self._due_at = config, time.monotonic() + REFRESH_S

    def _failed(self, error: Exception) -> None:
        fault = f"{type(error).__name__}: {getattr(error, 'strerror', None) or 'not written'}"
        if fault != self.fault:
            log.error("the configuration is not kept on disk: %s", fault, exc_info=not isinstance(error, OSError))
        self.fault = fault
        self._due_at = time.monotonic() + AGAIN_S
