"""What a call cost: pure, exact, in integer pico-dollars (G7)."""

from __future__ import annotations

from dataclasses import dataclass

from iwrouting.types import CostState, Price, Usage


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in pico-dollars with how far it can be trusted; None where it is not known, never a silent zero."""

    pico: int | None
    state: CostState
    price_version: str = ""


STANDARD_TIERS = ("", "auto", "default")
UNPRICED = Cost(None, CostState.UNPRICED)
NOTHING_SENT = Cost(None, CostState.NONE)


def cost(usage: Usage | None, price: Price | None) -> Cost:
    """The exact cost of reported usage under one price row, or `unpriced` where a part of it has no price.

    Only the standard tier is priced, and only up to the ceiling of a tiered model: the rest is `unpriced`.
    """
    if usage is None or price is None or usage.prompt_tokens is None or usage.service_tier not in STANDARD_TIERS:
        return UNPRICED
    cached = usage.cached_tokens or 0
    fresh = usage.prompt_tokens - cached
    if fresh < 0 or usage.cache_write_tokens or _above(usage.prompt_tokens, price.ceiling_input_tokens):
        return UNPRICED
    parts = ((fresh, price.input_pico), (cached, price.cached_pico), (usage.completion_tokens or 0, price.output_pico))
    total = 0
    for tokens, pico in parts:
        if tokens < 0 or (tokens and pico is None):
            return UNPRICED
        total += tokens * (pico or 0)
    return Cost(total, CostState.EXACT, price.version)


def _above(tokens: int, ceiling: int | None) -> bool:
    return ceiling is not None and tokens > ceiling
