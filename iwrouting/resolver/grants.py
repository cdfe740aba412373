"""What a key may ask for and reach (design.md 9.4, G5). A model that is not granted does not exist for it."""

from __future__ import annotations

from datetime import datetime

from iwrouting.errors import Unavailable
from iwrouting.resolver.ladder import climb
from iwrouting.types import Configuration, KeyFacts


def may_ask_alias(key: KeyFacts | None, alias: str) -> bool:
    """Whether a key may ask for this alias; no key is the operator's own view."""
    return key is None or key.allowed_aliases is None or alias in key.allowed_aliases


def may_ask_model(config: Configuration, key: KeyFacts | None, model: str, project: str | None, now: datetime) -> bool:
    """Whether a key may name this model: an enabled catalogue model, or what one of its aliases resolves to.

    An explicit list of models decides alone.
    """
    if key is not None and key.allowed_models is not None:
        return model in key.allowed_models
    facts = config.models.get(model)
    if facts is not None:
        return facts.enabled
    return any(_resolves_to(config, name, model, project, now) for name in config.aliases if may_ask_alias(key, name))


def may_reach(key: KeyFacts | None, model: str) -> bool:
    """Whether a rung may serve a key: an explicit list filters every rung; else what aliases reach is granted."""
    if key is None or key.allowed_models is None:
        return True
    return model in key.allowed_models


def _resolves_to(config: Configuration, alias: str, model: str, project: str | None, now: datetime) -> bool:
    try:
        return climb(config, config.aliases[alias], project, now)[1] == model
    except Unavailable:
        return False
