"""The models that a document or the live matrix names and that will not serve for long. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from iwrouting.planning.matrix.differences import ModelWarning
from iwrouting.planning.matrix.words import Statement, What, Written
from iwrouting.resolver.chain import facts_of
from iwrouting.resolver.lifecycle import Place, places_of
from iwrouting.resolver.warnings import lifecycle_warning
from iwrouting.types import Configuration

OF_MODELS = (What.DEFAULT, What.EFFECTIVE)
DATED = ("model_retired", "model_retiring")
ITS_LINES = "its lines"
IN_ADMIN = f"admin: Models; or {ITS_LINES}"


def model_warnings(written: Written, config: Configuration, at: datetime, *, days: int) -> tuple[ModelWarning, ...]:
    """A warning for each model of the document, and of the live matrix, that is gone at a moment or will be within
    `days`, is switched off, or unknown to the catalogue; the longest gone first."""
    live: dict[str, list[Place]] = {}
    for place in places_of(config, at):
        live.setdefault(place.model, []).append(place)
    lines: dict[str, list[Statement]] = {}
    for statement in written.statements:
        for model in statement.values if statement.what in OF_MODELS else ():
            lines.setdefault(model, []).append(statement)
    found = [
        _warning(model, lines.get(model, ()), live.get(model, ()), config, at, days)
        for model in dict.fromkeys([*lines, *live])
    ]
    kept = [each for each in found if each is not None]
    return tuple(sorted(kept, key=lambda each: (each.shutdown_date is None, str(each.shutdown_date), each.model)))


def _warning(
    model: str, said: Iterable[Statement], places: Iterable[Place], config: Configuration, at: datetime, days: int
) -> ModelWarning | None:
    facts = facts_of(config, model)
    text = lifecycle_warning(facts, at.date(), days)
    if not text:
        return None
    code = text.partition(":")[0]
    named = list(places)
    return ModelWarning(
        code=code,
        model=model,
        text=text.partition(": ")[2],
        shutdown_date=facts.shutdown_date if code in DATED else None,
        replacement=facts.replacement,
        lines=tuple(sorted({each.line for each in said})),
        live=tuple(dict.fromkeys(_told(each) for each in named)),
        fix=_fix(model, facts.replacement, named, config) if code in DATED else IN_ADMIN,
    )


def _told(place: Place) -> str:
    """The alias, and where of it the model stands unless that is its default."""
    return place.alias if place.kind == "default" else f"{place.alias} ({place.label})"


def _fix(model: str, replacement: str, places: Collection[Place], config: Configuration) -> str:
    """What puts another model in the place of one that ends; in a document it is written by hand."""
    variables = {place.ref: None for place in places if place.kind == "environment"}
    in_rows = config.database and any(place.kind != "environment" for place in places)
    parts = [f"matrix_replace {model} {replacement}".strip()] if in_rows else []
    return "; ".join([*parts, *(f"set {name}" for name in variables)]) or ITS_LINES
