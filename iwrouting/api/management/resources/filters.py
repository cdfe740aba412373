"""Filters of lists: plain names, ranges with `__gte` and `__lt`; what is no such value is refused (ux.md 3, Lists)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from iwrouting.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter: the look-up that it stands for, how its text is read, and what it says in the document."""

    lookup: str
    read: Callable[[str], Any]
    kind: Any
    told: str


SUCH_AS = ": a time with its zone, such as 2026-11-01T00:00:00Z."
Filters = Mapping[str, Filter]


def text(lookup: str, told: str = "Exactly this.") -> Filter:
    """By a text."""
    return Filter(lookup, _text, str, told)


def one_of(lookup: str, words: type[StrEnum], told: str = "") -> Filter:
    """By one of a few words."""
    return Filter(lookup, lambda said: words(said).value, str, f"{told}One of {', '.join(words)}.")


def flag(lookup: str, told: str = "true or false.") -> Filter:
    """By a switch."""
    return Filter(lookup, _flag, bool, told)


def unset(column: str, told: str) -> Filter:
    """By a switch that is on where a column is set."""
    return Filter(f"{column}__isnull", lambda said: not _flag(said), bool, told)


def whole(lookup: str, told: str) -> Filter:
    """By a whole number."""
    return Filter(lookup, _whole, int, told)


def time(lookup: str, told: str) -> Filter:
    """By a time."""
    return Filter(lookup, _time, OpenApiTypes.DATETIME, f"{told}{SUCH_AS}")


def times(name: str) -> dict[str, Filter]:
    """By a time: from one on, and before another."""
    return {
        f"{name}__gte": time(f"{name}__gte", "From this time on"),
        f"{name}__lt": time(f"{name}__lt", "Before this time"),
    }


def lookups(filters: Filters, query: Mapping[str, str]) -> dict[str, Any]:
    """What a query asks of the rows. Raises BadRequest that names the parameter."""
    found = {}
    for name, each in filters.items():
        if name in query:
            try:
                found[each.lookup] = each.read(query[name])
            except (ValueError, OverflowError):
                said = query[name][:80]
                raise BadRequest(f"{name}: {said!r} is not possible. {each.told}", param=name) from None
    return found


def parameters(filters: Filters) -> list[OpenApiParameter]:
    """The filters in the OpenAPI document."""
    return [OpenApiParameter(name, each.kind, description=each.told) for name, each in filters.items()]


def number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A parameter that counts: from 1 to `most`. Raises BadRequest."""
    said = query.get(name, str(default))
    if not (said.isascii() and said.isdigit() and len(said) < 10 and 1 <= int(said) <= most):
        raise BadRequest(f"{name}: {said[:80]!r} is not possible. A number from 1 to {most}.", param=name)
    return int(said)


def _text(said: str) -> str:
    if "\0" in said:
        raise ValueError
    return said


def _flag(said: str) -> bool:
    if said not in ("true", "false"):
        raise ValueError
    return said == "true"


def _whole(said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise ValueError
    return int(said)


def _time(said: str) -> datetime:
    found = datetime.fromisoformat(said)
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(UTC)
