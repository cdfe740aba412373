"""The partitions of the audit on PostgreSQL: months made ahead, and the default partition emptied (design.md 6).

Rows of a month that has no partition go to the default one: nothing is lost, but they make the month's partition
impossible until they are moved. On SQLite the tables are plain: nothing here applies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial

from django.db import connection
from django.db.backends.utils import CursorWrapper

from iwrouting.audit.keeping.patience import exclusively
from iwrouting.audit.keeping.tables import TABLES, first_of_month, partition
from iwrouting.conf.points import hit

MONTHS_AHEAD = 12
COUNTED = 10_000
MONTH = re.compile(r"_y(\d{4})m(\d{2})$")
OLD = "_old"

ATTACHED = """
SELECT child.relname, parent.relname, pg_total_relation_size(child.oid), greatest(child.reltuples, 0)::bigint
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.relname = ANY(%s) AND pg_table_is_visible(parent.oid)
ORDER BY child.relname
"""
MONTHS_OF = "SELECT date_trunc('month', decision_at AT TIME ZONE 'UTC')::date, count(*) FROM {} GROUP BY 1 ORDER BY 1"


class PartitionsRefused(Exception):
    """The default partition can't be emptied; the text says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition: of which table, which month (None: the default), bytes with indexes, rows as last estimated."""

    name: str
    table: str
    month: date | None
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Made:
    """The partitions that were made, and the months whose rows in the default partition stand in the way."""

    made: tuple[str, ...]
    blocked: tuple[date, ...]


def has_partitions() -> bool:
    """Whether the configured database has partitions at all."""
    return connection.vendor == "postgresql"


def attached() -> list[Partition]:
    """All partitions by name, the default ones among them."""
    if not has_partitions():
        return []
    with connection.cursor() as cursor:
        cursor.execute(ATTACHED, [list(TABLES)])
        return [Partition(name, table, _month(name), size, rows) for name, table, size, rows in cursor.fetchall()]


def _month(name: str) -> date | None:
    found = MONTH.search(name)
    return date(int(found[1]), int(found[2]), 1) if found else None


def default_rows(at_most: int = COUNTED) -> dict[str, int]:
    """How many rows stand in the default partition of each table, counted up to `at_most`; empty on SQLite.

    More than none is an alarm: a month was not made in time, or a clock is far off.
    """
    if not has_partitions():
        return {}
    with connection.cursor() as cursor:
        return {table: _count(cursor, table, at_most) for table in TABLES}


def _count(cursor: CursorWrapper, table: str, at_most: int) -> int:
    cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {partition(table, None)} LIMIT %s) AS few", [at_most])  # noqa: S608
    return int(cursor.fetchone()[0])


def default_months() -> dict[str, dict[date, int]]:
    """How many rows of which months stand in the default partition of each table."""
    return {table: _months_of(partition(table, None)) for table in TABLES}


def _months_of(relation: str) -> dict[date, int]:
    with connection.cursor() as cursor:
        cursor.execute(MONTHS_OF.format(relation))
        return dict(cursor.fetchall())


def missing_months(ahead: int = MONTHS_AHEAD) -> list[tuple[str, date]]:
    """The tables and months, this one and so many after it, that have no partition."""
    there = {(found.table, found.month) for found in attached()}
    today = datetime.now(UTC).date()
    wanted = [(table, first_of_month(today, number)) for number in range(ahead + 1) for table in TABLES]
    return [each for each in wanted if each not in there]


def make_months(ahead: int = MONTHS_AHEAD) -> Made:
    """Make what is missing. Raises Busy. A month that the default partition has rows of is left out and told."""
    missing = missing_months(ahead)
    if not missing:
        return Made((), ())
    in_the_way = {month for found in default_months().values() for month in found}
    made = tuple(
        exclusively([table, partition(table, None)], partial(_make, table, month))
        for table, month in missing
        if month not in in_the_way
    )
    return Made(made, tuple(sorted({month for _, month in missing} & in_the_way)))


def _make(table: str, month: date | None) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT iw_audit_make_partition(%s, %s)", [table, month])
        return str(cursor.fetchone()[0])


def drain() -> dict[str, dict[date, int]]:
    """Move the rows of the default partitions to partitions of their months; gives what was moved.

    One transaction for all three tables: whoever reads sees all rows at every moment, and a crash leaves everything
    as it was. New rows wait for it, or go to the journal. Where a table's are all of one month, its old default
    partition becomes that month's, and no row moves. Raises Busy, PartitionsRefused.
    """
    if not any(default_rows(1).values()):
        return {}
    return exclusively([*TABLES, *(partition(table, None) for table in TABLES)], _drain)


def _drain() -> dict[str, dict[date, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    moving = default_months()
    for table in TABLES:
        _set_aside(table)
    for table, found in moving.items():
        if len(found) == 1:
            _attach_as(table, *found)
    for month in sorted({month for found in moving.values() for month in found}):
        for table in TABLES:
            _make(table, month)
    hit("partitions.before_move")
    for table, found in moving.items():
        if len(found) != 1:
            _move(table, sum(found.values()))
    hit("partitions.after_move")
    return moving


def _set_aside(table: str) -> None:
    """Detach the default partition under another name, and attach an empty one."""
    default = partition(table, None)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {default}")
        cursor.execute(f"ALTER TABLE {default} RENAME TO {default}{OLD}")
    _make(table, None)


def _attach_as(table: str, month: date) -> None:
    """Attach what was set aside as the partition of the one month that its rows are of: none has to be moved."""
    name = partition(table, month)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {partition(table, None)}{OLD} RENAME TO {name}")
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{month} 00:00:00+00') TO ('{first_of_month(month, 1)} 00:00:00+00')"
        )


def _move(table: str, expected: int) -> None:
    """Insert the rows that were set aside, byte for byte, see that none is missing, and drop what held them."""
    old = partition(table, None) + OLD
    with connection.cursor() as cursor:
        # Those of the database, to which a later release may have added some; in which order, each table knows.
        cursor.execute(f"SELECT * FROM {old} LIMIT 0")  # noqa: S608 - names of models
        columns = ", ".join(f'"{column.name}"' for column in cursor.description)
        cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {old}")  # noqa: S608 - names of models
        moved = cursor.rowcount
        cursor.execute(f"SELECT count(*) FROM {partition(table, None)}")  # noqa: S608 - likewise
        left = cursor.fetchone()[0]
        if moved != expected or left:
            raise PartitionsRefused(f"{table}: {moved} of {expected} rows could be moved, {left} fit no month.")
        cursor.execute(f"DROP TABLE {old}")
