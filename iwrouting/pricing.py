"""What a call cost: pure, exact, in integer pico-dollars (G7)."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.types import HOSTED_CALLS, CostState, Price, Usage


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in pico-dollars with how far it can be trusted; None where it is not known, never a silent zero."""

    pico: int | None
    state: CostState
    price_version: str = ""


STANDARD_TIERS = ("", "auto", "default")
INCLUDED = {
    "prompt_tokens_details": frozenset({"cached_tokens", "text_tokens", "image_tokens"}),
    "completion_tokens_details": frozenset(
        {"reasoning_tokens", "text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"}
    ),
}
"""Classes inside the totals that these prices cover; any other, such as audio, has a price of its own."""

MAX_PICO = 2**63 - 1
"""What the audit's column holds, 9.2 million dollars: a count that costs more is no count."""

UNPRICED = Cost(None, CostState.UNPRICED)
NOTHING_SENT = Cost(None, CostState.NONE)


def cost(usage: Usage | None, price: Price | None) -> Cost:
    """The exact cost of reported usage under one price row, or `unpriced` where a part of it has no price.

    Only the standard tier is priced, only up to the ceiling of a tiered model, and only the classes of the price
    row: the rest is `unpriced`.
    """
    if usage is None or price is None or not _covered(usage, price):
        return UNPRICED
    cached = usage.cached_tokens or 0
    fresh = (usage.prompt_tokens or 0) - cached
    parts = ((fresh, price.input_pico), (cached, price.cached_pico), (usage.completion_tokens or 0, price.output_pico))
    total = 0
    for tokens, pico in parts:
        if tokens < 0 or (tokens and pico is None):
            return UNPRICED
        total += tokens * (pico or 0)
    return Cost(total, CostState.EXACT, price.version) if total <= MAX_PICO else UNPRICED


def _covered(usage: Usage, price: Price) -> bool:
    """Whether the price row can price all that was used: both totals reported, no other tier, class or fee."""
    if usage.prompt_tokens is None or usage.service_tier not in STANDARD_TIERS:
        return False
    if usage.completion_tokens is None and price.output_pico is not None:
        return False
    if price.ceiling_input_tokens is not None and usage.prompt_tokens > price.ceiling_input_tokens:
        return False
    if usage.reported.get(HOSTED_CALLS):
        return False
    return not usage.cache_write_tokens and not any(_others(usage, name) for name in INCLUDED)


def _others(usage: Usage, details: str) -> bool:
    counts = usage.reported.get(details) or {}
    return any(count for name, count in counts.items() if name not in INCLUDED[details])
