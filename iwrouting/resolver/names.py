"""Names as callers write them: `manager`, `role:manager`, `mode:deep`, or a model id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from iwrouting.resolver.grants import may_ask_alias
from iwrouting.types import AliasFacts, Configuration, KeyFacts, Kind

PREFIXES = {"role": Kind.ROLE, "mode": Kind.CHAT_MODE}
SHOWN = 80


def find_alias(config: Configuration, name: str) -> AliasFacts | None:
    """The alias that a name means, or None. A prefix must fit the alias's kind."""
    alias = config.aliases.get(name)
    if alias is not None:
        return alias
    prefix, colon, rest = name.partition(":")
    alias = config.aliases.get(rest) if colon else None
    return alias if alias is not None and PREFIXES.get(prefix) is alias.kind else None


def unknown_name(config: Configuration, name: str, key: KeyFacts | None) -> str:
    """The message for a name that means nothing to this key; names the nearest one that does (openai-facts.md 10)."""
    shown = name[:SHOWN]
    near = nearest(shown.rpartition(":")[2], _aliases(config, key)) or nearest(shown, _models(config, key))
    hint = f"Did you mean '{near}'?" if near else "GET /v1/models lists the names you may use."
    return f"The model '{shown}' does not exist or you do not have access to it. {hint}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one whatever its case, or an empty string."""
    names = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), names, n=1)
    return names[found[0]] if found else ""


def _aliases(config: Configuration, key: KeyFacts | None) -> Iterator[str]:
    return (alias for alias in config.aliases if may_ask_alias(key, alias))


def _models(config: Configuration, key: KeyFacts | None) -> Iterable[str]:
    if key is not None and key.allowed_models is not None:
        return key.allowed_models
    return (facts.id for facts in config.models.values() if facts.enabled)
