"""Every place of the configuration that names a model which is gone, going, switched off or unknown. Pure.

Warnings everywhere, errors nowhere (design.md 4): nothing here keeps a call from being tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from iwrouting.resolver.chain import facts_of
from iwrouting.resolver.ladder import override_state
from iwrouting.resolver.warnings import lifecycle_warning
from iwrouting.types import AliasFacts, Configuration, State

IN_FORCE = frozenset({State.USED, State.SCHEDULED})
MAX_TOLD = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model is named. `kind`: default, environment, override or rung; `ref` is what is to be edited there:
    a variable's name, `override:<id>`, or the rung's number, which counts the primary as 0."""

    kind: str
    alias: str
    model: str
    ref: str = ""
    project: str | None = None
    state: str = State.USED.value

    def told(self, *, public: bool = False) -> str:
        """The place in words; `public` names no project."""
        if self.kind == "default":
            return f"default of the alias {self.alias}"
        if self.kind == "environment":
            return f"{self.ref} of the environment, for the alias {self.alias}"
        if self.kind == "rung":
            return f"rung {self.ref} of the alias {self.alias}"
        scope = "all projects" if self.project is None else "one project" if public else f"the project {self.project}"
        scheduled = "scheduled " if self.state == State.SCHEDULED else ""
        return f"{scheduled}override of the alias {self.alias} for {scope}"

    @property
    def label(self) -> str:
        """The place in a word or two, beside its alias."""
        if self.kind == "rung":
            return f"rung {self.ref}"
        return f"override for {self.project or 'all'}" if self.kind == "override" else self.kind

    @property
    def fix(self) -> str:
        """Where an operator changes it."""
        if self.kind == "environment":
            return f"set {self.ref}"
        if self.kind == "override":
            return f"admin: Overrides, {self.ref.removeprefix('override:')}"
        return f"admin: Aliases, {self.alias}{', Fallback' if self.kind == 'rung' else ''}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A place whose model is gone or going. `days` until its shutdown, negative after it; None where there is no date.

    `rung_of` are the aliases whose chains lead here: they lose a rung with it.
    """

    code: str
    place: Place
    warning: str
    shutdown_date: date | None
    days: int | None
    replacement: str
    rung_of: tuple[str, ...] = ()

    def told(self, *, public: bool = False) -> str:
        """One line: the warning, and the place. `public` names no project."""
        return f"{self.warning} ({self.place.told(public=public)})"


def lifecycle_findings(config: Configuration, now: datetime, *, days: int | None = None) -> tuple[Finding, ...]:
    """The findings on all places, the longest dead first. `days` ahead of a shutdown; None: the configuration's."""
    limit = config.lifecycle_warning_days if days is None else days
    found = [_finding(config, place, now, limit) for place in places_of(config, now)]
    kept = [finding for finding in found if finding is not None]
    return tuple(sorted(kept, key=lambda each: (each.days is None, each.days or 0, each.place.alias, each.place.kind)))


def public_warnings(config: Configuration, now: datetime) -> list[str]:
    """The findings as lines without project names, each once, at most 100."""
    told = list(dict.fromkeys(finding.told(public=True) for finding in lifecycle_findings(config, now)))
    more = len(told) - MAX_TOLD
    return told if more <= 0 else [*told[:MAX_TOLD], f"and {more} more: manage.py lifecycle_check lists them"]


def _finding(config: Configuration, place: Place, now: datetime, days: int) -> Finding | None:
    facts = facts_of(config, place.model)
    warning = lifecycle_warning(facts, now.date(), days)
    if not warning:
        return None
    code = warning.partition(":")[0]
    ends = facts.shutdown_date if code in ("model_retired", "model_retiring") else None
    return Finding(
        code=code,
        place=place,
        warning=warning,
        shutdown_date=ends,
        days=None if ends is None else (ends - now.date()).days,
        replacement=facts.replacement,
        rung_of=() if place.kind == "rung" else _rung_of(config, place.alias),
    )


def _rung_of(config: Configuration, name: str) -> tuple[str, ...]:
    return tuple(alias.name for alias in config.aliases.values() if name in alias.chain)


def places_of(config: Configuration, now: datetime) -> Iterator[Place]:
    """Every place that names a model: defaults, variables, rungs, and overrides in force or scheduled."""
    for alias in config.aliases.values():
        yield from _of_alias(config, alias)
    for override in config.overrides.values():
        state = override_state(override, now)
        if state in IN_FORCE:
            place = Place("override", override.alias, override.model.strip(), override.ref, override.project)
            yield replace(place, state=state.value)


def _of_alias(config: Configuration, alias: AliasFacts) -> Iterator[Place]:
    if default := alias.default_model.strip():
        yield Place("default", alias.name, default)
    if value := config.environment.values.get(alias.variable, "").strip():
        yield Place("environment", alias.name, value, alias.variable)
    for number, name in enumerate(alias.chain, start=1):
        if name not in config.aliases:
            yield Place("rung", alias.name, name, str(number))
