"""Cells of usage: made exactly once whatever dies on the way, beside writers and others, and kept when rows leave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from iwrouting.audit.keeping.tables import TABLES
from iwrouting.conf import points
from iwrouting.models import UsageCell, UsageMark, UsageState
from iwrouting.reports.usage.rolling import Rolled, roll
from tests.audit_tables import rows
from tests.rollup.sums import USAGE, Sums, assert_rolled, assert_views, of_daily, of_hourly, of_raw
from tests.upkeep import story
from tests.upkeep.databases import IS_POSTGRESQL, killed_at
from tests.upkeep.story import remove

pytestmark = pytest.mark.usefixtures("own")
OLD = story.month(-20)
POINTS = ("usage.after_take", "usage.before_commit", "usage.after_commit")


def rolled() -> Rolled:
    return roll(lambda _line: None)


@pytest.fixture
def calls(own: str) -> None:
    """Two calls of an old month, rolled up before one of two more came, and one of this month."""
    if IS_POSTGRESQL:
        for table in TABLES:
            story.run("SELECT iw_audit_make_partition(%s, %s)", table, OLD)
    story.calls(OLD, 2)
    rolled()
    story.calls(OLD, 2)
    story.calls(story.month(0), 1)


def marks() -> list[datetime]:
    return list(UsageMark.objects.order_by("id").values_list("bucket_at", flat=True))


@pytest.mark.parametrize("point", POINTS)
def test_roll__killed_on_the_way__changes_nothing_and_the_next_does_it_once(calls: None, point: str) -> None:
    before = marks(), list(UsageCell.objects.order_by("id").values())
    killed_at(point, rolled)
    if point != "usage.after_commit":
        assert (marks(), list(UsageCell.objects.order_by("id").values())) == before
    assert_views()
    rolled()
    assert_rolled()


@pytest.mark.parametrize("point", POINTS[:2])
def test_roll__fault_on_the_way__changes_nothing(calls: None, point: str) -> None:
    before = marks(), list(UsageCell.objects.order_by("id").values())
    points.arm(points.read_plan(f"{point}=raise"))
    with pytest.raises(points.FaultPoint):
        rolled()
    assert (marks(), list(UsageCell.objects.order_by("id").values())) == before


def test_retention__old_month__its_usage_stays_to_the_last_digit(calls: None) -> None:
    hourly, daily = of_hourly(), of_daily()
    remove()
    assert story.counts() == story.each(1)
    assert (of_hourly(), of_daily()) == (hourly, daily)
    state = UsageState.objects.get()
    assert state.raw_from is not None
    assert state.raw_from > datetime(OLD.year, OLD.month, 28, tzinfo=UTC)
    rolled()
    assert (of_hourly(), of_daily()) == (hourly, daily)
    assert len(hourly) == 2


@pytest.mark.parametrize("point", ["retention.before_detach", "retention.after_detach"])
def test_retention__killed_on_the_way__usage_is_right_then_and_after_the_next(calls: None, point: str) -> None:
    hourly = of_hourly()
    killed_at(point, remove)
    assert of_hourly() == hourly
    assert UsageState.objects.filter(raw_from=None).exists() == (story.counts() == story.each(5))
    remove()
    assert of_hourly() == hourly


def test_maintain__a_call_of_a_removed_month_comes__is_told_and_changes_no_cell(
    calls: None, capsys: pytest.CaptureFixture[str]
) -> None:
    remove()
    rolled()
    hourly = of_hourly()
    late = story.calls(OLD, 1)[0]
    assert of_hourly() == hourly
    with pytest.raises(CommandError, match=r"To be looked at: .*usage") as raised:
        call_command("maintain", yes=True, format="table")
    assert raised.value.returncode == 3
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("usage"))
    assert "1 call came after their month was removed and count in no report" in line
    assert (of_hourly(), marks()) == (hourly, [])
    assert late.decision_at < datetime.now(UTC)


def test_maintain__dry_run__tells_what_waits(calls: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("maintain", dry_run=True, format="table")
    assert "would sum up 2 quarters of an hour" in capsys.readouterr().out
    assert len(marks()) == 2


def test_upgrade__rows_of_the_former_version__are_marked_and_views_are_right_at_once(own: str) -> None:
    call_command("migrate", "iwrouting", "0007_config_history", verbosity=0)
    story.calls(story.month(0), 3)
    story.calls(story.month(1), 1)
    call_command("migrate", verbosity=0)
    assert len(marks()) == 2
    assert_views()
    assert len(of_hourly()) == 2
    rolled()
    assert_rolled()


def test_roll__two_at_once_beside_slow_writers__nothing_is_lost_or_counted_twice(own: str) -> None:
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    ended = threading.Event()
    wrong: list[object] = []

    def write(place: int) -> None:
        for number in range(12):
            with transaction.atomic():
                of = rows.decision(begin + timedelta(minutes=(number * 7) % 45), project=f"p{place}")
                rows.attempt(of, 1, 0)
                rows.outcome(of, "ok", calls=1, prompt_tokens=number)

    def roll_on() -> None:
        while not ended.is_set():
            rolled()

    def read_on() -> None:
        while not ended.is_set():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT (SELECT coalesce(sum(calls), 0) FROM rpt_usage_hourly_v1), "
                    "(SELECT coalesce(sum(calls), 0) FROM iw_usage_raw)"
                )
                shown, stored = cursor.fetchone()
                if shown != stored:
                    wrong.append((shown, stored))

    writers = [_thread(lambda place=place: write(place)) for place in range(3)]  # type: ignore[misc]
    others = [_thread(each) for each in (roll_on, roll_on, read_on)]
    for each in writers:
        each.join()
    ended.set()
    for each in others:
        each.join()
    rolled()
    assert wrong == []
    found: Sums = of_raw(USAGE, 60)
    assert sum(sums["calls"] or 0 for sums in found.values()) == 36
    assert_rolled()


def _thread(work: Callable[[], Any]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
