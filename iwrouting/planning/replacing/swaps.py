"""Which model takes the place of which: named by somebody, or by the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from iwrouting.resolver.names import nearest
from iwrouting.types import Configuration

NO_REPLACEMENT = "The catalogue names no replacement for {}: name one, or enter it in the admin (Models, Replacement)."
NONE_LASTS = "The catalogue names no replacement for {} that lasts longer: name one, or enter it in the admin (Models)."


class CannotReplace(ValueError):
    """What was named can't be replaced; the text names the value and the next step."""


@dataclass(frozen=True, slots=True)
class Swaps:
    """The new model by the old one. `without`: models that should go and for which none is known, in words."""

    models: Mapping[str, str]
    without: tuple[str, ...] = field(default=())


def swap_one(config: Configuration, old: str, new: str, today: date) -> Swaps:
    """One model by another; an empty `new`: by what the catalogue names. Raises CannotReplace."""
    _check_old(config, old)
    found = new or successor(config, old, today)
    if not found:
        raise CannotReplace(NO_REPLACEMENT.format(old))
    if found == old:
        raise CannotReplace(f"{old} can't take its own place: name another model.")
    _check_new(config, found)
    return Swaps({old: found})


def swap_ending(config: Configuration, today: date, days: int) -> Swaps:
    """All models that are named somewhere and were shut down, or will be within so many days, by what the catalogue
    names. `days` 0: the dead ones alone."""
    ending = [model for model in sorted(named_models(config)) if _ends_within(config, model, today, days)]
    found = {model: _lasting(config, model, today, days) for model in ending}
    without = tuple(NONE_LASTS.format(model) for model, new in found.items() if not new)
    return Swaps({model: new for model, new in found.items() if new}, without)


def successor(config: Configuration, model: str, today: date, days: int = 0) -> str:
    """What the catalogue names for a model; where that is dead too, or will be within so many days, what is named for
    that. Empty: nothing."""
    seen = {model}
    found = model
    while (facts := config.models.get(found)) is not None and facts.replacement and facts.replacement not in seen:
        found = facts.replacement
        seen.add(found)
        if not _ends_within(config, found, today, days):
            break
    return "" if found == model else found


def named_models(config: Configuration) -> set[str]:
    """Every model that a default, an override, a rung or a variable names, whether it serves or not."""
    return set(_named(config)) - {""}


def _named(config: Configuration) -> Iterator[str]:
    for alias in config.aliases.values():
        yield alias.default_model.strip()
        yield config.environment.values.get(alias.variable, "").strip()
        yield from (name for name in alias.chain if name not in config.aliases)
    yield from (override.model.strip() for override in config.overrides.values())


def _lasting(config: Configuration, model: str, today: date, days: int) -> str:
    found = successor(config, model, today, days)
    return found if found in config.models and not _ends_within(config, found, today, days) else ""


def _ends_within(config: Configuration, model: str, today: date, days: int) -> bool:
    facts = config.models.get(model)
    ends = facts.shutdown_date if facts is not None else None
    return ends is not None and (ends - today).days <= days


def _check_old(config: Configuration, old: str) -> None:
    known = {*config.models, *named_models(config)}
    if old in config.aliases and old not in known:
        raise CannotReplace(f"{old} is an alias: name the model that is to go (manage.py routing_resolve {old}).")
    if old not in known:
        raise CannotReplace(f"Nothing names a model {old!r}, and it is not among the models. {_near(old, known)}")


def _check_new(config: Configuration, new: str) -> None:
    if new in config.models:
        return
    if new in config.aliases:
        raise CannotReplace(f"{new} is an alias: name the model that is to serve.")
    raise CannotReplace(
        f"{new!r} is not among the models. {_near(new, config.models)} A new model is added first (admin: Models)."
    )


def _near(name: str, known: Mapping[str, object] | set[str]) -> str:
    near = nearest(name, known)
    return f"Did you mean {near}?" if near else "manage.py routing_list shows what serves each alias."
