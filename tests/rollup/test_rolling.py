"""Rolling up, one thing at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iwrouting.models import LabelCell, UsageCell, UsageMark, UsageState
from iwrouting.models.usage import DAY, HOUR, QUARTER
from iwrouting.reports.usage import rolling
from iwrouting.reports.usage.rolling import Rolled, roll
from tests.audit_tables import rows
from tests.rollup.sums import assert_rolled

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 3, 10, 1, tzinfo=UTC)


def call(at: datetime, tokens: int = 10, **values: str) -> None:
    of = rows.decision(at, **values)
    rows.attempt(of, 1, 0)
    rows.outcome(of, "ok", calls=1, model_served="gpt-4.1", prompt_tokens=tokens, cost_pico=7, latency_us=1_000)


def silently(**given: object) -> Rolled:
    return roll(lambda _line: None, **given)  # type: ignore[arg-type]


def test_roll__calls_of_two_days__cells_of_every_width_and_no_mark() -> None:
    for minutes in (0, 3, 14, 59, 24 * 60):
        call(AT + timedelta(minutes=minutes), run_id="r1", tags='["a","b"]')
    assert silently() == Rolled(quarters=4)
    assert_rolled()
    counts = {width: UsageCell.objects.filter(width=width).count() for width in (QUARTER, HOUR, DAY)}
    assert counts == {QUARTER: 4, HOUR: 3, DAY: 2}
    assert LabelCell.objects.filter(width=DAY, label_kind="tag", label="b").count() == 2
    assert UsageState.objects.get().rolled_at is not None


def test_roll__again__does_nothing() -> None:
    call(AT)
    silently()
    kept = list(UsageCell.objects.order_by("id").values())
    assert silently() == Rolled()
    assert list(UsageCell.objects.order_by("id").values()) == kept


def test_roll__a_late_row__is_in_its_quarter_hour_and_day_once() -> None:
    call(AT)
    silently()
    call(AT + timedelta(minutes=1), tokens=5)
    assert silently() == Rolled(quarters=1)
    assert_rolled()
    assert {cell.prompt_tokens for cell in UsageCell.objects.all()} == {15}


def test_roll__before_a_moment__leaves_the_quarters_that_end_later_marked() -> None:
    for minutes in (0, 20, 40):
        call(AT + timedelta(minutes=minutes))
    assert silently(before=AT.replace(minute=44)) == Rolled(quarters=2)
    assert [mark.bucket_at for mark in UsageMark.objects.all()] == [AT.replace(minute=30)]
    assert set(UsageCell.objects.values_list("width", flat=True)) == {QUARTER}
    silently()
    assert_rolled()


def test_roll_settled__calls_of_now_and_of_yesterday__leaves_those_of_now() -> None:
    now = datetime.now(UTC)
    call(now)
    call(now - timedelta(days=1))
    assert rolling.roll_settled() == {"quarters": 1, "late": 0}
    assert UsageMark.objects.get().bucket_at > now - timedelta(minutes=QUARTER)


def test_settle__then_a_late_call__keeps_the_cells_and_counts_it() -> None:
    call(AT)
    rolling.settle(AT + timedelta(days=1))
    kept = list(UsageCell.objects.values())
    assert len(kept) == 3
    assert UsageState.objects.get().raw_from == AT + timedelta(days=1)
    call(AT + timedelta(minutes=1))
    assert silently() == Rolled(late=2)
    assert (list(UsageCell.objects.values()), UsageMark.objects.count()) == (kept, 0)
    rolling.settle(AT)
    assert UsageState.objects.get().raw_from == AT + timedelta(days=1)
