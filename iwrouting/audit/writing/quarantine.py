"""Storing units whatever single rows of them do: bisected, the bad ones put aside with their reason (faults.md T2)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from threading import Lock
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson

from iwrouting.audit.rows import DECISION, QUARANTINE, Row, finish_row
from iwrouting.audit.tamper.chain import HASH
from iwrouting.audit.writing.budget import SETTLED, Claim, Reserve, Settle, Verdict
from iwrouting.audit.writing.numbers import has_place
from iwrouting.audit.writing.storing import Rows, RowsRefused, Store, StoreDown
from iwrouting.audit.writing.units import Unit

log = logging.getLogger(__name__)
MOST_JSON = 100_000
DUPLICATE = "duplicate"
WITHDRAWN = "withdrawn"
NO_DECISION = "no_decision"
JOURNAL_DAMAGED = "journal_damaged"

Number = Callable[[Rows], None]


def quarantined(table: str, row: Row, reason: str, detail: str = "") -> tuple[str, Row]:
    """The row that stands for another one which its table does not take. The same again has the same id."""
    place = f"{row.get('writer_id')!a} {row.get('writer_seq')}"
    values = {
        "id": str(uuid5(NAMESPACE_OID, f"{table} {place} {row.get('id')!a} {reason}")),
        "at": datetime.now(UTC),
        "writer_id": row.get("writer_id", ""),
        "writer_seq": row.get("writer_seq"),
        "chain_hash": row.get(HASH, ""),
        "table_name": table,
        "decision_id": _uuid(row["id"] if table == DECISION else row.get("decision_id")),
        "reason": reason,
        "detail": detail,
        "row": _ascii(row),
    }
    return QUARANTINE, finish_row(QUARANTINE, values)


def _uuid(value: object) -> str | None:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return None


def _ascii(row: Row) -> str:
    """JSON of a row in the form that was hashed, whatever is in it, all ASCII and cut."""
    try:
        found = orjson.loads(orjson.dumps(row, option=orjson.OPT_UTC_Z))
    except TypeError:
        found = {name: value if isinstance(value, int | None) else str(value) for name, value in row.items()}
    return json.dumps(found)[:MOST_JSON]


async def store_units(store: Store, units: Sequence[Unit], bound_s: float, number: Number) -> int:
    """Store them in their order; how many rows went into quarantine. Sets `verdict` and `quarantined` of units.

    Raises StoreDown: what came before the fault stays stored. `number` gives rows their places.
    """
    before, aside = store.duplicates, 0
    for claiming, run in groupby(units, key=lambda unit: unit.claim is not None):
        aside += await _store(store, list(run), bound_s, number, claiming=claiming)
    return aside + store.duplicates - before


async def _store(store: Store, units: list[Unit], bound_s: float, number: Number, *, claiming: bool) -> int:
    try:
        if claiming:
            await _book(store, units, bound_s, number)
        else:
            await store.insert([row for unit in units for row in unit.rows], bound_s)
    except (StoreDown, OSError):
        raise
    except Exception as error:
        # RowsRefused, or a row that can't even be written down: its neighbours must not suffer.
        if len(units) == 1:
            return await _store_apart(store, units[0], bound_s, error)
        middle = len(units) // 2
        first = await _store(store, units[:middle], bound_s, number, claiming=claiming)
        return first + await _store(store, units[middle:], bound_s, number, claiming=claiming)
    return 0


async def _book(store: Store, units: list[Unit], bound_s: float, number: Number) -> None:
    asked = _Asked(units, number)
    claims: list[Claim] = [unit.claim for unit in units if unit.claim is not None]
    again = [unit.claim for unit in units if unit.claim is not None and unit.again]
    try:
        await store.book(claims, again, asked.rows_of, bound_s)
    finally:
        asked.end()


class _Asked:
    """Makes rows of verdicts, for as long as somebody waits for them.

    A booking that was late goes on by itself, on SQLite in another thread, while its units stand in the journal: what
    it numbered then might never be stored.
    """

    def __init__(self, units: list[Unit], number: Number) -> None:
        self._units = units
        self._number = number
        self._lock = Lock()
        self._is_over = False

    def end(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._is_over = True

    def rows_of(self, verdicts: list[Verdict]) -> Rows:
        """The rows to commit; sets the verdicts. Raises StoreDown where nobody waits any more."""
        with self._lock:
            if self._is_over:
                raise StoreDown("a booking came too late")
            return [
                row for unit, verdict in zip(self._units, verdicts, strict=True) for row in self._rows(unit, verdict)
            ]

    def _rows(self, unit: Unit, verdict: Verdict) -> Rows:
        unit.verdict = verdict
        if verdict.granted is None:
            self._number(unit.if_refused)
            return [*unit.rows, *unit.if_refused]
        # Numbered where an earlier try found the budget used up, and failed.
        return [*unit.rows, *withdrawn(unit)]


def withdrawn(unit: Unit) -> Rows:
    """For the quarantine: the rows of a refusal that got their numbers, and are not to be stored after all."""
    return [quarantined(table, row, WITHDRAWN) for table, row in unit.if_refused] if has_place(unit.if_refused) else []


async def _store_apart(store: Store, unit: Unit, bound_s: float, error: Exception) -> int:
    """Store a unit row by row. A reservation is not booked then; a settlement is."""
    undecided, aside = False, 0
    for table, row in unit.rows:
        reason = NO_DECISION if undecided else await _refusal(store, table, row, bound_s)
        if reason:
            aside += 1
            undecided = undecided or table == DECISION
            unit.quarantined = reason
            log.error("a row of %s went into quarantine: %s", table, reason)
            await _put_aside(store, quarantined(table, row, reason, str(error)), bound_s)
    if isinstance(unit.claim, Reserve):
        unit.quarantined = unit.quarantined or type(error).__name__
        for entry in withdrawn(unit):
            aside += 1
            await _put_aside(store, entry, bound_s)
    elif unit.claim is not None:
        unit.verdict = await _settle_apart(store, unit.claim, bound_s)
    return aside


async def _settle_apart(store: Store, claim: Settle, bound_s: float) -> Verdict:
    try:
        [verdict] = await store.book([claim], [claim], lambda _: (), bound_s)
    except (StoreDown, OSError):
        raise
    except Exception as error:
        # What is asked for again and again would hold up every row behind it.
        log.error(
            "what decision %s took is not booked, its reservation stays counted: %s",
            claim.decision_id,
            type(error).__name__,
        )
        return SETTLED
    return verdict


async def _refusal(store: Store, table: str, row: Row, bound_s: float) -> str:
    """Why the database does not take this row; empty where it did."""
    try:
        await store.insert([(table, row)], bound_s)
    except (StoreDown, OSError):
        raise
    except RowsRefused as error:
        return str(error)
    except Exception as error:
        return type(error).__name__
    return ""


async def _put_aside(store: Store, entry: tuple[str, Row], bound_s: float) -> None:
    try:
        await store.insert([entry], bound_s)
    except (StoreDown, OSError):
        raise
    except Exception as error:
        raise StoreDown(f"the quarantine does not take a row: {type(error).__name__} {error}") from error
