"""A range of time in parts, by the clock on the wall of a zone (faults.md T21). Pure.

A day is as long as its zone makes it: 23, 24, 24.5 or 25 hours, and a date that a zone left out is no day at all. An
hour is a whole hour of the clock; where the clock is put forward or back a new one begins, so that an hour which
comes twice is two, told apart by their offsets.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

A_SECOND, AN_HOUR, A_DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MOST_PERIODS = 10_000
"""Of one range: over a year of hours."""


class Step(StrEnum):
    """What a range is cut into. Weeks begin on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(NamedTuple):
    """From `start` up to, not including, `end`, both UTC. `name`: what the clock shows at the beginning of the whole
    of it, which a range may cut: `2026-11-23T09:00:00+01:00`, `2026-11-23` (of a week its Monday) or `2026-11`."""

    start: datetime
    end: datetime
    name: str


class TooManyPeriods(ValueError):
    """A range is cut into more than MOST_PERIODS."""


def periods(start: datetime, end: datetime, zone: tzinfo, step: Step | None = None) -> list[Period]:
    """The parts of a range between 1970 and 2200, the first and the last cut by it; no step: all of it, without a name.

    They follow each other without a gap, and none is empty. Raises TooManyPeriods.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if step is None:
        return [Period(start, end, "")]
    found: list[Period] = []
    begun = _hours(start, zone) if step is Step.HOUR else _dates(start, zone, step)
    for (at, name), (after, _) in pairwise(begun):
        period = Period(max(start, at), min(end, after), name)
        if period.start < period.end:
            found.append(period)
        if len(found) > MOST_PERIODS:
            raise TooManyPeriods
        if after >= end:
            break
    return found


def _hours(start: datetime, zone: tzinfo) -> Iterator[tuple[datetime, str]]:
    """Where hours begin, from a day's beginning at or before `start` on."""
    at = day_begins(start.astimezone(zone).date(), zone)
    while True:
        yield at, at.astimezone(zone).isoformat()
        at = _next_hour(at, zone)


def _next_hour(at: datetime, zone: tzinfo) -> datetime:
    wall = at.astimezone(zone)
    after = at + AN_HOUR - timedelta(minutes=wall.minute, seconds=wall.second)
    return after if after.astimezone(zone).utcoffset() == wall.utcoffset() else _turn(at, after, zone)


def _dates(start: datetime, zone: tzinfo, step: Step) -> Iterator[tuple[datetime, str]]:
    """Where days, weeks or months begin, from one at or before `start` on."""
    day = _first(start.astimezone(zone).date(), step)
    while True:
        yield day_begins(day, zone), day.isoformat()[: 7 if step is Step.MONTH else None]
        day = _next(day, step)


def _first(day: date, step: Step) -> date:
    if step is Step.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if step is Step.WEEK else day


def _next(day: date, step: Step) -> date:
    if step is Step.MONTH:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if step is Step.WEEK else 1)


def day_begins(day: date, zone: tzinfo) -> datetime:
    """When clocks first show this date or, where a zone left it out, a later one; UTC."""
    midnight = datetime.combine(day, time(), zone)  # the first of two
    at = midnight.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return at
    # The clock leaps over it: read by the later offset it lies before the leap, by the earlier one after it.
    return _turn(midnight.replace(fold=1).astimezone(UTC), at, zone)


def _turn(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """The first moment after `low` with the offset that there is at `high`, to the second."""
    offset = high.astimezone(zone).utcoffset()
    while high - low > A_SECOND:
        middle = low + timedelta(seconds=(high - low) // A_SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high
