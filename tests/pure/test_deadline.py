"""How a deadline is shared among rungs, how long a repetition waits, and what wait the caller is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.dispatch.deadline import RESERVE_MIN_S, rung_deadline
from iwrouting.dispatch.ends import remaining_wait
from iwrouting.dispatch.walk import back_off_s
from iwrouting.upstream.failures import Failure, Step


@pytest.mark.parametrize(
    ("left", "later", "mine"),
    [
        (600.0, 0, 600.0),
        (600.0, 1, 540.0),
        (600.0, 2, 480.0),
        (20.0, 2, 10.0),
        (12.0, 1, 7.0),
        (9.0, 2, 3.0),
        (1.0, 1, 0.5),
        (0.0, 2, 0.0),
        (-3.0, 2, 0.0),
    ],
)
def test_rung_deadline__keeps_a_tenth_or_five_seconds_or_an_equal_share_for_each_later_rung(
    left: float, later: int, mine: float
) -> None:
    assert rung_deadline(100.0, 100.0 + left, later) == pytest.approx(100.0 + mine if left > 0 else 100.0 + left)


@given(st.floats(0, 1e9), st.floats(0.001, 86_400), st.integers(0, 20))
def test_rung_deadline__any_chain__leaves_each_later_rung_its_part(now: float, left: float, later: int) -> None:
    until = rung_deadline(now, now + left, later)
    mine, kept = until - now, now + left - until
    assert until <= now + left
    assert mine >= left / (later + 1) - 1e-6
    assert kept >= later * min(RESERVE_MIN_S, left / (later + 1)) - 1e-6


@given(st.floats(0, 600), st.floats(0, 60), st.floats(0, 1))
def test_back_off__what_the_provider_asked__is_a_floor_and_jitter_comes_on_top(
    asked: float, base: float, jitter: float
) -> None:
    found = back_off_s(Failure(Step.RETRY, "requests", retry_after_s=asked), base, jitter)
    assert max(asked, base) <= found <= max(asked, base) + base / 4


def test_back_off__slow_down__gets_four_times_the_base() -> None:
    assert back_off_s(Failure(Step.RETRY, "requests", "slow_down"), 0.25, 0.0) == 1.0


@pytest.mark.parametrize(
    ("waits", "now", "seconds"),
    [
        ([], 100.0, None),
        ([107.0], 100.0, 7),
        ([112.0, 105.2], 100.0, 6),
        ([107.0], 103.5, 4),
        ([101.0], 103.0, 1),
        ([86_500.0], 100.0, 86_400),
    ],
)
def test_remaining_wait__is_the_smallest_and_counts_what_has_passed_since(
    waits: list[float], now: float, seconds: int | None
) -> None:
    assert remaining_wait(waits, now) == seconds
