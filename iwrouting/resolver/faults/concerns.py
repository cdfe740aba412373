"""Findings on a configuration as it stands: each warns, none refuses (design.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from iwrouting.errors import Unavailable
from iwrouting.resolver.faults.places import effective_overrides
from iwrouting.resolver.faults.targets import unfit
from iwrouting.resolver.ladder import climb, override_state
from iwrouting.resolver.lifecycle import Place, lifecycle_findings, places_of
from iwrouting.types import AUTO, DEFAULT_TIER, AliasFacts, Configuration, OverrideFacts, PriceFacts, State
from iwrouting.types.faults import Finding, ObjectType, override_name

COLUMNS = {"default": "default_model", "environment": "variable", "rung": "chain", "override": "model"}


def lifecycle(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Every place whose model is gone, going, switched off or unknown to the catalogue."""
    for found in lifecycle_findings(config, now):
        words = found.warning.partition(": ")[2]
        yield _at(found.place, found.code, f"{words} ({found.place.told()}). {_next_step(found.code)}")


def _next_step(code: str) -> str:
    if code == "model_unverified":
        return "Check its spelling, or add it to the models; until then cautious rules apply."
    return "Name another, or acknowledge it."


def _at(place: Place, code: str, message: str) -> Finding:
    override = place.kind == "override"
    name = override_name(place.alias, place.project) if override else place.alias
    kind = ObjectType.OVERRIDE if override else ObjectType.ALIAS
    return Finding(code, kind, name, message, COLUMNS[place.kind], place.model, place.ref if override else "")


def prices(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Every model that is named and has no price in force for its input."""
    for model in dict.fromkeys(place.model for place in places_of(config, now)):
        base = [price for price in config.prices.get(model, ()) if price.key == (DEFAULT_TIER, 0)]
        held = [price for price in base if price.valid_from <= now]
        if held and max(held, key=_begin).input_pico is not None:
            continue
        code, text = "price_missing", f"{model} has no price in force: its calls are unpriced. Add one, or sync prices."
        if coming := min((price for price in base if price.valid_from > now), key=_begin, default=None):
            begin = f"{coming.valid_from:%Y-%m-%dT%H:%M:%SZ}"
            code, text = "price_future", f"The first price of {model} holds from {begin}: calls before are unpriced."
        yield Finding(code, ObjectType.MODEL, model, text, "prices")


def _begin(price: PriceFacts) -> datetime:
    return price.valid_from


def overrides(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Overrides without effect today, those that shadow the environment, and those that have ended already."""
    without = replace(config, overrides={})
    for override, alias in effective_overrides(config, now):
        yield from _same(config if override.project else without, override, alias, now)
        value = config.environment.values.get(alias.variable, "").strip()
        if value:
            text = f"{alias.variable}={value} of the environment has no effect where this override is in force."
            yield _of(override, "override_shadows_environment", text, alias.variable)
    for override in config.overrides.values():
        if override_state(override, now) is State.EXPIRED and override.expires_at is not None:
            ended = f"{override.expires_at:%Y-%m-%dT%H:%M:%SZ}"
            text = f"It expired at {ended} and has no effect: enter a later time, or delete it."
            yield _of(override, "override_expired", text, ended)


def _of(override: OverrideFacts, code: str, message: str, subject: str = "") -> Finding:
    name = override_name(override.alias, override.project)
    return Finding(code, ObjectType.OVERRIDE, name, message, "model", subject, override.ref)


def _same(config: Configuration, override: OverrideFacts, alias: AliasFacts, now: datetime) -> Iterator[Finding]:
    """`config` is what serves below: all but the projects' overrides, or no override at all."""
    pins = alias.name == AUTO and alias.infer and not override.infer
    if override_state(override, now) is not State.USED or pins:
        return
    try:
        _, model, source = climb(config, alias, None, now)
    except Unavailable:
        return
    if model == override.model.strip():
        text = f"This override changes nothing today: {model} serves without it too ({source})."
        yield _of(override, "override_same", text, model)


def environment(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Variables that are set but blank, and those whose model can't do their alias's work."""
    for alias in config.aliases.values():
        value = config.environment.values.get(alias.variable) if alias.variable else None
        facts = config.models.get(value.strip()) if value else None
        if value is not None and not value.strip():
            text = f"{alias.variable} is set, but blank: it counts as not set. Give it a model, or unset it."
            yield _variable(alias, "environment_blank", text)
        elif facts is not None and (words := unfit(alias.kind, facts)):
            yield _variable(alias, "environment_unfit", f"{alias.variable} of the environment: {words}", facts.id)


def _variable(alias: AliasFacts, code: str, message: str, subject: str = "") -> Finding:
    return Finding(code, ObjectType.ALIAS, alias.name, message, "variable", subject, alias.variable)


def names(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Aliases that hide a model from callers, and keys that grant an alias which does not exist."""
    for name in config.aliases.keys() & config.models.keys():
        text = (
            f"The alias {name} hides the model of the same name from callers. Choose another name, or acknowledge it."
        )
        yield Finding("alias_shadows_model", ObjectType.ALIAS, name, text, "name")
    for key in config.keys.values():
        for name in sorted((key.allowed_aliases or frozenset()) - config.aliases.keys()):
            text = f"It grants the alias {name!r}, which does not exist: add the alias, or take it off the key."
            yield Finding("grant_unknown", ObjectType.KEY, key.key_id, text, "allowed_aliases", name)
