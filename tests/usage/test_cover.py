"""Which cells stand for a range: the widest that nobody marked, raw rows for all else, and nothing twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from iwrouting.models.usage import DAY, HOUR, QUARTER
from iwrouting.reports.usage.cover import RAW, WIDTHS, begin_of, cover
from tests.harness.samples import sample

START = datetime(2026, 11, 20, tzinfo=UTC)
A_QUARTER = timedelta(minutes=15)


def at(days: int, hours: int = 0, minutes: int = 0, microseconds: int = 0) -> datetime:
    """A time after START."""
    return START + timedelta(days=days, hours=hours, minutes=minutes, microseconds=microseconds)


def told(start: datetime, end: datetime, *marked: datetime) -> list[tuple[int, datetime, datetime]]:
    """The segments of one period."""
    return [(each.width, each.start, each.end) for each in cover([(start, end)], marked)]


def test_clean_days__are_one_segment() -> None:
    assert told(at(0), at(30)) == [(DAY, at(0), at(30))]


def test_a_day_of_another_zone__is_hours_between_quarters() -> None:
    assert told(at(0, 18, 30), at(1, 18, 30)) == [
        (QUARTER, at(0, 18, 30), at(0, 19)),
        (HOUR, at(0, 19), at(1, 18)),
        (QUARTER, at(1, 18), at(1, 18, 30)),
    ]


def test_a_marked_quarter__is_raw_and_the_rest_of_its_day_in_cells() -> None:
    assert told(at(0), at(3), at(1, 9, 15)) == [
        (DAY, at(0), at(1)),
        (HOUR, at(1), at(1, 9)),
        (QUARTER, at(1, 9), at(1, 9, 15)),
        (RAW, at(1, 9, 15), at(1, 9, 30)),
        (QUARTER, at(1, 9, 30), at(1, 10)),
        (HOUR, at(1, 10), at(2)),
        (DAY, at(2), at(3)),
    ]


def test_a_part_of_a_quarter__is_raw_and_joins_a_marked_neighbour() -> None:
    assert told(at(0, 0, 7), at(0, 1, 1), at(0, 0, 15)) == [
        (RAW, at(0, 0, 7), at(0, 0, 30)),
        (QUARTER, at(0, 0, 30), at(0, 1)),
        (RAW, at(0, 1), at(0, 1, 1)),
    ]
    assert told(at(0, 0, 1), at(0, 0, 2)) == [(RAW, at(0, 0, 1), at(0, 0, 2))]


@sample(150)
@given(
    st.integers(0, 8 * DAY * 60_000_000),
    st.lists(st.integers(1, 3 * DAY * 60_000_000), min_size=1, max_size=5),
    st.sets(st.integers(0, 20 * 96), max_size=12),
    st.booleans(),
)
def test_segments__of_any_periods_and_marks__are_the_periods_and_no_cell_is_marked(
    first: int, lengths: list[int], quarters: set[int], on_quarters: bool
) -> None:
    bounds = [at(0, microseconds=first)]
    for length in lengths:
        bounds.append(bounds[-1] + timedelta(microseconds=length))
    if on_quarters:
        bounds = sorted({begin_of(bound) for bound in bounds})
    parts, marked = [*pairwise(bounds)], {START + quarter * A_QUARTER for quarter in quarters}
    segments = cover(parts, marked)
    for place, (start, end) in enumerate(parts):
        own = [each for each in segments if each.period == place]
        assert (own[0].start, own[-1].end) == (start, end)
        assert all(one.end == other.start and one.width != other.width for one, other in pairwise(own))
    for each in segments:
        if each.width == RAW:
            assert all_needed(each.start, each.end, parts[each.period], marked)
        else:
            assert [begin_of(each.start, each.width), begin_of(each.end, each.width)] == [each.start, each.end]
            assert not any(each.start <= mark < each.end for mark in marked)
            assert not any(
                fits(each.start, each.end, wider, parts[each.period], marked) for wider in WIDTHS if wider > each.width
            )
    if on_quarters and not marked:
        assert not any(each.width == RAW for each in segments)


def all_needed(start: datetime, end: datetime, period: tuple[datetime, datetime], marked: set[datetime]) -> bool:
    """Whether no whole clean quarter is read raw."""
    quarter = begin_of(start)
    while quarter < end:
        if quarter not in marked and period[0] <= quarter and quarter + A_QUARTER <= period[1]:
            return False
        quarter += A_QUARTER
    return True


def fits(start: datetime, end: datetime, width: int, period: tuple[datetime, datetime], marked: set[datetime]) -> bool:
    """Whether a wider cell that touches this could stand there instead: within the period, and without a mark."""
    bucket = begin_of(start, width)
    while bucket < end:
        after = bucket + timedelta(minutes=width)
        if period[0] <= bucket and after <= period[1] and not any(bucket <= mark < after for mark in marked):
            return True
        bucket = after
    return False
