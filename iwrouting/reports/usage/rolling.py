"""Rolling up: marked quarters of an hour are summed into cells, exactly once, by one process at a time.

A transaction each: the marks of a chunk of time are taken, then its cells are made anew from all rows that stand then.
What ends it before its commit leaves marks and cells as they were. Marks that a writer holds are passed over: their
rows can't be seen yet, and the quarter stays marked. The statements after the taking see every row that a taken mark
stood for, which needs READ COMMITTED, Django's own on PostgreSQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from iwrouting.conf.points import hit
from iwrouting.models import UsageMark, UsageState
from iwrouting.models.usage import DAY, HOUR, QUARTER
from iwrouting.reports.usage.cover import begin_of
from iwrouting.reports.usage.summing import late_calls, sum_up, sum_up_quarters

Say = Callable[[str], None]

SETTLED = timedelta(minutes=5)
"""So long after its end most calls of a quarter have ended: before, workers leave it to be read from its rows."""

LONGEST_PAUSE_S = 1.0
EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing was decided before: the ids of decisions count from here."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """What was done: quarters summed up; `late`: ended calls that came to quarters whose rows retention had removed.

    `is_ours`: False where another process was at it, and the rest was left to it.
    """

    quarters: int = 0
    late: int = 0
    is_ours: bool = True


def roll(say: Say, *, after: datetime = EVER, before: datetime | None = None, is_patient: bool = True) -> Rolled:
    """Sum up all marked quarters from `after` on that end by `before` (None: all), oldest first; `say` gets a line for
    each chunk.

    `is_patient`: whether to wait for another process that rolls up.
    """
    done = Rolled()
    while (oldest := _oldest(after, before)) is not None:
        began = time.monotonic()
        begin, after = _chunk(oldest, before)
        part = _roll_chunk(begin, after, is_patient=is_patient)
        hit("usage.after_commit")
        done = Rolled(done.quarters + part.quarters, done.late + part.late, part.is_ours)
        if not part.is_ours:
            break
        say(f"summed up {done.quarters} quarters of an hour, up to {after:%Y-%m-%d %H:%M}")
        _pause(time.monotonic() - began)
    return done


def roll_settled() -> dict[str, int]:
    """The job of workers: sum up the quarters that ended a while ago, unless another process is at it."""
    done = roll(lambda _line: None, before=datetime.now(UTC) - SETTLED, is_patient=False)
    return {"quarters": done.quarters, "late": done.late}


def settle(before: datetime) -> None:
    """In the transaction that removes all rows decided before a moment: sum up what is marked there, for good, and note
    the moment. Call it when no more rows can come there; a mark that is held all the same is of a late row.
    """
    state = _state(is_patient=True)
    if state is None:
        raise LookupError("the row of iwrouting_usagestate is gone")
    after = EVER
    while (oldest := _oldest(after, before)) is not None:
        begin, after = _chunk(oldest, before)
        _take_and_sum(begin, after, state)
    if state.raw_from is None or state.raw_from < before:
        state.raw_from = before
        state.save(update_fields=["raw_from"])


def _oldest(after: datetime, before: datetime | None) -> datetime | None:
    marks = UsageMark.objects.filter(bucket_at__gte=after)
    if before is not None:
        marks = marks.filter(bucket_at__lte=before - timedelta(minutes=QUARTER))
    return marks.order_by("bucket_at").values_list("bucket_at", flat=True).first()


def _chunk(oldest: datetime, before: datetime | None) -> tuple[datetime, datetime]:
    """What is summed up in one transaction: SQLite has one writer, and the audit's waits only half a second for us."""
    width = QUARTER if connection.vendor == "sqlite" else HOUR
    begin = begin_of(oldest, width)
    end = begin + timedelta(minutes=width)
    return begin, end if before is None else min(end, begin_of(before, QUARTER))


def _pause(worked_s: float) -> None:
    """As long as was worked: SQLite serves who asks, not who waited longest."""
    if connection.vendor == "sqlite":
        time.sleep(min(worked_s, LONGEST_PAUSE_S))


def _roll_chunk(begin: datetime, end: datetime, *, is_patient: bool) -> Rolled:
    with transaction.atomic():
        state = _state(is_patient=is_patient)
        if state is None:
            return Rolled(is_ours=False)
        part = _take_and_sum(begin, end, state)
        hit("usage.before_commit")
    return part


def _state(*, is_patient: bool) -> UsageState | None:
    """The one row, ours until the end of the transaction; None where another process has it and we are not patient."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Compiling such a statement takes seconds, running it milliseconds.
            cursor.execute("SET LOCAL jit = off")
    UsageState.objects.bulk_create([UsageState(id=1)], ignore_conflicts=True)
    return UsageState.objects.select_for_update(skip_locked=not is_patient).filter(id=1).first()


def _take_and_sum(begin: datetime, end: datetime, state: UsageState) -> Rolled:
    quarters = _take(begin, end)
    hit("usage.after_take")
    gone = [quarter for quarter in quarters if state.raw_from is not None and quarter < state.raw_from]
    fresh = [quarter for quarter in quarters if quarter not in gone]
    sum_up_quarters(fresh)
    for width in (HOUR, DAY):
        for bucket in sorted({begin_of(quarter, width) for quarter in fresh}):
            _sum_up_whole(bucket, width)
    if fresh:
        state.rolled_at = datetime.now(UTC)
        state.save(update_fields=["rolled_at"])
    return Rolled(len(fresh), sum(late_calls(quarter) for quarter in gone))


def _take(begin: datetime, end: datetime) -> list[datetime]:
    """The quarters of that time that are marked, without their marks; those that a writer holds are left."""
    marks = UsageMark.objects.filter(bucket_at__gte=begin, bucket_at__lt=end)
    taken = list(marks.select_for_update(skip_locked=True).values_list("id", "bucket_at"))
    UsageMark.objects.filter(id__in=[number for number, _ in taken]).delete()
    return sorted({quarter for _, quarter in taken})


def _sum_up_whole(bucket: datetime, width: int) -> None:
    """Sum up an hour or a day, unless a quarter of it is still marked: then nobody reads it, and who takes the last
    mark sums it up."""
    end = bucket + timedelta(minutes=width)
    if not UsageMark.objects.filter(bucket_at__gte=bucket, bucket_at__lt=end).exists():
        sum_up(bucket, width)
