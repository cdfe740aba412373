"""Cells of a range made anew from the raw rows: all its quarters of an hour are marked, then rolled up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from iwrouting.models import Decision, UsageCell, UsageMark, UsageState
from iwrouting.models.usage import QUARTER
from iwrouting.reports.usage.cover import begin_of

BATCH = 1_000
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""A quarter after it has an end."""


class RawRowsGone(Exception):
    """The range has a part whose raw rows are removed: that which was decided before `before`."""

    def __init__(self, before: datetime) -> None:
        super().__init__(
            f"the raw rows before {before:%Y-%m-%d %H:%M} UTC were removed, and their cells stay as they are"
        )
        self.before = before


@dataclass(frozen=True, slots=True)
class Range:
    """Whole quarters of an hour, from `begin` until before `end`, in UTC."""

    begin: datetime
    end: datetime

    @classmethod
    def around(cls, begin: datetime, end: datetime) -> Range:
        """The quarters in which moments from `begin` until before `end` lie."""
        last = min(end - timedelta(microseconds=1), LATEST)
        return cls(begin_of(begin, QUARTER), begin_of(last, QUARTER) + timedelta(minutes=QUARTER))

    @property
    def quarters(self) -> int:
        """How many they are."""
        return (self.end - self.begin) // timedelta(minutes=QUARTER)

    def __iter__(self) -> Iterator[datetime]:
        return (self.begin + number * timedelta(minutes=QUARTER) for number in range(self.quarters))


def trimmed(wanted: Range) -> Range:
    """The same without the time before the first decision and cell, and after the last: its end may be years ahead."""
    rows = Decision.objects.order_by("decision_at").values_list("decision_at", flat=True)
    cells = UsageCell.objects.filter(width=QUARTER).order_by("bucket_at").values_list("bucket_at", flat=True)
    found = [at for at in (rows.first(), cells.first(), rows.last(), cells.last()) if at is not None]
    if not found:
        return Range(wanted.end, wanted.end)
    there = Range.around(min(found), max(found) + timedelta(microseconds=1))
    begin = min(max(wanted.begin, there.begin), wanted.end)
    return Range(begin, max(begin, min(wanted.end, there.end)))


def check(wanted: Range) -> None:
    """Raises RawRowsGone where retention has removed rows of the range."""
    state = UsageState.objects.filter(id=1).first()
    if state and state.raw_from and wanted.begin < state.raw_from:
        raise RawRowsGone(state.raw_from)


def mark(wanted: Range) -> None:
    """Mark all of them, at once: whoever rolls up next makes their cells anew. Raises RawRowsGone."""
    with transaction.atomic():
        # The lock of whoever removes rows: none of the range can leave before its marks stand.
        UsageState.objects.bulk_create([UsageState(id=1)], ignore_conflicts=True)
        UsageState.objects.select_for_update().get(id=1)
        check(wanted)
        UsageMark.objects.bulk_create((UsageMark(bucket_at=each) for each in wanted), batch_size=BATCH)
