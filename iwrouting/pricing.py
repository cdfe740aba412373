"""What a call cost: pure, exact, in integer pico-dollars (G7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from iwrouting.types import DEFAULT_TIER, HOSTED_CALLS, CostState, PriceFacts, Usage


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in pico-dollars with how far it can be trusted; None where it is not known, never a silent zero."""

    pico: int | None
    state: CostState
    price_version: str = ""


STANDARD_TIERS = ("", "auto", DEFAULT_TIER)
INCLUDED = {
    "prompt_tokens_details": frozenset({"cached_tokens", "cache_write_tokens", "text_tokens", "image_tokens"}),
    "completion_tokens_details": frozenset(
        {"reasoning_tokens", "text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"}
    ),
}
"""Classes inside the totals that these prices cover; any other, such as audio, has a price of its own."""

PICO_PLACES = -12
MAX_PICO = 2**63 - 1
"""What the audit's column holds, 9.2 million dollars: a count that costs more is no count."""

UNPRICED = Cost(None, CostState.UNPRICED)
NOTHING_SENT = Cost(None, CostState.NONE)


def cost(usage: Usage | None, prices: Iterable[PriceFacts], at: datetime, *, estimated: bool = False) -> Cost:
    """The cost of usage under a model's prices, or `unpriced` where a part of it has no price.

    `at` is the decision's time: the price in force then is the one, whatever is changed later. The tier is the one
    that the provider reported; one without a price is unpriced, and so are counts that contradict each other, token
    classes with prices of their own, and hosted tools, which are billed by the call. `estimated`: the counts are our
    own, and so the cost is `estimated` and not `exact`; never give counts of both kinds in one usage.
    """
    if usage is None or usage.prompt_tokens is None or not _plausible(usage):
        return UNPRICED
    price = price_in_force(prices, at, usage.service_tier, usage.prompt_tokens)
    pico = None if price is None else total(usage, price)
    if price is None or pico is None or pico > MAX_PICO:
        return UNPRICED
    return Cost(pico, CostState.ESTIMATED if estimated else CostState.EXACT, price.label)


def price_in_force(
    prices: Iterable[PriceFacts], at: datetime, service_tier: str = "", input_tokens: int = 0
) -> PriceFacts | None:
    """The price at a time: the newest of the highest threshold that so much input exceeds.

    None: the tier has none. `""` and `auto` are the default tier.
    """
    tier = DEFAULT_TIER if service_tier in STANDARD_TIERS else service_tier
    found = [
        price
        for price in prices
        if price.service_tier == tier
        and price.valid_from <= at
        and (price.above_input_tokens < input_tokens or not price.above_input_tokens)
    ]
    return max(found, key=lambda price: (price.above_input_tokens, price.valid_from), default=None)


def _plausible(usage: Usage) -> bool:
    """Whether nothing was used that no price covers, and no part is larger than its whole."""
    if usage.reported.get(HOSTED_CALLS) or any(_others(usage, name) for name in INCLUDED):
        return False
    return (usage.reasoning_tokens or 0) <= (usage.completion_tokens or 0)


def _others(usage: Usage, details: str) -> bool:
    counts = usage.reported.get(details) or {}
    return any(count for name, count in counts.items() if name not in INCLUDED[details])


def total(usage: Usage, price: PriceFacts) -> int | None:
    """Tokens times price over all classes; None where a class was used that has no price, or can't be told.

    It looks neither at the price's time, tier and threshold nor at whether the counts can be true: `cost` does.
    """
    if usage.completion_tokens is None and (price.output_pico is not None or price.input_pico is None):
        return None
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    fresh = (usage.prompt_tokens or 0) - cached - written
    parts = (
        (fresh, price.input_pico),
        (cached, price.cached_pico),
        (written, price.cache_write_pico),
        (usage.completion_tokens or 0, price.output_pico),
    )
    if any(tokens < 0 or (tokens and (pico is None or pico < 0)) for tokens, pico in parts):
        return None
    return sum(tokens * (pico or 0) for tokens, pico in parts)


def dollars(pico: int) -> str:
    """Pico-dollars as exact decimal text in dollars: 4200000000 is `0.0042`."""
    text = f"{Decimal(pico).scaleb(PICO_PLACES):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd_per_million(pico: int) -> str:
    """Pico-dollars a token as dollars per 1M tokens, exact, without zeros at the end: 2500000 is `2.5`."""
    return f"{pico // 10**6}.{pico % 10**6:06d}".rstrip("0").rstrip(".")
