"""What a key may ask for and reach (design.md 9.4, G5). A model that is not granted does not exist for it."""

from __future__ import annotations

from datetime import datetime

from iwrouting.errors import Unavailable
from iwrouting.resolver.ladder import climb
from iwrouting.resolver.modes import infers
from iwrouting.types import AliasFacts, Configuration, KeyFacts, Kind


def may_ask_alias(key: KeyFacts | None, alias: str) -> bool:
    """Whether a key may ask for this alias; no key is the operator's own view."""
    return key is None or key.allowed_aliases is None or alias in key.allowed_aliases


def may_ask_model(config: Configuration, key: KeyFacts | None, model: str, project: str | None, now: datetime) -> bool:
    """Whether a key may name this model: an enabled catalogue model, or what one of its aliases can reach.

    An explicit list of models decides alone.
    """
    if key is not None and key.allowed_models is not None:
        return model in key.allowed_models
    facts = config.models.get(model)
    if facts is not None:
        return facts.enabled
    granted = (alias for alias in config.aliases.values() if may_ask_alias(key, alias.name))
    return any(_reaches(config, alias, model, project, now) for alias in granted)


def may_reach(key: KeyFacts | None, model: str) -> bool:
    """Whether a rung may serve a key: an explicit list filters every rung; else what aliases reach is granted."""
    if key is None or key.allowed_models is None:
        return True
    return model in key.allowed_models


def _reaches(config: Configuration, alias: AliasFacts, model: str, project: str | None, now: datetime) -> bool:
    """Whether a call for an alias can end at a model: its own, a rung's, or that of a mode that `auto` stands for."""
    try:
        if model in _candidates(config, alias, project, now):
            return True
        modes = config.aliases.values() if infers(config, alias, project, now) else ()
    except Unavailable:
        return False
    chat = (mode for mode in modes if mode.kind is Kind.CHAT_MODE and mode is not alias)
    return any(_reaches(config, mode, model, project, now) for mode in chat)


def _candidates(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> list[str]:
    rungs = (config.aliases.get(name, name) for name in alias.chain)
    return [rung if isinstance(rung, str) else climb(config, rung, project, now)[1] for rung in (alias, *rungs)]
