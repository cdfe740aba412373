"""The live matrix: what a configuration has of each alias, and what serves it instead of its default. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from iwrouting.catalogue import MatrixAlias
from iwrouting.errors import Unavailable
from iwrouting.planning.matrix.words import conventional_alias
from iwrouting.resolver import climb
from iwrouting.types import AliasFacts, Configuration, Kind, Source, State

KINDS = (Kind.CHAT_MODE, Kind.ROLE, Kind.EMBEDDING)


@dataclass(frozen=True, slots=True)
class Row:
    """An alias as it is configured. `design` is the built-in target, empty for an alias that has none.

    `is_usual`: its variable alone tells which alias is meant.
    """

    facts: AliasFacts
    default: str
    design: str
    is_usual: bool


@dataclass(frozen=True, slots=True)
class Served:
    """What serves an alias, for a project or for all (None). `model` is empty where nothing does."""

    alias: str
    project: str | None
    model: str
    source: Source
    ref: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """All aliases, by kind and in the built-in order, and where something else than the default serves."""

    rows: tuple[Row, ...]
    served: tuple[Served, ...]
    project: str | None


def live_matrix(
    config: Configuration, now: datetime, builtin: Mapping[str, MatrixAlias], project: str | None
) -> Matrix:
    """The matrix of a configuration at a moment: for one project, or for all and each that has overrides in force."""
    order = {name: index for index, name in enumerate(builtin)}
    shared = Counter(alias.variable for alias in config.aliases.values())
    names = sorted(config.aliases, key=lambda name: (order.get(name, len(order)), name))
    rows = [_row(config.aliases[name], builtin, shared) for kind in KINDS for name in names if _is(config, name, kind)]
    return Matrix(tuple(rows), tuple(_served(config, rows, now, project)), project)


def serving(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> Served:
    """What serves an alias."""
    try:
        ladder, model, source = climb(config, alias, project, now)
    except Unavailable:
        return Served(alias.name, project, "", Source.DEFAULT, f"alias:{alias.name}")
    ref = next(step.ref for step in ladder if step.state is State.USED)
    return Served(alias.name, project, model, source, ref)


def with_own(config: Configuration, alias: str, now: datetime) -> list[str]:
    """The projects of which an override is in force for an alias."""
    own = sorted(project for project, name in config.overrides if project is not None and name == alias)
    facts = config.aliases[alias]
    return [slug for slug in own if serving(config, facts, slug, now).source is Source.PROJECT_OVERRIDE]


def _is(config: Configuration, name: str, kind: Kind) -> bool:
    return config.aliases[name].kind is kind


def _row(alias: AliasFacts, builtin: Mapping[str, MatrixAlias], shared: Counter[str]) -> Row:
    design = builtin[alias.name].design_model if alias.name in builtin else ""
    is_usual = conventional_alias(alias.variable) == alias.name and shared[alias.variable] == 1
    return Row(alias, alias.default_model.strip(), design, is_usual)


def _served(config: Configuration, rows: list[Row], now: datetime, project: str | None) -> Iterator[Served]:
    for row in rows:
        own = with_own(config, row.facts.name, now) if project is None else []
        for slug in (project, *own):
            found = serving(config, row.facts, slug, now)
            if found.source is not Source.DEFAULT:
                yield found
