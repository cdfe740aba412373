"""Cells of a range made anew from the raw rows: all its quarters of an hour are marked, then rolled up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from iwrouting.models import UsageMark, UsageState
from iwrouting.models.usage import QUARTER
from iwrouting.reports.usage.summing import begin_of

BATCH = 1_000


class RawRowsGone(Exception):
    """A part of the range has cells and no raw rows any more; the text says until when."""


@dataclass(frozen=True, slots=True)
class Range:
    """Whole quarters of an hour, from `begin` until before `end`, in UTC."""

    begin: datetime
    end: datetime

    @classmethod
    def around(cls, begin: datetime, end: datetime) -> Range:
        """The quarters in which moments from `begin` until before `end` lie."""
        last = end - timedelta(microseconds=1)
        return cls(begin_of(begin, QUARTER), begin_of(last, QUARTER) + timedelta(minutes=QUARTER))

    @property
    def quarters(self) -> int:
        """How many they are."""
        return (self.end - self.begin) // timedelta(minutes=QUARTER)

    def __iter__(self) -> Iterator[datetime]:
        return (self.begin + number * timedelta(minutes=QUARTER) for number in range(self.quarters))


def check(wanted: Range) -> None:
    """Raises RawRowsGone where retention has removed rows of the range."""
    state = UsageState.objects.filter(id=1).first()
    if state and state.raw_from and wanted.begin < state.raw_from:
        gone = f"{state.raw_from:%Y-%m-%d %H:%M}"
        raise RawRowsGone(f"the rows before {gone} UTC were removed: their cells stay as they are")


def mark(wanted: Range) -> None:
    """Mark all of them, at once: whoever rolls up next makes their cells anew. Raises RawRowsGone."""
    with transaction.atomic():
        # The lock of whoever removes rows: none of the range can leave before its marks stand.
        UsageState.objects.bulk_create([UsageState(id=1)], ignore_conflicts=True)
        UsageState.objects.select_for_update().get(id=1)
        check(wanted)
        UsageMark.objects.bulk_create((UsageMark(bucket_at=each) for each in wanted), batch_size=BATCH)
