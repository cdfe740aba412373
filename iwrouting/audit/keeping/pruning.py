"""Retention on SQLite: old rows are deleted in bounded transactions, each with its seal (design.md 6).

Each transaction drops the triggers that refuse it, deletes, makes the triggers again as they were, and stores the seal
that stands for what went. SQLite's DDL is transactional: whatever ends the process, the guards stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from iwrouting.audit.keeping.tables import DECISION, MONTHLY, TABLES, Settle, midnight
from iwrouting.audit.tamper.seals import Leaving, removal_seal
from iwrouting.conf.points import hit

CHUNK = 2_000
"""Decisions in a transaction: less than the second and a half for which the writer waits."""

BY_DECISION = {table: "id" if table == DECISION else "decision_id" for table in TABLES}
"""The column by which rows of each table go with their decision."""


AMONG = "IN (SELECT id FROM temp.iw_leaving)"


class GuardMissing(Exception):
    """A trigger that guards the audit is not there; the text says which and what to do."""


def rows_before(day: date) -> dict[date, dict[str, int]]:
    """How many rows of which months before a day stand in each table."""
    found: dict[date, dict[str, int]] = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT substr(decision_at, 1, 7), count(*) FROM {table} WHERE decision_at < %s GROUP BY 1",  # noqa: S608
                [str(day)],
            )
            for month, count in cursor.fetchall():
                found.setdefault(date.fromisoformat(f"{month}-01"), {})[table] = count
    return dict(sorted(found.items()))


def prune(day: date, settle: Settle) -> Iterator[dict[str, int]]:
    """Delete what is older than a day, a transaction at a turn; gives the rows deleted from each table in it.

    Each begins with `settle`. Decisions go with their attempts and outcomes, then rows that have lost their decision.
    Raises GuardMissing.
    """
    for table in TABLES:
        by = BY_DECISION if table == DECISION else {table: "id"}
        while keys := _oldest(table, day):
            yield _delete(keys, by, lambda: settle(midnight(day)))


def _oldest(table: str, day: date) -> list[str]:
    rows = MONTHLY[table]._default_manager.filter(decision_at__lt=midnight(day))
    return [key.hex for key in rows.order_by("decision_at").values_list("id", flat=True)[:CHUNK]]


def _delete(keys: list[str], by: Mapping[str, str], begin: Callable[[], None]) -> dict[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        begin()
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS iw_leaving (id text PRIMARY KEY)")
        cursor.execute("DELETE FROM temp.iw_leaving")
        cursor.executemany("INSERT INTO temp.iw_leaving VALUES (%s)", [(key,) for key in keys])
        leaving = {table: f"{column} {AMONG}" for table, column in by.items()}
        removal_seal([Leaving(table, f"(SELECT * FROM {table} WHERE {which})") for table, which in leaving.items()])  # noqa: S608
        hit("retention.before_detach")
        deleted = {table: _unguarded_delete(cursor, table, which) for table, which in leaving.items()}
        hit("retention.after_detach")
    hit("retention.after_drop")
    return deleted


def _unguarded_delete(cursor: CursorWrapper, table: str, which: str) -> int:
    guard = f"{table}_no_delete"
    cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = %s", [guard])
    row = cursor.fetchone()
    if row is None:
        raise GuardMissing(f"the trigger {guard} is missing: find out who dropped it, then run 'manage.py migrate'")
    cursor.execute(f"DROP TRIGGER {guard}")
    cursor.execute(f"DELETE FROM {table} WHERE {which}")  # noqa: S608 - names of models
    deleted = int(cursor.rowcount)
    cursor.execute(row[0])
    return deleted


def free_bytes() -> int:
    """How many bytes of the file are free: used for new rows, and given back only by VACUUM."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")
        return int(cursor.fetchone()[0])
