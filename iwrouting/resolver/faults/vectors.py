"""Vectors of different spaces do not mix: an embedding alias keeps to one (openai-facts.md 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from iwrouting.errors import Unavailable
from iwrouting.resolver.chain import facts_of
from iwrouting.resolver.faults.places import (
    EFFECTIVE,
    Named,
    audiences,
    effective_overrides,
    named_override,
    told_audience,
)
from iwrouting.resolver.ladder import climb, override_state
from iwrouting.types import AliasFacts, Configuration, Kind, ModelFacts, OverrideFacts, State
from iwrouting.types.faults import Fault, Finding, ObjectType


@dataclass(frozen=True, slots=True)
class _Change:
    """A row that names another embedding model than the one before it."""

    named: Named
    old: ModelFacts
    new: ModelFacts


def vector_faults(before: Configuration, after: Configuration, now: datetime) -> Iterator[Fault]:
    """Changes to a model that surely makes other vectors than the one before."""
    for change in _changes(before, after, now):
        if _differ(change.old, change.new):
            yield change.named.tell(Fault, "vector_space_changed", _refusal(change))


def vector_findings(before: Configuration, after: Configuration, now: datetime) -> Iterator[Finding]:
    """Changes of which nobody knows, and those that no row names: an override that ends, or the environment."""
    told: set[str] = set()
    for change in _changes(before, after, now):
        told.add(change.named.alias.name)
        if not _differ(change.old, change.new) and not (change.old.vector_space and change.new.vector_space):
            yield change.named.tell(Finding, "vector_space_unknown", _doubt(change))
    for alias, project in audiences(after, Kind.EMBEDDING):
        if alias.name in before.aliases and alias.name not in told:
            yield from _moved(before, after, alias, project, now)


def _changes(before: Configuration, after: Configuration, now: datetime) -> Iterator[_Change]:
    for named, old in _renamed(before, after, now):
        if old and old != named.model:
            yield _Change(named, facts_of(before, old), facts_of(after, named.model))


def _renamed(before: Configuration, after: Configuration, now: datetime) -> Iterator[tuple[Named, str]]:
    """The places of embedding aliases that were changed, each with the model that served there before."""
    for alias in after.aliases.values():
        known = before.aliases.get(alias.name)
        if alias.kind is Kind.EMBEDDING and known is not None:
            place = f"the default of {alias.name}"
            model = alias.default_model.strip()
            yield Named(ObjectType.ALIAS, alias.name, "default_model", alias, model, place), known.default_model.strip()
    for override, alias in effective_overrides(after, now):
        if alias.kind is not Kind.EMBEDDING or _same_effect(before, override, now):
            continue
        if alias.name in before.aliases:
            yield named_override(override, alias), _served_by(before, alias, override, now)
        elif override.expires_at is not None or override_state(override, now) is not State.USED:
            # Of a new alias no vector is stored yet: only an override that begins or ends will change what it makes.
            yield named_override(override, alias), alias.default_model.strip()


def _same_effect(before: Configuration, override: OverrideFacts, now: datetime) -> bool:
    known = before.overrides.get((override.project, override.alias))
    return known is not None and known.model == override.model and override_state(known, now) in EFFECTIVE


def _served_by(before: Configuration, alias: AliasFacts, override: OverrideFacts, now: datetime) -> str:
    """The model that served where an override is to serve."""
    known = before.aliases[alias.name]
    try:
        return climb(before, known, override.project, now)[1]
    except Unavailable:
        return known.default_model.strip()


def _moved(
    before: Configuration, after: Configuration, alias: AliasFacts, project: str | None, now: datetime
) -> Iterator[Finding]:
    try:
        old = facts_of(before, climb(before, before.aliases[alias.name], project, now)[1])
        new = facts_of(after, climb(after, alias, project, now)[1])
    except Unavailable:
        return
    if old.id != new.id and _differ(old, new):
        text = (
            f"{told_audience(alias, project)} is served by {new.id} ({_told(new)}) instead of {old.id} ({_told(old)}): "
            f"vectors that {old.id} made no longer match new ones. Embed those texts again."
        )
        yield Finding("vector_space_moves", ObjectType.ALIAS, alias.name, text, "default_model", project or "")


def _differ(old: ModelFacts, new: ModelFacts) -> bool:
    spaces = bool(old.vector_space and new.vector_space and old.vector_space != new.vector_space)
    widths = old.dimensions is not None and new.dimensions is not None and old.dimensions != new.dimensions
    return spaces or widths


def _told(facts: ModelFacts) -> str:
    width = f"{facts.dimensions:,} wide" if facts.dimensions else "width not known"
    return f"space {facts.vector_space or 'not known'}, {width}"


def _refusal(change: _Change) -> str:
    old, new = change.old, change.new
    return (
        f"{new.id} makes other vectors ({_told(new)}) than {old.id} ({_told(old)}), which serves now. Vectors that are "
        "stored already would no longer match new ones, and searches would find the wrong texts without an error. "
        f"Keep {old.id}; or add an alias of kind embedding with {new.id}, embed the stored texts again through it, and "
        "let callers ask for that alias."
    )


def _doubt(change: _Change) -> str:
    return (
        f"Not known whether {change.new.id} makes the same vectors as {change.old.id}: if not, stored vectors no "
        "longer match new ones. The vector space of a model stands on its page."
    )
