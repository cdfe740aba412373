"""The price lists of genai-prices as rows of ours: its packaged data alone, nothing fetched (openai-facts.md 1d)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from iwrouting.types import ALWAYS, DEFAULT_TIER, PriceFacts

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, TieredPrices

PACKAGE = "genai-prices"
PROVIDER = "openai"
FIELDS = {
    "input_pico": "input_mtok",
    "cached_pico": "cache_read_mtok",
    "cache_write_pico": "cache_write_mtok",
    "output_pico": "output_mtok",
}
"""Our columns, and what the package calls the same price in dollars per 1M tokens."""

BESIDE = frozenset(
    {"web_searches_kcount", "storage_searches_kcount", "input_audio_mtok", "output_audio_mtok", "cache_audio_read_mtok"}
)
"""Prices of what our costs leave unpriced: fees by the call, and tokens of audio."""

BATCH = "batch"
PICO_PER_DOLLAR = 10**6
"""Pico-dollars a token in a dollar per 1M tokens."""


class NotOurs(Exception):
    """A price that our rows can't hold; says why."""


@dataclass(frozen=True, slots=True)
class PriceLists:
    """What the package knows: prices by our model id, the package's own id for each, and for the others why not."""

    version: str
    prices: dict[str, tuple[PriceFacts, ...]]
    known_as: dict[str, str]
    unknown: dict[str, str]


def read_price_lists(model_ids: Iterable[str]) -> PriceLists:
    """The price lists of these models. The import takes a moment and 30 MB, so only who syncs pays for it."""
    from genai_prices import data

    lists = PriceLists(f"{PACKAGE} {version(PACKAGE)}", {}, {}, {})
    provider = next(each for each in data.providers if each.id == PROVIDER)
    for model_id in model_ids:
        found = provider.find_model(model_id)
        if found is None:
            lists.unknown[model_id] = f"{PACKAGE} does not know it"
            continue
        try:
            lists.prices[model_id] = tuple(_rows(found, lists.version))
            lists.known_as[model_id] = found.id
        except NotOurs as reason:
            lists.unknown[model_id] = str(reason)
    return lists


def _rows(model: ModelInfo, version: str) -> Iterator[PriceFacts]:
    """Each price once, from the day on which it begins to differ from the one before."""
    contexts: dict[str, dict[str, str]] = {DEFAULT_TIER: {}}
    for variant in model.price_variants or ():
        contexts.setdefault(_tier(variant), dict(variant.when))
    for tier, context in contexts.items():
        latest: dict[int, PriceFacts] = {}
        thresholds = {0}
        for day in _days(model, tier):
            prices = model.get_prices(day, context)
            thresholds |= _thresholds(prices)
            for above in sorted(thresholds):
                row = _row(prices, version, day, tier, above)
                if above not in latest or replace(latest[above], valid_from=day) != row:
                    latest[above] = row
                    yield row


def _tier(variant: PriceVariant) -> str:
    """The service tier that a variant is for. Raises NotOurs for a variant by anything else."""
    if variant.when == {"processing": BATCH}:
        return BATCH
    if set(variant.when) != {"service_tier"}:
        raise NotOurs(f"its price depends on {', '.join(sorted(variant.when))}")
    return variant.when["service_tier"]


def _days(model: ModelInfo, tier: str) -> list[datetime]:
    """The days on which a tier's price may begin to differ, the first one first."""
    standard = model.prices if isinstance(model.prices, list) else []
    variants = [variant for variant in model.price_variants or () if _tier(variant) == tier]
    begin = [_begin(each.constraint) for each in standard]
    own = [_begin(each.constraint) for each in variants]
    first = min(own, default=ALWAYS) if tier != DEFAULT_TIER else ALWAYS
    return sorted(day for day in {first, *begin, *own} if day >= first)


def _begin(constraint: object) -> datetime:
    """Since when a price holds. Raises NotOurs for one of certain hours of the day."""
    if constraint is None:
        return ALWAYS
    start = getattr(constraint, "start_date", None)
    if start is None:
        raise NotOurs("its price depends on the hour of the day")
    return datetime.combine(start, time.min, UTC)


def _thresholds(prices: ModelPrice) -> set[int]:
    found = (getattr(prices, name) for name in FIELDS.values())
    return {tier.start for price in found for tier in getattr(price, "tiers", ())}


def _row(prices: ModelPrice, version: str, day: datetime, tier: str, above: int) -> PriceFacts:
    named = {name for name, price in vars(prices).items() if price is not None}
    if others := named - set(FIELDS.values()) - BESIDE:
        raise NotOurs(f"it is not priced by tokens of text alone ({', '.join(sorted(others))})")
    pico = {ours: _pico(getattr(prices, theirs), above) for ours, theirs in FIELDS.items()}
    return PriceFacts(**pico, version=version, valid_from=day, service_tier=tier, above_input_tokens=above)


def _pico(price: Decimal | TieredPrices | None, above: int) -> int | None:
    """Pico-dollars a token for a call with more input than `above`. Raises NotOurs for a fraction of one."""
    if price is None:
        return None
    if not isinstance(price, Decimal):
        price = next((tier.price for tier in reversed(price.tiers) if tier.start <= above), price.base)
    exact = price * PICO_PER_DOLLAR
    if exact != int(exact):
        raise NotOurs(f"its price of {price} dollars per 1M tokens is finer than a pico-dollar a token")
    return int(exact)
