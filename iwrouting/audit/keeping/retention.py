"""Retention: whole months that are older than IW_AUDIT_RETENTION_DAYS leave, and a seal stands for them (design.md 6).

PostgreSQL removes partitions (`detaching`), SQLite deletes rows (`pruning`). Views and reports show what is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from iwrouting.audit.keeping import detaching, pruning
from iwrouting.audit.keeping.partitions import Partition
from iwrouting.audit.keeping.tables import TABLES, Settle, kept_from
from iwrouting.models import HeldResponse

HELD_CHUNK = 1_000
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OldMonth:
    """A month that is older than what is kept: rows by table; bytes with indexes, None where they can't be known."""

    month: date
    rows: dict[str, int]
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What leaves: everything before `before`; `left` are tables of an interrupted run, to be dropped."""

    before: date
    months: tuple[OldMonth, ...]
    left: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.months and not self.left


def plan(days: int, now: datetime) -> Plan | None:
    """What leaves under a retention of so many days; None for 0, which keeps all."""
    if not days:
        return None
    before = kept_from(days, now)
    if connection.vendor == "sqlite":
        months = (OldMonth(month, rows, None) for month, rows in pruning.rows_before(before).items())
        return Plan(before, tuple(months))
    months = (_told(month, partitions) for month, partitions in detaching.old_partitions(before).items())
    return Plan(before, tuple(months), tuple(detaching.left_over()))


def _told(month: date, partitions: list[Partition]) -> OldMonth:
    with connection.cursor() as cursor:
        rows = {}
        for each in partitions:
            cursor.execute(f"SELECT count(*) FROM {each.name}")  # noqa: S608 - a name of the catalogue
            rows[each.table] = int(cursor.fetchone()[0])
    return OldMonth(month, rows, sum(each.bytes for each in partitions))


def apply(planned: Plan, say: Say, settle: Settle) -> None:
    """Remove it; `say` gets a line for each part. Raises Busy, GuardMissing: what was removed by then is sealed."""
    remove = _prune if connection.vendor == "sqlite" else _detach
    for line in remove(planned.before, settle):
        say(line)


def _detach(before: date, settle: Settle) -> Iterator[str]:
    yield from (f"dropped {name}, left by an interrupted run" for name in detaching.drop_left_over())
    for month, partitions in detaching.old_partitions(before).items():
        yield f"{month:%Y-%m}: working out its seal, then removing it"
        seal = detaching.detach(month, partitions, settle)
        detaching.drop_left_over()
        yield f"removed {month:%Y-%m}; seal {seal.number} stands for it"


def _prune(before: date, settle: Settle) -> Iterator[str]:
    done = dict.fromkeys(TABLES, 0)
    for deleted in _paced(pruning.prune(before, settle)):
        done = {table: count + deleted.get(table, 0) for table, count in done.items()}
        yield "removed so far: " + ", ".join(f"{count} of {table}" for table, count in done.items())


def _paced(turns: Iterator[dict[str, int]]) -> Iterator[dict[str, int]]:
    """The same, with a pause after each turn as long as the turn: SQLite serves who asks, not who waited longest."""
    began = time.monotonic()
    for turn in turns:
        yield turn
        time.sleep(min(time.monotonic() - began, 1))
        began = time.monotonic()


def old_held(days: int, now: datetime) -> int:
    """How many rows of held responses are older; 0 days keeps all."""
    return HeldResponse.objects.filter(created_at__lt=now - timedelta(days=days)).count() if days else 0


def remove_held(days: int, now: datetime) -> int:
    """Delete the rows of held responses that are older, a bounded number at a time; gives how many went."""
    removed = 0
    while days:
        old = HeldResponse.objects.filter(created_at__lt=now - timedelta(days=days))
        # Their ids are in the order of time: the first of them are found at once.
        keys = list(old.order_by("id").values_list("id", flat=True)[:HELD_CHUNK])
        removed += HeldResponse.objects.filter(id__in=keys).delete()[0]
        if len(keys) < HELD_CHUNK:
            break
    return removed
