"""Reading the usage of any range: its marks, its cells and its raw rows as they stood at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from iwrouting.models import Attempt, Decision, Outcome, UsageMark, UsageState
from iwrouting.models.consistent import one_moment
from iwrouting.models.patience import cursor_for
from iwrouting.models.usage import MEASURES, Counts
from iwrouting.reports.usage.cover import A_QUARTER, RAW, Segment, begin_of, cover
from iwrouting.reports.usage.periods import Period, periods
from iwrouting.reports.usage.question import Question, Source
from iwrouting.reports.usage.statement import statement

HINTS = "SET LOCAL jit = off; "
"""For PostgreSQL: to compile the statement takes longer than to run it."""

HOLD = "LOCK TABLE {} IN ACCESS SHARE MODE".format(
    ", ".join(f"ONLY {each._meta.db_table}" for each in (Decision, Attempt, Outcome))
)
"""For PostgreSQL, before the moment is chosen: a partition that is detached goes at once, also for who sees an older
moment, in which its rows are not summed up yet."""

COUNTED = frozenset(field.name for field in Counts._meta.fields if not field.null)
"""The measures that are 0, not null, where there is nothing."""


class Removed(Exception):
    """Raw rows of a time are asked for that retention has removed. `before`: what was decided before it is gone."""

    def __init__(self, before: datetime) -> None:
        super().__init__(f"raw rows from before {before.isoformat()} are removed")
        self.before = before


class CutsQuarter(Removed):
    """The range begins or ends at `bound`, inside a quarter of an hour whose raw rows are removed."""

    def __init__(self, before: datetime, bound: datetime) -> None:
        super().__init__(before)
        self.bound = bound

    @property
    def nearest(self) -> tuple[datetime, datetime]:
        """The bounds of that quarter."""
        return begin_of(self.bound), begin_of(self.bound) + A_QUARTER


class Row(NamedTuple):
    """The measures of a group in a period. `names`: in the order of the question's group."""

    period: Period
    names: tuple[str, ...]
    counts: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked. `groups`: how many rows there are without a limit, whose measures `totals` sums up.

    `cells`, `raw`: whether either was read. `raw_from`: before it there are cells alone; None: nothing was removed.
    """

    rows: Sequence[Row]
    totals: Mapping[str, int | None]
    groups: int
    cells: bool
    raw: bool
    raw_from: datetime | None


def read(question: Question, seconds: float | None = None) -> Usage:
    """The usage that is asked for, exactly as its raw rows add up to it, whether or not they were rolled up.

    seconds: how long each statement may take. Raises TooManyPeriods, CutsQuarter, Removed, OutOfTime.
    """
    parts = periods(question.start, question.end, question.zone, question.step)
    with one_moment(), cursor_for(seconds, HINTS) as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(HOLD)
        raw_from = UsageState.objects.values_list("raw_from", flat=True).first()
        segments = _segments(question, parts, raw_from)
        cursor.execute(*statement(question, parts, segments))
        (_, groups, *totals), *rows = cursor.fetchall()
    width = len(question.group)
    return Usage(
        [Row(parts[place], tuple(found[:width]), _counts(found[width:])) for _, place, *found in rows],
        _counts(totals[width:]),
        groups,
        any(each.width != RAW for each in segments),
        any(each.width == RAW for each in segments),
        raw_from,
    )


def _segments(question: Question, parts: Sequence[Period], raw_from: datetime | None) -> list[Segment]:
    start, end = parts[0].start, parts[-1].end
    if question.source is Source.RAW:
        if raw_from is not None and start < raw_from:
            raise Removed(raw_from)
        return [Segment(place, RAW, part.start, part.end) for place, part in enumerate(parts)]
    for bound in (start, end):
        if raw_from is not None and bound != begin_of(bound) < raw_from:
            raise CutsQuarter(raw_from, bound)
    marks = UsageMark.objects.filter(bucket_at__gte=begin_of(start), bucket_at__lt=end)
    if raw_from is not None:  # a row that came late to a quarter whose rows are removed: its cells stay as they were
        marks = marks.filter(bucket_at__gte=raw_from)
    return cover(((part.start, part.end) for part in parts), set(marks.values_list("bucket_at", flat=True)))


def _counts(found: Sequence[int | None]) -> dict[str, int | None]:
    """PostgreSQL sums whole numbers to decimals."""
    said = zip(MEASURES, found, strict=True)
    return {name: int(value or 0) if value is not None or name in COUNTED else None for name, value in said}
