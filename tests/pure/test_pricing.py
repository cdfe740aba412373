"""Costs: a golden table of what providers report, streamed and buffered, in exact pico-dollars (G7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting import catalogue
from iwrouting.pricing import NOTHING_SENT, UNPRICED, Cost, cost
from iwrouting.types import CostState, PriceFacts, Usage
from iwrouting.upstream.sse import StreamScanner
from iwrouting.upstream.usage import read_usage

Shape = dict[str, Any]


def used(prompt: int, completion: int, tier: str | None = None, **details: int) -> Shape:
    """A usage as OpenAI's chat reports it; `prompt_x` and `completion_x` go to the two details."""
    usage: Shape = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    for name, count in details.items():
        side, _, detail = name.partition("_")
        usage.setdefault(f"{side}_tokens_details", {})[detail] = count
    return {"usage": usage} | ({"service_tier": tier} if tier is not None else {})


def raw(**usage: object) -> Shape:
    return {"usage": usage}


# Model, what was reported, the cost in pico-dollars (None: unpriced), worked out by hand from openai-facts.md 1b.
GOLDEN: list[tuple[str, Shape, int | None]] = [
    ("gpt-4.1", used(1_000, 500), 6_000_000_000),
    ("gpt-4.1", used(1, 0), 2_000_000),
    ("gpt-4.1", used(0, 1), 8_000_000),
    ("gpt-4.1", used(0, 0), 0),
    ("gpt-4.1", used(1_000, 500, prompt_cached_tokens=0), 6_000_000_000),
    ("gpt-4.1", used(1_000, 500, prompt_cached_tokens=400), 5_400_000_000),
    ("gpt-4.1", used(1_000, 500, prompt_cached_tokens=1_000), 4_500_000_000),
    ("gpt-4.1", used(1_047_576, 32_768), 2_357_296_000_000),
    ("gpt-4.1-mini", used(1_000, 500), 1_200_000_000),
    ("gpt-4.1-mini", used(1_003, 7, prompt_cached_tokens=896), 143_600_000),
    ("gpt-4.1-nano", used(1, 0, prompt_cached_tokens=1), 25_000),
    ("gpt-4.1-nano", used(3, 1, prompt_cached_tokens=1), 625_000),
    ("gpt-5.1", used(1_000, 500), 6_250_000_000),
    ("gpt-5.1", used(2_006, 300, prompt_cached_tokens=1_920, completion_reasoning_tokens=192), 3_347_500_000),
    ("gpt-5.1", used(10, 1_024, completion_reasoning_tokens=1_024), 10_252_500_000),
    ("gpt-5.1", used(7, 5, prompt_cached_tokens=1), 57_625_000),
    ("gpt-5-mini", used(1_000, 500, completion_reasoning_tokens=0), 1_250_000_000),
    ("gpt-5-mini", used(1, 1, prompt_cached_tokens=1), 2_025_000),
    ("gpt-5.1-codex", used(12_345, 678), 22_211_250_000),
    ("o3-deep-research", used(1_000, 500, prompt_cached_tokens=500), 26_250_000_000),
    ("gpt-6-luna", used(272_000, 10), 27_205_000_000),
    ("gpt-6-luna", used(272_001, 10), None),
    ("gpt-6-luna", used(272_001, 10, prompt_cached_tokens=272_001), None),
    ("gpt-6.1-sol", used(100, 10, prompt_cached_tokens=50), 205_000_000),
    ("gpt-5.6-sol", used(100, 10), 600_000_000),
    ("text-embedding-3-small", raw(prompt_tokens=8, total_tokens=8), 160_000),
    ("text-embedding-3-small", raw(prompt_tokens=50_000, total_tokens=50_000), 1_000_000_000),
    ("text-embedding-3-small", raw(prompt_tokens=0, total_tokens=0), 0),
    ("text-embedding-3-large", raw(prompt_tokens=3, total_tokens=3), 390_000),
    ("text-embedding-3-small", used(3, 1), None),
    ("text-embedding-3-small", used(3, 0), 60_000),
    ("text-embedding-3-small", used(3, 0, prompt_cached_tokens=1), None),
    ("gpt-4.1", used(10, 10, tier="default"), 100_000_000),
    ("gpt-4.1", used(10, 10, tier="auto"), 100_000_000),
    ("gpt-4.1", used(10, 10, tier=""), 100_000_000),
    ("gpt-4.1", used(10, 10, tier="flex"), None),
    ("gpt-4.1", used(10, 10, tier="priority"), None),
    ("gpt-4.1", used(10, 10, tier="a tier of next year"), None),
    ("gpt-4.1", used(10, 10) | {"service_tier": None}, 100_000_000),
    ("gpt-4.1", used(10, 10, prompt_cache_write_tokens=5), None),
    ("gpt-4.1", used(10, 10, prompt_cache_write_tokens=0), 100_000_000),
    ("gpt-4.1", used(10, 10, prompt_audio_tokens=5), None),
    ("gpt-4.1", used(10, 10, completion_audio_tokens=5), None),
    ("gpt-4.1", used(10, 10, prompt_audio_tokens=0, completion_audio_tokens=0), 100_000_000),
    ("gpt-4.1", used(10, 10, prompt_video_tokens=1), None),
    ("gpt-4.1", used(10, 10, completion_image_tokens=1), None),
    ("gpt-4.1", used(10, 10, prompt_image_tokens=4, prompt_text_tokens=6), 100_000_000),
    ("gpt-4.1", used(10, 10, completion_rejected_prediction_tokens=4), 100_000_000),
    ("gpt-4.1", used(10, 10, completion_accepted_prediction_tokens=4), 100_000_000),
    ("gpt-4.1", used(10, 10, prompt_cached_tokens=11), None),
    ("gpt-4.1", raw(prompt_tokens=10), None),
    ("gpt-4.1", raw(completion_tokens=10), None),
    ("gpt-4.1", raw(), None),
    ("gpt-4.1", raw(total_tokens=20), None),
    ("gpt-4.1", raw(prompt_tokens=None, completion_tokens=None), None),
    ("gpt-4.1", raw(prompt_tokens=-10, completion_tokens=10), None),
    ("gpt-4.1", raw(prompt_tokens=10, completion_tokens=-10), None),
    ("gpt-4.1", raw(prompt_tokens=10.5, completion_tokens=10), None),
    ("gpt-4.1", raw(prompt_tokens="10", completion_tokens=10), None),
    ("gpt-4.1", raw(prompt_tokens=True, completion_tokens=10), None),
    ("gpt-4.1", raw(prompt_tokens=2**53, completion_tokens=10), None),
    ("gpt-4.1", raw(prompt_tokens=10, completion_tokens=10, prompt_tokens_details=None), 100_000_000),
    (
        "gpt-4.1",
        raw(prompt_tokens=10, completion_tokens=10, prompt_tokens_details={"cached_tokens": None}),
        100_000_000,
    ),
    ("gpt-4.1", raw(prompt_tokens=10, completion_tokens=10, completion_tokens_details="none"), 100_000_000),
    ("gpt-4.1", {"usage": None}, None),
    ("gpt-4.1", {"usage": [10, 10]}, None),
    ("gpt-4.1", {}, None),
    ("a model that nobody knows", used(10, 10), None),
]


NOW = datetime.now(UTC)


def prices_of(model: str) -> tuple[PriceFacts, ...]:
    found = catalogue.models().get(model)
    return found.prices if found else ()


def streamed(shape: Shape, choices: list[Shape]) -> Usage | None:
    scanner = StreamScanner()
    for event in (
        {"choices": [{"index": 0, "delta": {"content": "hello"}}], "usage": None},
        {"choices": choices, **shape},
    ):
        scanner.keep(b"data: " + orjson.dumps(event) + b"\n\n")
    return scanner.usage


def check(found: Cost, expected: int | None) -> None:
    if expected is None:
        assert found == UNPRICED
    else:
        assert found == Cost(expected, CostState.EXACT, f"catalogue {catalogue.version()}")


@pytest.mark.parametrize(("model", "shape", "expected"), GOLDEN)
def test_cost__as_reported__is_the_golden_one(model: str, shape: Shape, expected: int | None) -> None:
    check(cost(read_usage(shape), prices_of(model), NOW), expected)


@pytest.mark.parametrize(("model", "shape", "expected"), GOLDEN)
@pytest.mark.parametrize("choices", [[], [{"index": 0, "delta": {}, "finish_reason": "stop"}]])
def test_cost__reported_at_the_end_of_a_stream__is_the_same(
    model: str, shape: Shape, expected: int | None, choices: list[Shape]
) -> None:
    check(cost(streamed(shape, choices), prices_of(model), NOW), expected)


def test_cost__nothing_known__is_never_a_silent_zero() -> None:
    assert cost(None, prices_of("gpt-4.1"), NOW) == UNPRICED == Cost(None, CostState.UNPRICED)
    assert cost(Usage(prompt_tokens=1, completion_tokens=1), (), NOW) == UNPRICED
    assert Cost(None, CostState.NONE) == NOTHING_SENT


ALL_USED = Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=2)


@pytest.mark.parametrize(
    ("price", "unused"),
    [
        (PriceFacts(None, 1, 7, "v"), replace(ALL_USED, cached_tokens=10)),
        (PriceFacts(5, None, 7, "v"), replace(ALL_USED, cached_tokens=0)),
        (PriceFacts(5, None, 7, "v"), replace(ALL_USED, cached_tokens=None)),
        (PriceFacts(5, 1, None, "v"), replace(ALL_USED, completion_tokens=0)),
    ],
)
def test_cost__a_class_without_a_price__is_unpriced_where_it_was_used(price: PriceFacts, unused: Usage) -> None:
    assert cost(ALL_USED, [price], NOW) == UNPRICED
    assert cost(unused, [price], NOW).state is CostState.EXACT


COUNTS = st.one_of(st.integers(0, 2_000_000), st.integers(0, 2**53 - 1))


@given(COUNTS, COUNTS, COUNTS, st.tuples(*[st.integers(0, 10**12)] * 3))
def test_cost__any_counts__are_exact_integers(fresh: int, cached: int, out: int, prices: tuple[int, int, int]) -> None:
    usage = Usage(prompt_tokens=fresh + cached, cached_tokens=cached, completion_tokens=out)
    expected = fresh * prices[0] + cached * prices[1] + out * prices[2]
    found = cost(usage, [PriceFacts(*prices, "v")], NOW)
    assert found == (Cost(expected, CostState.EXACT, "v") if expected < 2**63 else UNPRICED)


def test_cost__more_than_the_audit_can_hold__is_unpriced() -> None:
    price = PriceFacts(1, None, 0, "v")
    assert cost(Usage(prompt_tokens=2**63 - 1, completion_tokens=0), [price], NOW) == Cost(
        2**63 - 1, CostState.EXACT, "v"
    )
    assert cost(Usage(prompt_tokens=2**63, completion_tokens=0), [price], NOW) == UNPRICED
