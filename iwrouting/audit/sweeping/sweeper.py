"""The sweeper: closes what dead processes left open, as `interrupted` (design.md 6; docs/processes.md).

First their journals are replayed, for the outcome may stand in there. The rows that close are those of our own writer,
under its numbers. A process that was only stopped stores its own outcome later beside ours, and readers take that one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import OperationalError

from iwrouting.audit.journal.journal import folder_id, left_segments
from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.locks import only_one
from iwrouting.audit.rows import OUTCOME
from iwrouting.audit.sweeping.adoption import Left, adopt
from iwrouting.audit.sweeping.orphans import (
    UNSWEPT,
    Open,
    beating_writers,
    closing_rows,
    ended_writers,
    longest_call,
    now,
    open_decisions,
)
from iwrouting.audit.writing.budget import Claim
from iwrouting.audit.writing.stores import database_name
from iwrouting.audit.writing.storing import Rows, Store, StoreDown
from iwrouting.conf import Settings
from iwrouting.conf.points import hit
from iwrouting.errors import AuditUnavailable
from iwrouting.models import Writer

log = logging.getLogger(__name__)
MOST_EVERY_S = 3.0
LOCK = "sweep"
SILENT = 0.6
"""After this share of IW_WRITER_DEAD_S without a heartbeat a writer's files are looked at."""


def sweep_every_s(dead_s: float) -> float:
    """How often to sweep, in seconds, so that what a writer left is closed soon after it counts as dead."""
    return min(MOST_EVERY_S, dead_s / 4)


class Desk(Protocol):
    """The process's own writer, as a thread uses it. `ready`: what it takes goes to the database."""

    id: str

    @property
    def ready(self) -> bool: ...

    def store(self, units: Sequence[tuple[Rows, Claim | None]]) -> None:
        """Return once all units are durable. Raises AuditUnavailable."""


class Contact:
    """For how long the database has answered us without a longer pause: one that was away makes nobody look dead."""

    def __init__(self, most_gap_s: float) -> None:
        self._gap_s = most_gap_s
        self._since: float | None = None
        self._last = 0.0

    def made(self) -> float:
        """The database has answered now; for how many seconds it does."""
        moment = time.monotonic()
        if self._since is None or moment - self._last > self._gap_s:
            self._since = moment
        self._last = moment
        return moment - self._since

    def lost(self) -> None:
        """It did not answer."""
        self._since = None


class Watch:
    """Since when, by our own clock, each writer tells nothing new: a clock that steps makes nobody look dead."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[datetime, float]] = {}

    def look(self) -> None:
        """See who has told something since the last time. Raises DatabaseError."""
        moment, before = time.monotonic(), self._since
        living = Writer.objects.filter(UNSWEPT, ended_at=None).values_list("id", "heartbeat_at")
        known = {ident: (at, moment) for ident, at in living}
        self._since = {
            ident: before[ident] if ident in before and before[ident][0] == seen[0] else seen
            for ident, seen in known.items()
        }

    def silent_s(self, writer: Writer) -> float:
        """For how many seconds nothing new was seen of it."""
        at, since = self._since.get(writer.id, (None, 0.0))
        return time.monotonic() - since if at == writer.heartbeat_at else 0.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: writers whose journals were replayed, writers that were swept, decisions that were closed.

    `waits`: there is more to do, when the database has answered for long enough.
    """

    adopted: int = 0
    writers: int = 0
    closed: int = 0
    waits: bool = False

    def __add__(self, later: Swept) -> Swept:
        """Both sweeps as one: all that they did, and what waits after the later one."""
        return Swept(
            self.adopted + later.adopted, self.writers + later.writers, self.closed + later.closed, waits=later.waits
        )


def find_work(conf: Settings, own: str = "") -> bool:
    """Whether another writer than `own` has ended or died since it was swept, or left files in our folder.

    Raises DatabaseError.
    """
    journal_id = journal_of(conf)
    return bool(dead_writers(conf, own, journal_id, Left()) or (journal_id and silent_files(conf, own)))


def journal_of(conf: Settings) -> str:
    """The name of our journals' folder; empty where there is none, or none that can be read: its writers say so."""
    try:
        return folder_id(conf.journals) if conf.journals.is_dir() and not conf.audit_strict else ""
    except (JournalFault, OSError):
        return ""


def silent_files(conf: Settings, own: str) -> bool:
    """Whether a writer has files in our folder and does not beat."""
    found = left_segments(conf.journals, but=own)
    return bool(found.keys() - beating_writers(now(), silent_s=conf.writer_dead_s * SILENT))


def dead_writers(conf: Settings, own: str, journal_id: str, left: Left) -> list[Writer]:
    """Those that are to be swept, of what their journals hold yet apart."""
    wait_for = [*left.holding, *left.unreadable]
    found = ended_writers(now(), dead_s=conf.writer_dead_s, journal_id=journal_id, wait_for=wait_for)
    return [writer for writer in found if writer.id not in (own, *left.holding)]


class Sweeper:
    """Sweeps for one process, again and again, from one thread."""

    def __init__(self, conf: Settings, desk: Desk, open_store: Callable[[], Store]) -> None:
        self._conf = conf
        self._desk = desk
        self._open_store = open_store
        self._told: dict[str, str] = {}
        self.every_s = sweep_every_s(conf.writer_dead_s)
        self.contact = Contact(conf.writer_dead_s / 2 + 2 * self.every_s)
        self.watch = Watch()

    def sweep(self) -> Swept:
        """Do what there is to do, unless another process is at it. Raises DatabaseError, also for what the writer's
        own connection could not do, JournalFault, OSError and LockFault.
        """
        try:
            lasted_s = self._look()
            if lasted_s is None:
                return Swept()
            with only_one(LOCK) as ours:
                done = self._sweep(may_close=lasted_s >= self._conf.writer_dead_s) if ours else Swept()
            self.contact.made()
            return done
        except (StoreDown, AuditUnavailable) as error:
            self.contact.lost()
            raise OperationalError(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self.contact.lost()
            raise

    def _look(self) -> float | None:
        """For how long the database has answered; None where there is nothing to do."""
        self.watch.look()
        is_wanted = find_work(self._conf, self._desk.id)
        lasted_s = self.contact.made()
        return lasted_s if is_wanted else None

    def _sweep(self, *, may_close: bool) -> Swept:
        if not self._desk.ready:
            return Swept(waits=True)
        journal_id = journal_of(self._conf)
        left = Left()
        if journal_id:
            database = database_name() if self._conf.journal_adopt == "own" else ""
            left = adopt(self._conf.journals, journal_id, self._desk.id, self._open_store, database=database)
            self._tell(left.faults)
        dead = dead_writers(self._conf, self._desk.id, journal_id, left)
        gone = [writer for writer in dead if self._is_gone(writer, may_close=may_close)]
        longest = longest_call(self._conf) if gone else timedelta()
        closed = [self._close_writer(writer, longest) for writer in gone]
        return Swept(len(left.adopted), len(closed), sum(closed), waits=len(gone) < len(dead))

    def _is_gone(self, writer: Writer, *, may_close: bool) -> bool:
        """Whether it has said that it ends, or is silent while the database answers: `may_close`, for long enough."""
        if writer.ended_at is not None:
            return True
        return may_close and self.watch.silent_s(writer) >= self._conf.writer_dead_s / 2

    def _tell(self, faults: dict[str, str]) -> None:
        """Log what can't be read, once."""
        for writer, fault in faults.items():
            if self._told.get(writer) != fault:
                log.error("a journal can't be replayed: %s", fault)
        self._told = faults

    def _close_writer(self, writer: Writer, longest: timedelta) -> int:
        closed = 0
        for found in open_decisions(writer.id, longest):
            if not found:
                continue
            if not self._is_silent(writer) or not self._desk.ready:
                return closed
            self._close(found)
            closed += len(found)
        if closed:
            log.warning(
                "closed %d decisions as interrupted: their process %s (writer %s) ended without doing so",
                closed,
                writer,
                writer.id,
            )
        Writer.objects.filter(id=writer.id, heartbeat_at=writer.heartbeat_at).update(swept_at=now())
        return closed

    def _is_silent(self, writer: Writer) -> bool:
        return Writer.objects.filter(id=writer.id, heartbeat_at=writer.heartbeat_at).exists()

    def _close(self, found: list[Open]) -> None:
        rows = closing_rows(found)
        hit("sweep.before_close")
        self._desk.store([([(OUTCOME, row)], settle) for row, settle in rows])
        hit("sweep.after_close")
