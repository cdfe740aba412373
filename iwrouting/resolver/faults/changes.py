"""Structural faults of a change: what was there before and may not go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from iwrouting.resolver.lifecycle import places_of
from iwrouting.types import Configuration
from iwrouting.types.faults import Fault, ObjectType

MOST_TOLD = 10


def change_faults(before: Configuration, after: Configuration, now: datetime) -> Iterator[Fault]:
    """Models and aliases that are gone while others name them, and switches that are undone by deleting their row."""
    yield from _models_gone(before, after, now)
    for name in before.aliases.keys() - after.aliases.keys() - after.models.keys():
        users = [alias.name for alias in after.aliases.values() if name in alias.chain]
        if users:
            text = f"The alias {name} is a rung of {listed(users)}: take it out of their chains first."
            yield Fault("in_use", ObjectType.ALIAS, name, text)


def _models_gone(before: Configuration, after: Configuration, now: datetime) -> Iterator[Fault]:
    gone = before.models.keys() - after.models.keys()
    if not gone:
        return
    users: dict[str, dict[str, None]] = {}
    for place in places_of(after, now):
        if place.model in gone and place.kind != "environment":
            users.setdefault(place.model, {})[place.told()] = None
    for model in gone:
        if not before.models[model].enabled:
            text = f"The model {model} is disabled: without its row it could be called again. Keep it disabled."
            yield Fault("switch_lost", ObjectType.MODEL, model, text)
        elif model in users:
            text = f"The model {model} is the {listed(list(users[model]), '; ')}: disable it instead, or name another."
            yield Fault("in_use", ObjectType.MODEL, model, text)


def listed(names: list[str], comma: str = ", ") -> str:
    """The first of them, and how many more."""
    more = [f"and {len(names) - MOST_TOLD} more"] if len(names) > MOST_TOLD else []
    return comma.join([*names[:MOST_TOLD], *more])
