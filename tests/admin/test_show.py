"""How values look: exact money, durations, times, and everything escaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from iwrouting.admin import show
from iwrouting.types import Result, Source, State


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "$0.0000"),
        (4_200_000_000, "$0.0042"),
        (999_900_000_000, "$0.9999"),
        (12_345_670_000_000, "$12.35"),
        (1_234_567_000_000_000, "$1,234.57"),
        (100_000_000, "$0.0001"),
        (45_400, "$0.000000045"),
        (1, "$0.000000000001"),
    ],
)
def test_a_cost_in_a_list(pico: int, text: str) -> None:
    assert show.dollars(pico) == text


@pytest.mark.parametrize(
    ("pico", "text"),
    [(4_200_000_000, "$0.0042"), (1, "$0.000000000001"), (3_000_000_000_000, "$3.00"), (1_234_500_000_000, "$1.2345")],
)
def test_a_cost_with_every_digit(pico: int, text: str) -> None:
    assert show.exact_dollars(pico) == text


def test_a_cost_that_is_not_known_is_never_a_zero() -> None:
    assert "unpriced" in show.cost(None, "unpriced")
    assert "$" not in show.cost(None, "unpriced")
    assert show.cost(None, "none") == show.NOTHING
    assert show.cost(4_200_000_000, "exact") == "$0.0042"
    assert "$0.0042" in show.cost(4_200_000_000, "estimated")
    assert "estimated" in show.cost(4_200_000_000, "estimated")


@pytest.mark.parametrize(
    ("pico", "text"),
    [(None, ""), (2_000_000, "2.00"), (125_000, "0.125"), (1, "0.000001"), (0, "0.00"), (30_000_000, "30.00")],
)
def test_a_price_per_million_tokens(pico: int | None, text: str) -> None:
    assert show.per_million(pico) == text


@pytest.mark.parametrize(
    ("microseconds", "text"), [(None, show.NOTHING), (1_840, "1.8 ms"), (812_345, "812 ms"), (90_000_000, "90,000 ms")]
)
def test_a_duration(microseconds: int | None, text: str) -> None:
    assert show.milliseconds(microseconds) == text


def test_a_time_is_utc_with_its_distance() -> None:
    text = show.moment(timezone.now() - timedelta(hours=3, minutes=1))
    assert 'title="3 hours, 1 minute ago"' in text
    assert 'datetime="2020-05-03T04:05:06+00:00"' in show.moment(datetime(2020, 5, 3, 4, 5, 6, tzinfo=UTC))
    assert "in 1 day" in show.moment(timezone.now() + timedelta(days=1, minutes=1))


def test_badges_hold_words_and_escape_them() -> None:
    assert show.badge("<b>") == '<span class="iw-badge iw-plain">&lt;b&gt;</span>'
    assert show.value_badge("") == show.NOTHING
    for value in (*Source, *State, *Result):
        assert f">{value.value}</span>" in show.value_badge(value)
    assert show.link("/x", "<i>") == '<a href="/x">&lt;i&gt;</a>'
