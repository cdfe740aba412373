"""What a writer says of itself: the state that operators see, and the values of its Writer row."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from iwrouting import __version__
from iwrouting.audit.rows import Row
from iwrouting.audit.writing.numbers import Numbers

MOST_BEAT_S = 10.0


class Mode(StrEnum):
    """Where rows go: to the database, to the journal until the database is back, or nowhere."""

    DATABASE = "database"
    JOURNAL = "journal"
    REFUSING = "refusing"


@dataclass(slots=True)
class State:
    """How a writer does. `fault`: why the database takes nothing; `journal_fault`: why the journal does not.

    `journaled_rows` counts since the start; `journal_bytes` what waits for its replay; `dropped_rows` is always 0 but
    where a process had to end with neither database nor journal.
    """

    mode: Mode = Mode.DATABASE
    fault: str = ""
    journal_fault: str = ""
    last_commit_at: datetime | None = None
    journaled_rows: int = 0
    quarantined_rows: int = 0
    dropped_rows: int = 0

    def committed(self) -> None:
        """The database took rows."""
        self.fault = ""
        self.last_commit_at = datetime.now(UTC)

    def told(self) -> dict[str, Any]:
        """It, for people and machines; with the seconds since the last commit."""
        at = self.last_commit_at
        age = None if at is None else (datetime.now(UTC) - at).total_seconds()
        return {**asdict(self), "mode": self.mode.value, "last_commit_age_s": age}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the process knows besides, for its Writer row."""

    revision: int = 0
    snapshot_fault: str = ""
    environment_id: str = ""


class Heart:
    """When the Writer row is due, and what stands in it."""

    def __init__(self, numbers: Numbers, state: State, *, every_s: float, facts: Callable[[], Facts]) -> None:
        self.every_s = every_s
        self.journal_id = ""
        self.state = state
        self._numbers = numbers
        self._facts = facts
        self._due = 0.0

    @property
    def is_told(self) -> bool:
        """Whether there is a row: without it nobody would close what this process leaves open."""
        return self._due > 0

    def due_in(self) -> float:
        """Seconds until the next one; not above zero: now."""
        return self._due - time.monotonic()

    def done(self) -> None:
        """The row was written now."""
        self._due = time.monotonic() + self.every_s

    def hurry(self) -> None:
        """What the row says is not so any more: it is due now."""
        self._due = time.monotonic()

    def row(self, *, queued: int, journal_bytes: int, ended: bool = False) -> Row:
        """The values of the Writer row; its times are the store's to give, but for `last_commit_at`."""
        state, facts = self.state, self._facts()
        last, head = self._numbers.durable
        return {
            "id": self._numbers.writer_id,
            "host": socket.gethostname()[:128],
            "pid": os.getpid(),
            "journal_id": self.journal_id,
            "key_id": self._numbers.key.id,
            "app_version": __version__,
            "mode": state.mode.value,
            "queued": queued,
            "last_seq": last,
            "chain_hash": head,
            "last_commit_at": state.last_commit_at,
            "journal_bytes": journal_bytes,
            "journaled_rows": state.journaled_rows,
            "quarantined_rows": state.quarantined_rows,
            "dropped_rows": state.dropped_rows,
            "revision": facts.revision,
            "snapshot_fault": facts.snapshot_fault.replace("\0", "").encode("utf-8", "replace").decode()[:200],
            "environment_id": facts.environment_id,
            "ended": ended,
        }
