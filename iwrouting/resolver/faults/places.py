"""Where a configuration names models, and for whom it resolves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from iwrouting.errors import Unavailable
from iwrouting.resolver.chain import build_chain
from iwrouting.resolver.ladder import climb, override_state
from iwrouting.types import AliasFacts, Configuration, Endpoint, Kind, OverrideFacts, Rung, State
from iwrouting.types.faults import Fault, Finding, ObjectType, override_name

Remark = TypeVar("Remark", Fault, Finding)
EFFECTIVE = frozenset({State.USED, State.SCHEDULED})
"""States of an override that serves, or will."""


@dataclass(frozen=True, slots=True)
class Named:
    """A model that a row names: the row, its column, the alias that it is for, and the place in words."""

    object_type: ObjectType
    name: str
    field: str
    alias: AliasFacts
    model: str
    place: str
    ref: str = ""

    def tell(self, kind: type[Remark], code: str, message: str) -> Remark:
        """A fault or a finding about it."""
        return kind(code, self.object_type, self.name, message, self.field, self.model, self.ref)


def named_models(config: Configuration, now: datetime) -> Iterator[Named]:
    """Every default, every rung that is a catalogue model, and every override that serves or will."""
    for alias in config.aliases.values():
        if model := alias.default_model.strip():
            place = f"the default of {alias.name}"
            yield Named(ObjectType.ALIAS, alias.name, "default_model", alias, model, place)
        for rung in alias.chain:
            if rung not in config.aliases and rung in config.models:
                place = f"a rung of {alias.name} ({path(alias)})"
                yield Named(ObjectType.ALIAS, alias.name, "chain", alias, rung, place)
    for override, alias in effective_overrides(config, now):
        yield named_override(override, alias)


def named_override(override: OverrideFacts, alias: AliasFacts) -> Named:
    """The model of an override."""
    name = override_name(override.alias, override.project)
    model = override.model.strip()
    return Named(ObjectType.OVERRIDE, name, "model", alias, model, f"the override of {name}", override.ref)


def effective_overrides(config: Configuration, now: datetime) -> Iterator[tuple[OverrideFacts, AliasFacts]]:
    """Overrides that serve or will, each with its alias."""
    for override in config.overrides.values():
        alias = config.aliases.get(override.alias)
        if alias is not None and override_state(override, now) in EFFECTIVE:
            yield override, alias


def path(alias: AliasFacts) -> str:
    """The alias and its rungs, in order."""
    return " -> ".join((alias.name, *alias.chain))


def endpoint_of(alias: AliasFacts) -> Endpoint:
    """Where an alias is meant to be asked."""
    return Endpoint.EMBEDDINGS if alias.kind is Kind.EMBEDDING else Endpoint.CHAT


def audiences(config: Configuration, kind: Kind | None = None) -> Iterator[tuple[AliasFacts, str | None]]:
    """Every alias, or every one of a kind: as all projects see it, and as those see it whose own overrides change it
    or a rung of it."""
    aliases = [alias for alias in config.aliases.values() if kind is None or alias.kind is kind]
    for alias in aliases:
        yield alias, None
    projects: dict[str, set[str]] = {}
    for override in config.overrides.values():
        if override.project is not None:
            projects.setdefault(override.project, set()).add(override.alias)
    for project, named in projects.items():
        for alias in aliases:
            if alias.name in named or named.intersection(alias.chain):
                yield alias, project


def serving(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> Rung | None:
    """The first rung that could serve; None where none could."""
    try:
        _, model, source = climb(config, alias, project, now)
        # The primary alone first: it nearly always serves, and the rungs after it cost as much again.
        for chained in (None, alias):
            endpoint = endpoint_of(alias).value
            chain = build_chain(config, chained, model, source, project=project, now=now, endpoint=endpoint, key=None)
            for rung in chain:
                if rung.skip is None:
                    return rung
    except Unavailable:
        return None
    return None


def told_audience(alias: AliasFacts, project: str | None) -> str:
    """An alias, and for whom where it is not for all."""
    return alias.name if project is None else override_name(alias.name, project)
