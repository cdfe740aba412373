"""Which cells stand for a range of time, and where only the raw rows do. Pure.

Cells count whole quarters of an hour, hours and days, in UTC. What is marked has rows that its cells lack, and a part
of a quarter has no cell: both are read from the raw rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from iwrouting.models.usage import DAY, HOUR, QUARTER

RAW = 0
"""The width of a segment that no cells stand for."""

WIDTHS = (DAY, HOUR, QUARTER)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
A_QUARTER = timedelta(minutes=QUARTER)
Touched = Mapping[int, frozenset[datetime]]


class Segment(NamedTuple):
    """From `start` up to, not including, `end`: cells of so many minutes, or RAW. `period`: the place of its period."""

    period: int
    width: int
    start: datetime
    end: datetime


def cover(periods: Iterable[tuple[datetime, datetime]], marked: Collection[datetime]) -> list[Segment]:
    """The fewest segments that are these periods, each a start and an end in UTC: the widest cells that nobody marked.

    Neighbours of one width within a period are one segment. `marked`: beginnings of quarters of an hour.
    """
    touched = {width: frozenset(begin_of(at, width) for at in marked) for width in WIDTHS}
    return [segment for place, (start, end) in enumerate(periods) for segment in _segments(place, start, end, touched)]


def begin_of(at: datetime, width: int = QUARTER) -> datetime:
    """The beginning of the bucket of that width, in minutes, in which a time lies."""
    return at - (at - EPOCH) % timedelta(minutes=width)


def buckets(segment: Segment) -> Iterator[datetime]:
    """The beginnings of its cells."""
    at = segment.start
    while at < segment.end:
        yield at
        at += timedelta(minutes=segment.width)


def joined(ranges: Iterable[tuple[datetime, datetime]]) -> Sequence[tuple[datetime, datetime]]:
    """Ranges in the order of time that do not overlap, neighbours as one."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in ranges:
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def _segments(place: int, start: datetime, end: datetime, touched: Touched) -> list[Segment]:
    found: list[Segment] = []
    while start < end:
        width = next((width for width in WIDTHS if _is_cell(start, end, width, touched[width])), RAW)
        after = start + timedelta(minutes=width) if width else min(end, begin_of(start) + A_QUARTER)
        if found and found[-1].width == width:
            start = found.pop().start
        found.append(Segment(place, width, start, after))
        start = after
    return found


def _is_cell(start: datetime, end: datetime, width: int, touched: Collection[datetime]) -> bool:
    return begin_of(start, width) == start and start + timedelta(minutes=width) <= end and start not in touched
