"""Ranges by the clock of a zone: days of 23, 24.5 and 25 hours, hours that come twice or never, dates left out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.reports.usage.cover import begin_of
from iwrouting.reports.usage.periods import MOST_PERIODS, Period, Step, TooManyPeriods, day_begins, periods
from tests.harness.samples import sample

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
RECENT = st.datetimes(datetime(2012, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))
LORD_HOWE, BERLIN, NEW_YORK = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def day_of(zone: ZoneInfo, *day: int) -> list[Period]:
    """The hours of a date there."""
    start = date(*day)
    return periods(day_begins(start, zone), day_begins(start + timedelta(days=1), zone), zone, Step.HOUR)


def names(found: list[Period]) -> list[str]:
    """What the clock shows, without the date."""
    return [period.name[11:] for period in found]


def hours(found: list[Period]) -> float:
    """How long they are together."""
    return (found[-1].end - found[0].start) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day", "length", "parts"),
    [
        (BERLIN, (2026, 3, 29), 23, 23),
        (BERLIN, (2026, 10, 25), 25, 25),
        (NEW_YORK, (2026, 3, 8), 23, 23),
        (NEW_YORK, (2026, 11, 1), 25, 25),
        (LORD_HOWE, (2026, 10, 4), 23.5, 24),
        (LORD_HOWE, (2026, 4, 5), 24.5, 25),
        (ZoneInfo("Asia/Kolkata"), (2026, 3, 29), 24, 24),
        (ZoneInfo("Asia/Kathmandu"), (2026, 3, 29), 24, 24),
        (ZoneInfo("Pacific/Kiritimati"), (2026, 3, 29), 24, 24),
        (ZoneInfo("America/Sao_Paulo"), (2018, 11, 4), 23, 23),
    ],
)
def test_a_day__by_hours__is_as_long_as_its_clock_makes_it(
    zone: ZoneInfo, day: tuple[int, int, int], length: float, parts: int
) -> None:
    found = day_of(zone, *day)
    assert (hours(found), len(found)) == (length, parts)


def test_an_hour__that_comes_twice__is_two_told_apart_by_their_offsets() -> None:
    assert names(day_of(BERLIN, 2026, 10, 25))[1:5] == [
        "01:00:00+02:00",
        "02:00:00+02:00",
        "02:00:00+01:00",
        "03:00:00+01:00",
    ]


def test_an_hour__that_never_comes__is_left_out() -> None:
    assert names(day_of(BERLIN, 2026, 3, 29))[1:3] == ["01:00:00+01:00", "03:00:00+02:00"]
    assert names(day_of(ZoneInfo("America/Sao_Paulo"), 2018, 11, 4))[0] == "01:00:00-02:00"


def test_half_an_hour__put_back__comes_again_as_a_part_of_its_own() -> None:
    back, forward = day_of(LORD_HOWE, 2026, 4, 5)[1:4], day_of(LORD_HOWE, 2026, 10, 4)[1:4]
    assert names(back) == ["01:00:00+11:00", "01:30:00+10:30", "02:00:00+10:30"]
    assert [hours([each]) for each in back] == [1, 0.5, 1]
    assert names(forward) == ["01:00:00+10:30", "02:30:00+11:00", "03:00:00+11:00"]
    assert [hours([each]) for each in forward] == [1, 0.5, 1]


@pytest.mark.parametrize(
    ("zone", "left_out"), [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kiritimati", date(1994, 12, 31))]
)
def test_a_date__that_a_zone_left_out__is_no_day(zone: str, left_out: date) -> None:
    around = [left_out + timedelta(days=days) for days in (-1, 0, 1)]
    start, end = (day_begins(left_out + timedelta(days=days), ZoneInfo(zone)) for days in (-1, 2))
    found = periods(start, end, ZoneInfo(zone), Step.DAY)
    assert [period.name for period in found] == [str(around[0]), str(around[2])]
    assert end - start == timedelta(days=2)


def test_a_day__of_a_zone_with_quarters__begins_on_its_own_clock() -> None:
    start = datetime(2026, 11, 22, 12, tzinfo=UTC)
    beginnings = {"Asia/Kolkata": "18:30", "Asia/Kathmandu": "18:15", "Pacific/Kiritimati": "10:00"}
    for zone, expected in beginnings.items():
        second = periods(start, start + timedelta(days=2), ZoneInfo(zone), Step.DAY)[1]
        assert f"{second.start:%H:%M}" == expected, zone


def test_weeks_and_months__begin_on_monday_and_on_the_first__and_the_range_cuts_them() -> None:
    start, end = datetime(2026, 10, 29, 9, 7, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
    weeks, months = periods(start, end, BERLIN, Step.WEEK), periods(start, end, BERLIN, Step.MONTH)
    assert [each.name for each in weeks] == ["2026-10-26", "2026-11-02", "2026-11-09"]
    assert [each.name for each in months] == ["2026-10", "2026-11"]
    assert (weeks[0].start, months[-1].end) == (start, end)
    assert months[0].end == datetime(2026, 10, 31, 23, tzinfo=UTC)


def test_too_many__are_refused() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert len(periods(start, start + timedelta(hours=MOST_PERIODS), UTC, Step.HOUR)) == MOST_PERIODS
    with pytest.raises(TooManyPeriods):
        periods(start, start + timedelta(hours=MOST_PERIODS, microseconds=1), UTC, Step.HOUR)


@sample(150)
@given(
    st.sampled_from(ZONES), RECENT, st.timedeltas(timedelta(microseconds=1), timedelta(days=80)), st.sampled_from(Step)
)
def test_the_parts__of_any_range_in_any_zone__are_the_range_and_what_their_names_say(
    name: str, start: datetime, length: timedelta, step: Step
) -> None:
    zone, end = ZoneInfo(name), start + length
    found = periods(start, end, zone, step)
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert len({period.name for period in found}) == len(found)
    for period in found:
        for at in (period.start, period.end - timedelta(microseconds=1)):
            assert shown(at.astimezone(zone), step) == shown_by(period.name, step), (at, period)
    assert all(begin_of(period.start) == period.start for period in found[1:])


def shown(wall: datetime, step: Step) -> tuple[object, ...]:
    """What tells the period of a time from others, by the clock alone."""
    if step is Step.HOUR:
        return wall.date(), wall.hour, wall.utcoffset()
    if step is Step.WEEK:
        return wall.isocalendar()[:2]
    return (wall.year, wall.month) if step is Step.MONTH else (wall.date(),)


def shown_by(name: str, step: Step) -> tuple[object, ...]:
    """The same of a period's name."""
    return shown(datetime.fromisoformat(f"{name}-01" if step is Step.MONTH else name), step)
