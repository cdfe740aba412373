"""Findings on switches: who falls back to what when a model or an upstream is switched off, and who is left without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from iwrouting.resolver.faults.changes import listed
from iwrouting.resolver.faults.places import audiences, serving, told_audience
from iwrouting.resolver.faults.targets import switched_off
from iwrouting.types import AliasFacts, Configuration, Rung
from iwrouting.types.faults import Finding, ObjectType

Audience = tuple[AliasFacts, str | None]


def switch_findings(before: Configuration, after: Configuration, now: datetime) -> Iterator[Finding]:
    """Every model in use that the change switches off, by its own switch or its upstream's."""
    off = {model for model in before.models.keys() & after.models.keys() if _turned_off(before, after, model)}
    if not off:
        return
    falls: dict[str, dict[str, list[str]]] = {}
    for alias, project in audiences(after):
        known = before.aliases.get(alias.name)
        served = serving(before, known, project, now) if known else None
        if served is not None and served.model in off:
            then = serving(after, alias, project, now)
            falls.setdefault(served.model, {}).setdefault(_told(then), []).append(told_audience(alias, project))
    for model, ways in sorted(falls.items()):
        words = "; ".join(f"{way} {listed(names)}" for way, names in ways.items())
        text = f"{switched_off(after, after.models[model])}: {words}."
        yield Finding("switched_off", ObjectType.MODEL, model, text, "enabled")


def _turned_off(before: Configuration, after: Configuration, model: str) -> bool:
    return not switched_off(before, before.models[model]) and bool(switched_off(after, after.models[model]))


def _told(rung: Rung | None) -> str:
    if rung is None:
        return "no rung is left for"
    return f"{rung.model} ({rung.alias}) serves" if rung.alias else f"{rung.model} serves"


def unserved(config: Configuration, now: datetime) -> Iterator[Finding]:
    """Aliases of which no rung can serve."""
    for alias, project in audiences(config):
        if serving(config, alias, project, now) is None:
            text = (
                f"No rung of {told_audience(alias, project)} can serve: its calls fail. Enable a model of its chain, "
                "or name another."
            )
            yield Finding("alias_unserved", ObjectType.ALIAS, alias.name, text, "chain", project or "")
