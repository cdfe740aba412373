"""What a sync would change in the price table, worked out before anything is written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from iwrouting.types import PriceFacts

Key = tuple[str, int]


class Action(StrEnum):
    """What becomes of one price: `same` and `manual` change nothing; `differs` adds a later price beside the old."""

    CREATE = "create"
    DIFFERS = "differs"
    SAME = "same"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the table; `is_manual`: an operator's."""

    facts: PriceFacts
    is_manual: bool


Row = TypeVar("Row", PriceFacts, Listed)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the preview: the price then, and the one that it would replace or leave."""

    action: Action
    model_id: str
    after: PriceFacts
    before: PriceFacts | None = None

    @property
    def writes(self) -> bool:
        """Whether a row is written."""
        return self.action in (Action.CREATE, Action.DIFFERS)


def plan(
    found: Mapping[str, Sequence[PriceFacts]], table: Mapping[str, Sequence[Listed]], now: datetime
) -> list[Change]:
    """The lines of the preview, model by model.

    A kind of price (service tier and threshold) that the table lacks is taken over with its whole history. Any other
    keeps its history: where it differs now, the new price holds from `now` on; where it will differ, from that day on.
    A manual price stays, and what was found instead is reported.
    """
    changes: list[Change] = []
    for model_id, prices in found.items():
        rows = _by_key((each.facts.key, each) for each in table.get(model_id, ()))
        for key, wanted in _by_key((price.key, price) for price in prices).items():
            if key in rows:
                changes += _compare(model_id, wanted, rows[key], now)
            else:
                changes += [Change(Action.CREATE, model_id, price) for price in wanted]
    return changes


def _by_key(pairs: Iterable[tuple[Key, Row]]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {}
    for key, each in pairs:
        found.setdefault(key, []).append(each)
    return found


def _compare(model_id: str, wanted: Sequence[PriceFacts], rows: Sequence[Listed], now: datetime) -> Iterator[Change]:
    """What differs now, and on each later day on which either list changes."""
    held = list(rows)
    days = {each.valid_from for each in wanted} | {each.facts.valid_from for each in rows}
    for day in (now, *sorted(day for day in days if day > now)):
        want = max((each for each in wanted if each.valid_from <= day), key=_since, default=None)
        have = max(
            (each for each in held if each.facts.valid_from <= day),
            key=lambda each: each.facts.valid_from,
            default=None,
        )
        if want is None:
            continue
        after = replace(want, valid_from=day)
        if have is None:
            yield Change(Action.CREATE, model_id, after)
        elif _same(have.facts, want):
            if day == now:
                yield Change(Action.SAME, model_id, have.facts, have.facts)
            continue
        elif have.is_manual:
            yield Change(Action.MANUAL, model_id, after, have.facts)
            continue
        else:
            yield Change(Action.DIFFERS, model_id, after, have.facts)
        held = [each for each in held if each.facts.valid_from != day] + [Listed(after, is_manual=False)]


def _since(price: PriceFacts) -> datetime:
    return price.valid_from


def _same(one: PriceFacts, other: PriceFacts) -> bool:
    return replace(one, version="", valid_from=other.valid_from) == replace(other, version="")
