"""Structural faults between rows: names that lead nowhere, two rows in one place, times and prices that can't be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from iwrouting.types import Configuration, OverrideFacts, PriceFacts
from iwrouting.types.faults import Fault, ObjectType, override_name


def row_faults(config: Configuration) -> Iterator[Fault]:
    """The faults of overrides, projects, prices and keys as rows."""
    for override in config.overrides.values():
        yield from _override(config, override)
    yield from _twin_overrides(config)
    yield from _external_ids(config)
    for model, prices in config.prices.items():
        yield from _prices(model, prices)
    yield from _keys(config)


def _override(config: Configuration, row: OverrideFacts) -> Iterator[Fault]:
    def fault(code: str, field: str, text: str, subject: str = "") -> Fault:
        name = override_name(row.alias, row.project)
        return Fault(code, ObjectType.OVERRIDE, name, text, field, subject, row.ref)

    if row.alias not in config.aliases:
        yield fault("alias_unknown", "alias", f"No alias {row.alias!r}: add it, or name another.", row.alias)
    if row.project is not None and row.project not in config.projects:
        yield fault("project_unknown", "project", f"No project {row.project!r}: add it, or name another.", row.project)
    if not row.model.strip():
        yield fault("model_blank", "model", "An override names a model: enter one, or delete the override.")
    if row.starts_at is not None and row.expires_at is not None and row.starts_at >= row.expires_at:
        text = f"It would start at {row.starts_at:%Y-%m-%dT%H:%M:%SZ} and expire at {row.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        yield fault("window_reversed", "expires_at", f"{text}. It must start before it expires.")


def _twin_overrides(config: Configuration) -> Iterator[Fault]:
    places = Counter((row.alias, row.project) for row in config.overrides.values())
    for (alias, project), count in places.items():
        if count > 1:
            name = override_name(alias, project)
            text = f"{count} overrides of {name}: one alias has one for each project, and one for all. Keep one."
            yield Fault("override_twin", ObjectType.OVERRIDE, name, text, "alias")


def _external_ids(config: Configuration) -> Iterator[Fault]:
    owners = Counter(row.external_id for row in config.projects.values() if row.external_id)
    for row in config.projects.values():
        named = row.external_id
        if named and named != row.slug and named in config.projects:
            text = f"{named!r} is another project's slug: callers name projects by either, so it may not mean two."
            yield Fault("external_id_taken", ObjectType.PROJECT, row.slug, text, "external_id", named)
        if owners[named] > 1:
            text = f"{named!r} is another project's external id too: give each its own."
            yield Fault("external_id_twin", ObjectType.PROJECT, row.slug, text, "external_id", named)


def price_name(model: str, price: PriceFacts) -> str:
    """How people call a price: its model, tier, threshold and time."""
    above = f" above {price.above_input_tokens}" if price.above_input_tokens else ""
    return f"{model} {price.service_tier}{above} from {price.valid_from.isoformat().replace('+00:00', 'Z')}"


def _prices(model: str, prices: tuple[PriceFacts, ...]) -> Iterator[Fault]:
    moments = Counter((price.key, price.valid_from) for price in prices)
    for price in prices:
        name = price_name(model, price)
        if moments[price.key, price.valid_from] > 1:
            text = f"Two prices of {name}: no call could tell which holds. Keep one, or give one another time."
            yield Fault("price_twin", ObjectType.PRICE, name, text, "valid_from")
        for column in ("input_pico", "cached_pico", "cache_write_pico", "output_pico"):
            value = getattr(price, column)
            if value is not None and value < 0:
                text = f"{value} pico-dollars a token: a price is 0 or more, and empty where it is not known."
                yield Fault("price_negative", ObjectType.PRICE, name, text, column)


def _keys(config: Configuration) -> Iterator[Fault]:
    for key in config.keys.values():
        named = {key.default_project, *(key.projects or ())} - {""}
        for project in sorted(named - config.projects.keys()):
            text = f"No project {project!r}: add it, or take it off the key."
            yield Fault("project_unknown", ObjectType.KEY, key.key_id, text, "projects", project)
