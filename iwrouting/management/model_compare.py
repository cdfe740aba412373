"""The catalogue against an upstream's own list of models. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from iwrouting.resolver import upstream_of
from iwrouting.resolver.lifecycle import places_of
from iwrouting.types import Configuration, ModelFacts

MISSING = "missing"
MISSING_IN_USE = "missing_in_use"
NEW = "new"
SHUTDOWN_DIFFERS = "shutdown_differs"


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of an upstream's list. `tells_shutdown`: it has a `shutdown_date`, be it null."""

    id: str
    shutdown_date: date | None = None
    tells_shutdown: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What an upstream says otherwise than the catalogue; dates where they differ; `used_by` names the places."""

    code: str
    upstream: str
    model: str
    catalogue: str = ""
    told: str = ""
    used_by: tuple[str, ...] = ()


def compare(config: Configuration, upstream: str, listed: Mapping[str, Listed], now: datetime) -> list[Difference]:
    """The differences for the models that this upstream serves, those in use first.

    A model that is past its shutdown date and not listed any more is no difference, unless something names it.
    """
    users = _users(config, now)
    found = [*_missing(config, upstream, listed, users, now.date()), *_dates(config, upstream, listed, users)]
    found += [Difference(NEW, upstream, name) for name in sorted(listed) if name not in config.models]
    order = (MISSING_IN_USE, MISSING, SHUTDOWN_DIFFERS, NEW)
    return sorted(found, key=lambda each: order.index(each.code))


def _users(config: Configuration, now: datetime) -> dict[str, tuple[str, ...]]:
    users: dict[str, tuple[str, ...]] = {}
    for place in places_of(config, now):
        users[place.model] = (*users.get(place.model, ()), place.told())
    return users


def _missing(
    config: Configuration,
    upstream: str,
    listed: Mapping[str, Listed],
    users: Mapping[str, tuple[str, ...]],
    today: date,
) -> Iterator[Difference]:
    for name in sorted({*config.models, *users}):
        if name in listed or upstream_of(config, name) != upstream:
            continue
        ends = _ends(config.models.get(name))
        if used_by := users.get(name, ()):
            yield Difference(MISSING_IN_USE, upstream, name, str(ends or ""), used_by=used_by)
        elif ends is None or ends > today:
            yield Difference(MISSING, upstream, name, str(ends or ""))


def _dates(
    config: Configuration, upstream: str, listed: Mapping[str, Listed], users: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    for name, entry in sorted(listed.items()):
        facts = config.models.get(name)
        if facts is None or not entry.tells_shutdown or upstream_of(config, name) != upstream:
            continue
        if facts.shutdown_date != entry.shutdown_date:
            ours, theirs = str(facts.shutdown_date or "none"), str(entry.shutdown_date or "none")
            yield Difference(SHUTDOWN_DIFFERS, upstream, name, ours, theirs, users.get(name, ()))


def _ends(facts: ModelFacts | None) -> date | None:
    return facts.shutdown_date if facts else None
