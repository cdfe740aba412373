"""One round: look at the rules, tell what is new, record what was told. Also while the database is away or hangs.

The database is asked in a thread of its own and waited for only so long; after that this host goes on alone with what
it knows, and what it tells is recorded when the database is back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from django.db import DatabaseError, connection, connections

from iwrouting.alerts.notes import Notes
from iwrouting.alerts.rules import look_with_database, look_without_database
from iwrouting.alerts.state import Row, Step, fold, record, recorded, steps
from iwrouting.alerts.telling import Channel, Notice, NotTold, channels
from iwrouting.audit.ids import new_id_at
from iwrouting.audit.journal.segments import JournalFault
from iwrouting.audit.locks import LockFault, only_one
from iwrouting.conf import Settings, settings
from iwrouting.conf.points import hit

log = logging.getLogger(__name__)
DATABASE_S = 15.0
"""So long the database has to answer, and for the share TRYING of it one that fails is asked again."""

TRYING = 0.8
PAUSE_S = 2.0
ROUND_S = 300.0
HUNG_S = 600.0
"""After so long a connection that never answers is left to itself, and another is tried."""

ROUND_EVERY_S = 50.0
"""A host looks at most this often, however many workers it has."""


class DatabaseRound(threading.Thread):
    """A round with the database. `begun` is set once it has read what it needs; `left` tells it not to go on then.

    A database that fails, or another host that is at it, is tried again for most of `patience_s`: a restart of the
    database that takes a moment is nothing to tell. `was_away`: the round before has logged it.
    """

    def __init__(self, notes: Notes, conf: Settings, patience_s: float = DATABASE_S, *, was_away: bool = False) -> None:
        super().__init__(name="iw-alerts-database", daemon=True)
        self.begun = threading.Event()
        self.left = False
        self.away = False
        self.made_at = time.monotonic()
        self._notes, self._conf, self._patience_s = notes, conf, patience_s
        self._is_logged = was_away
        self._choice = threading.Lock()

    def run(self) -> None:
        """Work until it is done, then let go of the database."""
        until = time.monotonic() + TRYING * self._patience_s
        try:
            while not (self._try() or self.left or time.monotonic() >= until):
                time.sleep(min(PAUSE_S, self._patience_s / 5))
        finally:
            self.begun.set()

    def _try(self) -> bool:
        try:
            self.away = False
            return self.work()
        except (DatabaseError, LockFault, JournalFault) as error:
            self.away = not self.begun.is_set()
            if not self._is_logged:
                log.warning("alerts: the database is away: %s", type(error).__name__)
            self._is_logged = True
            return self.begun.is_set()
        finally:
            connections.close_all()

    def work(self) -> bool:
        """Look, tell, record; False where another process of all on this database is at it.

        Raises DatabaseError, LockFault, JournalFault.
        """
        with ExitStack() as stack:
            try:
                ours = stack.enter_context(only_one("alerts"))
            except (LockFault, JournalFault):
                if connection.vendor == "postgresql":
                    raise
                # SQLite's lock is a file: a folder that takes none must not keep people from being told of it.
                ours = True
            if ours:
                self._round()
            return ours

    def leave(self) -> bool:
        """Go on without it; False where it has begun to tell meanwhile."""
        with self._choice:
            self.left = not self.begun.is_set()
            return self.left

    def _round(self) -> None:
        now = datetime.now(UTC)
        record(self._notes.waiting)
        every_s = self._conf.alert_every_s
        looked, standings = look_with_database(now, self._conf), fold(recorded(now), every_s)
        with self._choice:
            if self.left:
                return
            self.begun.set()
        made = _tell(steps(standings, looked, now, every_s), self._conf)
        # Noted before they are stored: what was told is on record even if the database hangs from here on.
        self._notes.save(fold(made, every_s, standings), made)
        if made:
            hit("alerts.before_record")
            record(made)
            hit("alerts.after_record")
            self._notes.stored(made)


_hung: DatabaseRound | None = None
_notes: dict[str, Notes] = {}
_busy = threading.Lock()


def look(conf: Settings | None = None, *, patience_s: float = DATABASE_S, again_s: float = ROUND_EVERY_S) -> None:
    """Do a round, unless another process of this host is at it or did one less than `again_s` ago. Blocks.

    `patience_s`: how long the database has to answer.
    """
    conf = conf or settings()
    notes = _notes.setdefault(str(conf.journals), Notes(conf.journals))
    if not _busy.acquire(blocking=False):
        return
    try:
        with notes.mine() as mine:
            if mine and notes.age_s() >= again_s:
                notes.read()
                _round(notes, conf, patience_s)
    finally:
        _busy.release()


def _round(notes: Notes, conf: Settings, patience_s: float) -> None:
    global _hung
    if _hung is None or not _hung.is_alive() or time.monotonic() - _hung.made_at > HUNG_S:
        asked = _hung = DatabaseRound(notes, conf, patience_s, was_away=_hung is not None and _hung.away)
        asked.start()
        if asked.begun.wait(patience_s) or not asked.leave():
            asked.join(ROUND_S)
            if not asked.away:
                return
    _look_alone(notes, conf)


def _look_alone(notes: Notes, conf: Settings) -> None:
    now = datetime.now(UTC)
    due = steps(notes.standings, look_without_database(conf), now, conf.alert_every_s)
    made = _tell(due, conf)
    notes.save(fold(made, conf.alert_every_s, notes.standings), [*notes.waiting, *made])


def _tell(due: Sequence[Step], conf: Settings) -> list[Row]:
    """Tell each, and the rows that say what became of it. A channel that fails is not tried again in this round."""
    ways = channels(conf)
    broken: dict[str, str] = {}
    made = [_tell_one(step, ways, broken) for step in due]
    if made:
        hit("alerts.after_tell")
    return made


def _tell_one(step: Step, ways: Sequence[Channel], broken: dict[str, str]) -> Row:
    number, at = new_id_at()
    finding = step.finding
    notice = Notice(number, at, step.state, finding.rule, finding.subject, finding.message)
    log.warning("alert %s: %s", notice.headline, notice.message)
    told, faults = [], []
    for way in ways:
        if step.only is not None and way.name not in step.only:
            continue
        if way.name not in broken:
            try:
                way.tell(notice)
                told.append(way.name)
                continue
            except NotTold as error:
                broken[way.name] = str(error)
                log.error("alert %s not told by %s: %s", finding.rule, way.name, error)
        faults.append(f"{way.name}: {broken[way.name]}")
    fault = "; ".join(faults)[:200]
    return Row(number, at, finding.rule, finding.subject, step.state, finding.message, ", ".join(told), fault)
