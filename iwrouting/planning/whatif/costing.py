"""What the calls of a group cost: as recorded, and with the same tokens at another model. Pure.

All calls of a group have the same price and use the same classes of tokens, so that the sum of their tokens costs
exactly what the calls cost together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from iwrouting.planning.whatif.groups import Group, Sums
from iwrouting.planning.whatif.statement import IMPLAUSIBLE, NO_COMPLETION, NO_USAGE, UNCOVERED
from iwrouting.pricing import MAX_PICO, price_in_force, total
from iwrouting.types import DEFAULT_TIER, Configuration, CostState, PriceFacts, Usage

SHAPES = {NO_USAGE: "no_usage", UNCOVERED: "uncovered", IMPLAUSIBLE: "implausible"}
PRICED = (CostState.EXACT, CostState.ESTIMATED)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a group in pico-dollars; None where it is not known, for a `reason` of REASONS."""

    pico: int | None
    estimated: bool = False
    reason: str = ""


class Prices:
    """The prices of two configurations: tiers are read off the labels of the first, costs made by the second."""

    def __init__(self, before: Configuration, after: Configuration) -> None:
        self._before, self._after = before.prices, after.prices
        self._tiers: dict[tuple[str, str], str | None] = {}

    def moved(self, group: Group, sums: Sums, model: str, at: datetime) -> Cost:
        """The cost of the same tokens at another model, by the price in force at `at`, in the tier that was served."""
        if group.shape in SHAPES:
            return Cost(None, reason=SHAPES[group.shape])
        usage = _usage(group, sums)
        tier = self._tier(group, usage, at)
        if tier is None:
            return Cost(None, reason="tier_unknown")
        price = price_in_force(self._after.get(model, ()), at, tier, group.input)
        if price is None:
            return Cost(None, reason="no_price")
        pico = total(usage, price)
        if pico is None or (group.single and pico > MAX_PICO):
            return Cost(None, reason="class_without_price")
        return Cost(pico, group.state != CostState.EXACT)

    def _tier(self, group: Group, usage: Usage, at: datetime) -> str | None:
        """The service tier: it stands in the label of the price alone. None: not known.

        A call without a cost is taken for one of the default tier, unless that has a price for it: then it was another.
        """
        if group.state in PRICED:
            place = (group.served, group.price_version)
            if place not in self._tiers:
                self._tiers[place] = _tier_of(self._before, *place)
            return self._tiers[place]
        usual = price_in_force(self._before.get(group.served, ()), at, DEFAULT_TIER, group.input)
        return DEFAULT_TIER if usual is None or total(usage, usual) is None else None


def _tier_of(prices: Mapping[str, tuple[PriceFacts, ...]], model: str, label: str) -> str | None:
    tiers = {price.service_tier for price in prices.get(model, ()) if price.label == label}
    return tiers.pop() if len(tiers) == 1 else None


def _usage(group: Group, sums: Sums) -> Usage:
    return Usage(
        prompt_tokens=sums.prompt,
        cached_tokens=sums.cached,
        cache_write_tokens=sums.cache_write,
        completion_tokens=None if group.shape & NO_COMPLETION else sums.completion,
        reasoning_tokens=sums.reasoning,
    )
