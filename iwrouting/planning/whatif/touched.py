"""Which names can resolve otherwise after a change: only calls for these are read in detail. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from iwrouting.types import AUTO, AliasFacts, Configuration, Kind

PREFIXES = {Kind.ROLE: "role", Kind.CHAT_MODE: "mode"}


def touched_names(before: Configuration, after: Configuration) -> tuple[str, ...] | None:
    """Every name that callers may have written whose answer the change can change; None: any name."""
    if _touches_all(before, after):
        return None
    models = {*differing_models(before, after)}
    aliases = {*_edited(before, after)}
    while True:
        more = {name for config in (before, after) for name in _reached(config, aliases, models)} - aliases
        if not more:
            break
        aliases |= more
    named = {model for config in (before, after) for name in aliases for model in _models(config, name)}
    named -= {*before.aliases, *after.aliases}
    # A model that no catalogue holds may be asked for while some alias reaches it.
    return tuple(sorted({*_written(before, aliases), *_written(after, aliases), *models, *named} - {""}))


def differing_models(before: Configuration, after: Configuration) -> Iterator[str]:
    """Models whose facts are not the same in both."""
    for model in before.models.keys() | after.models.keys():
        if before.models.get(model) != after.models.get(model):
            yield model


def _touches_all(before: Configuration, after: Configuration) -> bool:
    same = ("projects", "upstreams", "keys", "environment", "default_upstream", "database")
    return any(getattr(before, name) != getattr(after, name) for name in same)


def _edited(before: Configuration, after: Configuration) -> Iterator[str]:
    for name in before.aliases.keys() | after.aliases.keys():
        if before.aliases.get(name) != after.aliases.get(name):
            yield name
    for place in before.overrides.keys() | after.overrides.keys():
        if before.overrides.get(place) != after.overrides.get(place):
            yield place[1]


def _reached(config: Configuration, aliases: set[str], models: set[str]) -> Iterator[str]:
    """Aliases that bring a touched alias or model into play; `auto` stands for every chat mode."""
    modes = {name for name in aliases if name in config.aliases and config.aliases[name].kind is Kind.CHAT_MODE}
    for alias in config.aliases.values():
        if aliases & set(alias.chain) or models & {*_models(config, alias.name)} or (modes and alias.name == AUTO):
            yield alias.name


def _models(config: Configuration, name: str) -> Iterator[str]:
    alias = config.aliases.get(name)
    if alias is not None:
        yield alias.default_model.strip()
        yield config.environment.values.get(alias.variable, "").strip()
        yield from alias.chain
    yield from (row.model.strip() for (_, of), row in config.overrides.items() if of == name)


def _written(config: Configuration, aliases: set[str]) -> Iterator[str]:
    for name in aliases:
        alias: AliasFacts | None = config.aliases.get(name)
        yield name
        if alias is not None and alias.kind in PREFIXES:
            yield f"{PREFIXES[alias.kind]}:{name}"
