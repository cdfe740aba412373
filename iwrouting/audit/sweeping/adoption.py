"""Journals that dead processes left in our folder: replayed by whoever finds them (design.md 6).

A process holds the lock of its files as long as it lives, also while it is stopped. What is unlocked was left.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from iwrouting.audit.ids import decision_time
from iwrouting.audit.journal.journal import left_segments
from iwrouting.audit.journal.replay import replay_left
from iwrouting.audit.journal.segments import MAGIC, JournalFault, Segment, waiting_bytes
from iwrouting.audit.writing.storing import Store, StoreDown
from iwrouting.conf.points import hit
from iwrouting.models import Writer

log = logging.getLogger(__name__)
STILLBORN_S = 60.0


@dataclass(slots=True)
class Left:
    """What was found, by writer: whose files were replayed, who holds records yet, and whose files can't be read.

    `faults` tells why a file was not replayed that nobody uses.
    """

    adopted: set[str] = field(default_factory=set)
    holding: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)


def adopt(folder: Path, journal_id: str, own: str, open_store: Callable[[], Store], *, database: str = "") -> Left:
    """Replay what other writers than `own` left in a folder, oldest first, and remove it. Blocking: in a thread.

    One process at a time, else two replay a writer's files out of order. A writer whose replay fails keeps its files,
    and holds up no other. `database`: rows that were meant for another one are left alone; empty: all are taken.
    Raises django.db.DatabaseError.
    """
    left = Left()
    for writer, paths in left_segments(folder, but=own).items():
        for path in paths:
            try:
                if _adopt(path, writer, journal_id, open_store, database):
                    left.adopted.add(writer)
                elif waiting_bytes(path):
                    left.holding.add(writer)
                    break
            except JournalFault as error:
                if is_stillborn(path):
                    path.unlink(missing_ok=True)
                    continue
                left.unreadable.add(writer)
                left.faults[writer] = str(error)
                break
            except (StoreDown, OSError) as error:
                left.holding.add(writer)
                left.faults[writer] = f"{path}: {type(error).__name__}: {error}"
                break
    return left


def _adopt(path: Path, writer: str, journal_id: str, open_store: Callable[[], Store], database: str) -> bool:
    """Whether the file was left behind; then it is stored and gone."""
    segment = Segment.take(path)
    if segment is None:
        return False
    try:
        if not segment.is_empty:
            _check_database(segment, writer, database)
        _make_known(path, writer, journal_id, str(segment.header.get("key_id", "")))
        hit("adopt.before_replay")
        found = asyncio.run(_replay(segment, open_store()))
    except BaseException:
        segment.close()
        raise
    hit("adopt.after_replay")
    if found:
        log.warning("the journal of writer %s, which ended without storing it, is replayed: %d rows", writer, found)
    return True


async def _replay(segment: Segment, store: Store) -> int:
    try:
        return (await replay_left(store, segment)).rows
    finally:
        await store.close()


def _check_database(segment: Segment, writer: str, database: str) -> None:
    """Raise JournalFault for rows of another database. One that knows the writer is its own under a new address."""
    meant = segment.header.get("database")
    if not meant or not database or meant == database or Writer.objects.filter(id=writer).exists():
        return
    raise JournalFault(
        f"{segment.path} was written for a database with another address, and this one does not know its writer: give "
        "each database a journal folder of its own (IW_JOURNAL_DIR), or take it with IW_JOURNAL_ADOPT=any"
    )


def _make_known(path: Path, writer: str, journal_id: str, key_id: str) -> None:
    """Have what is replayed swept too, also where the writer never met the database, or was swept without it."""
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    row = {
        "host": socket.gethostname()[:128],
        "pid": 0,
        "journal_id": journal_id,
        "key_id": key_id,
        "app_version": "",
        "started_at": decision_time(writer),
        "heartbeat_at": written_at,
        "mode": "journal",
    }
    _, created = Writer.objects.get_or_create(id=writer, defaults=row)
    if not created:
        Writer.objects.filter(id=writer).exclude(swept_at=None).update(swept_at=None)


def is_stillborn(path: Path) -> bool:
    """Whether a file has not even its header, long after it was made: its process died at that, it holds nothing."""
    try:
        start = path.read_bytes()[:4096]
        old = time.time() - path.stat().st_mtime > STILLBORN_S
    except OSError:
        return False
    return old and len(start) < 4096 and b"\n" not in start.removeprefix(MAGIC)
