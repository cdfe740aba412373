"""The packaged price lists, read once for all tests."""

from __future__ import annotations

from functools import cache

from iwrouting import catalogue
from iwrouting.management.price_lists import PriceLists, read_price_lists
from iwrouting.types import PriceFacts


@cache
def lists() -> PriceLists:
    """The lists of every model of the catalogue."""
    return read_price_lists(catalogue.models())


def prices_of(model: str) -> tuple[PriceFacts, ...]:
    """A model's prices; none for one that nobody knows."""
    return lists().prices.get(model, ())
