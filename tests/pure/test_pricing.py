"""Costs are pure, exact, dated, and never a silent zero (G7). The golden table is in tests/prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.pricing import NOTHING_SENT, UNPRICED, Cost, cost, price_in_force
from iwrouting.types import ALWAYS, CostState, PriceFacts, Usage

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRICE = PriceFacts(5, 1, 7, "v", cache_write_pico=6)
ABOVE = replace(PRICE, input_pico=10, cached_pico=2, output_pico=9, cache_write_pico=12, above_input_tokens=1_000)
FLEX = replace(PRICE, input_pico=2, cached_pico=1, output_pico=3, cache_write_pico=2, service_tier="flex")
ALL_USED = Usage(prompt_tokens=10, cached_tokens=4, cache_write_tokens=2, completion_tokens=2)


def test_cost__nothing_known__is_never_a_silent_zero() -> None:
    assert cost(None, [PRICE], NOW) == UNPRICED == Cost(None, CostState.UNPRICED)
    assert cost(Usage(prompt_tokens=1, completion_tokens=1), (), NOW) == UNPRICED
    assert cost(Usage(prompt_tokens=0, completion_tokens=0), (), NOW) == UNPRICED
    assert Cost(None, CostState.NONE) == NOTHING_SENT


def test_cost__every_class__has_its_own_price() -> None:
    assert cost(ALL_USED, [PRICE], NOW) == Cost(4 * 5 + 4 * 1 + 2 * 6 + 2 * 7, CostState.EXACT, "v")


@pytest.mark.parametrize("name", ["input_pico", "cached_pico", "cache_write_pico", "output_pico"])
@pytest.mark.parametrize("pico", [None, -1])
def test_cost__a_class_that_was_used_without_a_price__is_unpriced(name: str, pico: int | None) -> None:
    changed: dict[str, Any] = {name: pico}
    assert cost(ALL_USED, [replace(PRICE, **changed)], NOW) == UNPRICED


@pytest.mark.parametrize(
    ("price", "unused"),
    [
        (replace(PRICE, input_pico=None), replace(ALL_USED, cached_tokens=8)),
        (replace(PRICE, cached_pico=None), replace(ALL_USED, cached_tokens=0)),
        (replace(PRICE, cached_pico=None), replace(ALL_USED, cached_tokens=None)),
        (replace(PRICE, cache_write_pico=None), replace(ALL_USED, cache_write_tokens=None)),
        (replace(PRICE, output_pico=None), replace(ALL_USED, completion_tokens=0)),
        (replace(PRICE, output_pico=None), replace(ALL_USED, completion_tokens=None)),
    ],
)
def test_cost__a_class_that_was_not_used__needs_no_price(price: PriceFacts, unused: Usage) -> None:
    assert cost(unused, [price], NOW).state is CostState.EXACT


def test_cost__output_not_reported_and_no_price_at_all__is_unpriced() -> None:
    nothing = PriceFacts(None, None, None, "v")
    assert cost(Usage(prompt_tokens=0), [nothing], NOW) == UNPRICED
    assert cost(Usage(prompt_tokens=0), [PRICE], NOW) == UNPRICED


def test_cost__our_own_counts__are_estimated_and_priced_the_same() -> None:
    exact = cost(ALL_USED, [PRICE], NOW)
    assert cost(ALL_USED, [PRICE], NOW, estimated=True) == replace(exact, state=CostState.ESTIMATED)
    assert cost(ALL_USED, (), NOW, estimated=True) == UNPRICED
    assert cost(None, [PRICE], NOW, estimated=True) == UNPRICED


def test_price_in_force__is_the_newest_that_has_begun() -> None:
    old, new, later = (replace(PRICE, version=name) for name in ("old", "new", "later"))
    prices = [replace(later, valid_from=NOW + HOUR), replace(old, valid_from=NOW - HOUR), replace(new, valid_from=NOW)]
    found = [price_in_force(prices, NOW + step) for step in (-2 * HOUR, -HOUR, -HOUR / 9, 0 * HOUR, HOUR)]
    assert [price.version if price else None for price in found] == [None, "old", "old", "new", "later"]


def test_price_in_force__past_a_threshold__is_the_highest_one_exceeded_even_if_older() -> None:
    base = replace(PRICE, valid_from=NOW)
    higher = replace(ABOVE, above_input_tokens=5_000)
    for tokens, expected in ((0, base), (1_000, base), (1_001, ABOVE), (5_000, ABOVE), (5_001, higher)):
        assert price_in_force([ABOVE, base, higher], NOW, input_tokens=tokens) == expected
    assert price_in_force([ABOVE], NOW, input_tokens=1_000) is None


@pytest.mark.parametrize("tier", ["", "auto", "default"])
def test_price_in_force__no_tier_auto_and_default__are_one(tier: str) -> None:
    assert price_in_force([FLEX, PRICE], NOW, tier) == PRICE


def test_price_in_force__of_another_tier__is_its_own_or_none() -> None:
    assert price_in_force([FLEX, PRICE], NOW, "flex") == FLEX
    assert price_in_force([FLEX, PRICE], NOW, "priority") is None
    assert price_in_force([FLEX], NOW, "default") is None
    # Past a threshold that only the default tier has, a tier keeps its own price.
    assert price_in_force([FLEX, ABOVE], NOW, "flex", 2_000) == FLEX


@pytest.mark.parametrize(
    ("price", "label"),
    [
        (PRICE, "v"),
        (ABOVE, "v >1000"),
        (FLEX, "v flex"),
        (replace(FLEX, above_input_tokens=272_000), "v flex >272000"),
    ],
)
def test_cost__names_the_price_that_made_it(price: PriceFacts, label: str) -> None:
    usage = Usage(prompt_tokens=300_000, completion_tokens=1, service_tier=price.service_tier)
    assert cost(usage, [price], NOW).price_version == label


def test_cost__the_longest_name_of_a_price__fits_its_column() -> None:
    longest = replace(PRICE, version="v" * 32, service_tier="t" * 16, above_input_tokens=2**31 - 1)
    assert len(longest.label) <= 64


COUNTS = st.one_of(st.integers(0, 2_000_000), st.integers(0, 2**53 - 1))
SMALL = st.integers(0, 5_000)


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.tuples(*[st.integers(0, 10**12)] * 4))
def test_cost__any_counts__are_exact_integers(
    fresh: int, cached: int, written: int, out: int, prices: tuple[int, int, int, int]
) -> None:
    usage = Usage(fresh + cached + written, cached, written, out)
    expected = fresh * prices[0] + cached * prices[1] + out * prices[2] + written * prices[3]
    found = cost(usage, [PriceFacts(*prices[:3], "v", prices[3])], NOW)
    assert found == (Cost(expected, CostState.EXACT, "v") if expected < 2**63 else UNPRICED)


def pico(usage: Usage, *prices: PriceFacts) -> int:
    found = cost(usage, prices, NOW).pico
    assert found is not None
    return found


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    fresh, cached, written, out = (draw(SMALL) for _ in range(4))
    return Usage(fresh + cached + written, cached, written, out, draw(st.integers(0, out)))


def added(one: Usage, other: Usage) -> Usage:
    names = ("prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens")
    return Usage(**{name: getattr(one, name) + getattr(other, name) for name in names})


@given(usages(), usages())
def test_cost__of_two_calls__is_the_sum_within_a_tier(one: Usage, other: Usage) -> None:
    assert pico(added(one, other), PRICE) == pico(one, PRICE) + pico(other, PRICE)


@given(usages(), usages())
def test_cost__of_more__is_never_less_even_past_a_threshold(one: Usage, other: Usage) -> None:
    assert pico(added(one, other), PRICE, ABOVE) >= pico(one, PRICE, ABOVE)


@given(usages(), st.permutations([PRICE, ABOVE, FLEX, replace(PRICE, version="old", valid_from=ALWAYS - HOUR)]))
def test_cost__in_whatever_order_the_prices_come__is_the_same(usage: Usage, prices: list[PriceFacts]) -> None:
    assert cost(usage, prices, NOW) == cost(usage, [PRICE, ABOVE], NOW)


def test_cost__more_than_the_audit_can_hold__is_unpriced() -> None:
    price = PriceFacts(1, None, 0, "v")
    assert cost(Usage(prompt_tokens=2**63 - 1, completion_tokens=0), [price], NOW).pico == 2**63 - 1
    assert cost(Usage(prompt_tokens=2**63, completion_tokens=0), [price], NOW) == UNPRICED


@pytest.mark.parametrize(
    "usage",
    [
        replace(ALL_USED, cached_tokens=9),
        replace(ALL_USED, cache_write_tokens=7),
        replace(ALL_USED, prompt_tokens=-1),
        replace(ALL_USED, reasoning_tokens=3),
        Usage(prompt_tokens=1, reasoning_tokens=1),
        replace(ALL_USED, reported={"hosted_calls": 1}),
        replace(ALL_USED, reported={"prompt_tokens_details": {"audio_tokens": 1}}),
        replace(ALL_USED, reported={"completion_tokens_details": {"audio_tokens": 1}}),
        replace(ALL_USED, service_tier="default,flex"),
    ],
)
def test_cost__what_contradicts_itself_or_no_price_covers__is_unpriced(usage: Usage) -> None:
    assert cost(usage, [PRICE, FLEX], NOW) == UNPRICED
