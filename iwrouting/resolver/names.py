"""Names as callers write them: `manager`, `role:manager`, `mode:deep`, or a model id."""

from __future__ import annotations

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
    granted = [alias for alias in config.aliases if may_ask_alias(key, alias)]
    models = key.allowed_models if key is not None and key.allowed_models is not None else config.models
    nearest = get_close_matches(name[:SHOWN].rpartition(":")[2], granted, n=1) or get_close_matches(
        name[:SHOWN], list(models), n=1
    )
    hint = f"Did you mean '{nearest[0]}'?" if nearest else "GET /v1/models lists the names you may use."
    return f"The model '{name[:SHOWN]}' does not exist or you do not have access to it. {hint}"
