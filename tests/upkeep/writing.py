"""Somebody who writes outcomes all the time on a connection of their own, and how long each took (PostgreSQL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.upkeep.databases import link

COPY_ONE = (
    b"INSERT INTO iwrouting_outcome SELECT (json_populate_record(o, json_build_object('id', gen_random_uuid(), "
    b"'decision_id', gen_random_uuid()))).* FROM iwrouting_outcome AS o ORDER BY decision_at DESC LIMIT 1"
)
"""The newest outcome again, with ids of its own."""


class Writing(threading.Thread):
    """Writes until it is told to stop; `waits` has the seconds of each row."""

    def __init__(self, name: str) -> None:
        super().__init__(daemon=True)
        self.waits: list[float] = []
        self.stop = threading.Event()
        self._database = name
        self._written = threading.Semaphore(0)

    def run(self) -> None:
        """Write."""
        with link(self._database) as writer:
            while not self.stop.is_set():
                begun = time.monotonic()
                writer.execute(COPY_ONE)
                self.waits.append(time.monotonic() - begun)
                self._written.release()

    def wait_for(self, more: int) -> None:
        """Wait until so many more rows than before are written."""
        assert all(self._written.acquire(timeout=10) for _ in range(more))


@contextmanager
def writing(name: str) -> Iterator[Writing]:
    """Somebody who writes outcomes into this database within the block; there must be one to begin with."""
    thread = Writing(name)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop.set()
        thread.join()
