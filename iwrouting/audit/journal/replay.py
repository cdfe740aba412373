"""From the journal into the database: by id, in order, whatever single records or rows are (faults.md D2)."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from dataclasses import dataclass, field
from uuid import NAMESPACE_OID, uuid5

from iwrouting.audit.journal.records import UnreadableRecord, decode
from iwrouting.audit.journal.segments import Damage, JournalFault, Segment
from iwrouting.audit.writing.quarantine import JOURNAL_DAMAGED, quarantined, store_units
from iwrouting.audit.writing.storing import Rows, Store
from iwrouting.audit.writing.units import MAX_ROWS, Unit
from iwrouting.conf.points import hit

log = logging.getLogger(__name__)
REPLAY_S = 15.0
MOST_BYTES = 4_000_000
KEPT_BYTES = 64_000_000
SHOWN_BYTES = 30_000


@dataclass(slots=True)
class Portion:
    """Units that stand one behind the other in a segment, and the offset behind them. `damages`: places passed over."""

    next: int
    units: list[Unit] = field(default_factory=list)
    rows: int = 0
    damages: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a segment held. `quarantined` counts rows, `damages` places."""

    rows: int
    quarantined: int
    damages: int


def read_portion(segment: Segment, offset: int) -> Portion:
    """What comes at `offset`, about one batch; without units at the segment's end. Blocking. Raises OSError.

    What is damaged is kept in a file beside the segment, and a row of the quarantine tells of it.
    """
    portion = Portion(offset)
    for found in segment.records(offset):
        if isinstance(found, Damage):
            _pass_over(segment, found, portion)
            portion.next = found.end
            continue
        try:
            units = decode(found.payload)
        except UnreadableRecord:
            _pass_over(segment, Damage(portion.next, found.next, torn=False), portion)
            portion.next = found.next
            continue
        portion.units += units
        portion.rows += sum(len(unit.rows) for unit in units)
        portion.next = found.next
        if portion.rows >= MAX_ROWS or portion.next - offset >= MOST_BYTES:
            break
    return portion


def _pass_over(segment: Segment, damage: Damage, portion: Portion) -> None:
    length = damage.end - damage.start
    if damage.torn:
        log.warning("%s: %d bytes at its end are no whole record and were never acknowledged", segment.path, length)
        return
    log.error("%s: %d bytes at %d are damaged and passed over", segment.path, length, damage.start)
    _keep(segment, damage)
    portion.units.append(Unit([_told(segment, damage)]))
    portion.damages += 1


def _keep(segment: Segment, damage: Damage) -> None:
    """Append the bytes to `<segment>.damaged`, for whoever looks into it."""
    path = segment.path.with_name(f"{segment.path.name}.damaged")
    try:
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, segment.bytes_of(damage, KEPT_BYTES))
        finally:
            os.close(handle)
    except OSError as error:
        log.error("%s can't be written: %s", path, error.strerror)


def _told(segment: Segment, damage: Damage) -> tuple[str, dict[str, object]]:
    ident = str(uuid5(NAMESPACE_OID, f"{segment.path.name} {damage.start}"))
    shown = base64.b85encode(segment.bytes_of(damage, SHOWN_BYTES)).decode()
    row = {"id": ident, "writer_id": str(segment.header.get("writer_id", "")), "bytes_base85": shown}
    detail = f"{segment.path.name}: {damage.end - damage.start} bytes at {damage.start}"
    return quarantined("journal", row, JOURNAL_DAMAGED, detail)


async def store_portion(store: Store, portion: Portion, bound_s: float = REPLAY_S) -> int:
    """Commit a portion; how many rows went into quarantine. Raises StoreDown, or OSError at a fault point."""
    hit("replay.before_insert")
    aside = await store_units(store, portion.units, bound_s, _numbered)
    hit("replay.after_insert")
    return aside


def _numbered(rows: Rows) -> None:
    """Rows of a journal have their places."""


async def replay_left(store: Store, segment: Segment, bound_s: float = REPLAY_S) -> Replayed:
    """Store all that a dead process left in a segment, then remove the file; what was in it.

    Takes a segment that `Segment.take` locked. Raises StoreDown, JournalFault or OSError: then the file stands as it
    was, and the caller closes the segment and comes again; what is stored already is not stored twice.
    """
    offset, rows, aside, damages = segment.start, 0, 0, 0
    while True:
        portion = await asyncio.to_thread(read_portion, segment, offset)
        if portion.units:
            aside += await store_portion(store, portion, bound_s)
        if portion.next == offset:
            break
        offset, rows, damages = portion.next, rows + portion.rows, damages + portion.damages
    hit("replay.before_clear")
    await asyncio.to_thread(_remove, segment)
    hit("replay.after_clear")
    return Replayed(rows, aside, damages)


def _remove(segment: Segment) -> None:
    try:
        segment.close(remove=True)
    except OSError as error:
        raise JournalFault(f"{segment.path} can't be removed: {error.strerror}") from error
