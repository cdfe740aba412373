"""Retention on PostgreSQL: a month's partitions are detached together with their seal, then dropped (design.md 6)."""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from django.db import connection, transaction

from iwrouting.audit.keeping.partitions import Partition, attached
from iwrouting.audit.keeping.patience import exclusively, lock
from iwrouting.audit.keeping.tables import TABLES, Settle, first_of_month, midnight, partition
from iwrouting.audit.tamper.seals import Leaving, removal_seal
from iwrouting.conf.points import hit
from iwrouting.models import Seal

REMOVED = "_removed"
LEFT = re.compile(rf"({'|'.join(TABLES)})_y\d{{4}}m\d{{2}}{REMOVED}")
RENAMED = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition AND relname LIKE %s "
    "AND pg_table_is_visible(oid) ORDER BY relname"
)
PATIENT = "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'"


def old_partitions(before: date) -> dict[date, list[Partition]]:
    """The partitions of each month before that of a day, oldest first."""
    found: dict[date, list[Partition]] = {}
    for each in sorted(attached(), key=lambda each: (each.month or date.max, TABLES.index(each.table))):
        if each.month is not None and each.month < before:
            found.setdefault(each.month, []).append(each)
    return found


def left_over() -> list[str]:
    """Tables that were detached and sealed, and not dropped: what an interrupted run leaves."""
    with connection.cursor() as cursor:
        cursor.execute(RENAMED, [f"%{REMOVED}"])
        return [name for (name,) in cursor.fetchall() if LEFT.fullmatch(name)]


def detach(month: date, partitions: list[Partition], settle: Settle) -> Seal:
    """Take a month's partitions out of their tables and store the seal that stands for them, in one transaction.

    What the seal says is worked out before anything is locked that others need: until then only new rows of these very
    months wait. So `settle` finds all rows of the month that will ever be. Raises Busy: then nothing was changed.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(PATIENT)
        exclusively((), lambda: lock([each.name for each in partitions], "SHARE"))
        seal = removal_seal([Leaving(each.table, each.name) for each in partitions])
        exclusively((), lambda: settle(midnight(first_of_month(month, 1))))
        hit("retention.before_detach")
        parents = [each.table for each in partitions]
        defaults = [partition(table, None) for table in parents]
        exclusively([*parents, *defaults, *(each.name for each in partitions)], lambda: _detach(partitions))
    hit("retention.after_detach")
    return seal


def _detach(partitions: list[Partition]) -> None:
    with connection.cursor() as cursor:
        for each in partitions:
            cursor.execute(f"ALTER TABLE {each.table} DETACH PARTITION {each.name}")
            cursor.execute(f"ALTER TABLE {each.name} RENAME TO {each.name}{REMOVED}")


def drop_left_over() -> list[str]:
    """Drop what was detached and sealed; gives the names. Raises Busy."""
    names = left_over()
    for name in names:
        exclusively([name], partial(_drop, name))
        hit("retention.after_drop")
    return names


def _drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")
