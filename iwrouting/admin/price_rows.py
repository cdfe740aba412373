"""Questions to the price table: what holds at a time, and what has no price."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.show import admin_url, lines, link, per_million
from iwrouting.models import Alias, Price
from iwrouting.models.prices import PICO_FIELDS
from iwrouting.models.targets import model_users
from iwrouting.types import DEFAULT_TIER

KEY = ("model_id", "service_tier", "above_input_tokens")
UNKNOWN = "not known"
OLD_DAYS = 90


def superseded(at: datetime) -> Exists:
    """Whether a later price of the same model, service tier and threshold holds at a time."""
    same = {name: OuterRef(name) for name in KEY}
    return Exists(Price.objects.filter(**same, valid_from__gt=OuterRef("valid_from"), valid_from__lte=at))


def price_states(at: datetime) -> dict[str, Q]:
    """A price's state as conditions of the database; `missing` and `old` are of those in force."""
    begun = Q(valid_from__lte=at)
    holding = begun & ~Q(superseded(at))
    return {
        "in_force": holding,
        "scheduled": ~begun,
        "superseded": begun & Q(superseded(at)),
        "missing": holding & Q(input_pico__isnull=True),
        "old": holding & Q(updated_at__lt=at - timedelta(days=OLD_DAYS)),
    }


def price_lines(model_id: str) -> SafeString:
    """The prices of a model in force now, one a line, each with a link to its row; then where to see or add more."""
    rows: QuerySet[Price] = Price.objects.filter(price_states(timezone.now())["in_force"], model_id=model_id)
    listed = f"{admin_url('price', 'changelist')}?model_id={model_id}"
    return lines([*(_line(row) for row in rows), link(listed, "Price list")])


def _line(row: Price) -> SafeString:
    above = f" above {row.above_input_tokens:,} input tokens" if row.above_input_tokens else ""
    known = any(getattr(row, name) is not None for name in PICO_FIELDS)
    prices = " / ".join(per_million(getattr(row, name)) or "-" for name in PICO_FIELDS)
    there = link(admin_url("price", "change", row.pk), f"{row.service_tier}{above}")
    return format_html("{}: {}", there, prices if known else UNKNOWN)


def unpriced_models() -> list[str]:
    """The models that an alias or an override names and whose price is not known now."""
    now = timezone.now()
    known = Price.objects.filter(
        price_states(now)["in_force"], service_tier=DEFAULT_TIER, above_input_tokens=0, input_pico__isnull=False
    )
    aliases = set(Alias.objects.values_list("name", flat=True))
    named = {name for name in model_users() if name.rpartition(":")[2] not in aliases}
    return sorted(named - set(known.values_list("model_id", flat=True)))
