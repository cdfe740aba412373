"""The price table against the packaged price lists: what a sync would change, and writing it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils import timezone

from iwrouting import catalogue
from iwrouting.management.price_lists import PriceLists, read_price_lists
from iwrouting.management.price_plan import Action, Change, Listed, plan
from iwrouting.models import Model, Price
from iwrouting.pricing import usd_per_million
from iwrouting.types import ALWAYS, PriceFacts

PRICES = ("input_pico", "cached_pico", "cache_write_pico", "output_pico")


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync before it is written: the lists that were read, and a line for each price."""

    lists: PriceLists
    changes: list[Change]

    @property
    def writes(self) -> list[Change]:
        """The lines that write a row."""
        return [change for change in self.changes if change.writes]

    @property
    def digest(self) -> str:
        """The same for two plans that tell the same of every price, whenever they were made."""
        told = (change for change in self.changes if change.action is not Action.SAME)
        lines = ((each.action, each.model_id, each.after.key, prices_of(each.after), each.before) for each in told)
        return hashlib.sha256(repr([self.lists.version, *lines]).encode()).hexdigest()[:32]


def plan_sync(model_ids: Sequence[str] | None = None) -> Sync:
    """What the price lists would change: for these models, or all of the catalogue and of the database."""
    wanted = model_ids or sorted({*catalogue.models(), *Model.objects.values_list("model_id", flat=True)})
    lists = read_price_lists(wanted)
    table: dict[str, list[Listed]] = {}
    for row in Price.objects.filter(model_id__in=lists.prices):
        table.setdefault(row.model_id, []).append(Listed(row.facts, row.is_manual))
    return Sync(lists, plan(lists.prices, table, timezone.now()))


def write(sync: Sync) -> list[Price]:
    """Write the rows, inside a change: a scheduled price of the same day is replaced, none in force is touched.

    What should hold from the plan's moment on holds from this one on: time may have passed while it was read.
    """
    now = timezone.now()
    rows = []
    for change in sync.writes:
        known_as = sync.lists.known_as[change.model_id]
        source = sync.lists.version if known_as == change.model_id else f"{sync.lists.version}, as {known_as}"
        values = {**asdict(change.after), "source": source, "is_manual": False}
        if change.action is Action.DIFFERS:
            values["valid_from"] = max(change.after.valid_from, now)
        at = {name: values.pop(name) for name in ("service_tier", "above_input_tokens", "valid_from")}
        stored = Price.objects.filter(model_id=change.model_id, is_manual=False, **at)
        row = stored.first() or Price(model_id=change.model_id, **at)
        for name, value in values.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        rows.append(row)
    return rows


def cells(change: Change) -> dict[str, str | int | None]:
    """A line of the preview as people read it; `until then`: the prices that it replaces, or leaves."""
    after, before = change.after, change.before
    until_then = (
        None if before is None or change.action is Action.SAME else " / ".join(p or "-" for p in prices_of(before))
    )
    return {
        "change": change.action.value,
        "model": change.model_id,
        "tier": after.service_tier,
        "above": after.above_input_tokens or None,
        "from": "always" if after.valid_from == ALWAYS else f"{after.valid_from:%Y-%m-%d %H:%M}",
        **dict(zip(("input", "cached", "write", "output"), prices_of(after), strict=True)),
        "until then": until_then,
    }


def prices_of(price: PriceFacts) -> list[str | None]:
    """Dollars per 1M tokens: input, cached input, cache writes, output; None for what is not known."""
    pico = (getattr(price, name) for name in PRICES)
    return [None if each is None else usd_per_million(each) for each in pico]
