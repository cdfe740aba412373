"""A change of the configuration before it is made: every row that it would make, change or delete.

Plans are made of contents (models/contents.py). A restore, a bundle, a profile and a form all end here; `applying.py`
makes a plan true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from iwrouting.models import Revision
from iwrouting.models.contents import CONFIGURATION, Content, differences, name_of
from iwrouting.snapshot.contents import Contents, contents_now, named
from iwrouting.types import Operation

Wanted = Mapping[str, Mapping[str, Content | None]]
"""By kind and name: the content that a row is to have, None for one that is to go. What is not named stays."""

REFERENCES: Mapping[str, Mapping[str, str]] = {
    "model": {"upstream": "upstream"},
    "override": {"alias": "alias", "project": "project"},
    "key": {"project": "project"},
}
"""The fields that name another row, and the kind of that row."""


class StalePlan(RuntimeError):
    """The configuration has moved on since a plan was made; the text says from where to where."""


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What a plan does to one row. `object_id` is negative for a row that is to be made and has no key yet."""

    object_type: str
    name: str
    object_id: int
    operation: Operation
    before: Content | None
    after: Content | None

    @property
    def changed(self) -> dict[str, list[Any]]:
        """`{field: [before, after]}`."""
        return differences(self.before, self.after)


@dataclass(frozen=True)
class Plan:
    """Rows to be made, changed or deleted, on top of the revision `base`.

    `contents` is the whole configuration as it would be; `rows` holds what is the same too.
    """

    base: int
    rows: tuple[PlannedRow, ...]
    contents: Contents = field(repr=False)

    @cached_property
    def changes(self) -> tuple[PlannedRow, ...]:
        """The rows that would not stay as they are."""
        return tuple(row for row in self.rows if row.operation is not Operation.SAME)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """What a row would name that would not be there, in words that name both."""
        return tuple(missing_references(self.contents))

    @cached_property
    def digest(self) -> str:
        """The same for two plans that do the same to the same revision."""
        told = [(row.object_type, row.name, row.operation, row.before, row.after) for row in self.changes]
        return hashlib.sha256(json.dumps([self.base, told], sort_keys=True).encode()).hexdigest()[:32]


def plan_now(wanted: Wanted) -> Plan:
    """A plan on top of what is stored now. Raises SnapshotRefused for rows that can't be read."""
    base = Revision.current()
    return plan_wanted(contents_now(), base, wanted)


def plan_wanted(now: Contents, base: int, wanted: Wanted) -> Plan:
    """What makes the rows that `wanted` names as it says; the others stay."""
    known = named(now)
    fresh = iter(range(-1, -1_000_000, -1))
    after = {word: dict(now[word]) for word in CONFIGURATION}
    for word, rows in wanted.items():
        for name, content in rows.items():
            pk = known[word].get(name)
            if content is not None:
                after[word][next(fresh) if pk is None else pk] = content
            elif pk is not None:
                del after[word][pk]
    return plan_between(now, after, base)


def plan_between(now: Contents, after: Contents, base: int) -> Plan:
    """What leads from `now`, the contents of the revision `base`, to `after`; rows are the same by their keys."""
    rows = [row for word in CONFIGURATION for row in _rows(word, now[word], after[word])]
    return Plan(base, tuple(rows), after)


def missing_references(contents: Contents) -> Iterator[str]:
    """Which rows name one that is not there."""
    there = named(contents)
    for word, fields in REFERENCES.items():
        for content in contents[word].values():
            for field_name, kind in fields.items():
                other = content.get(field_name)
                if other is not None and other not in there[kind]:
                    yield f"The {word} {name_of(word, content)} names the {kind} {other}, which is not there."


def _rows(word: str, now: Mapping[int, Content], after: Mapping[int, Content]) -> Iterator[PlannedRow]:
    for pk in dict.fromkeys([*now, *after]):
        before, then = now.get(pk), after.get(pk)
        content = then if then is not None else before
        if content is not None:
            yield PlannedRow(word, name_of(word, content), pk, _operation(before, then), before, then)


def _operation(before: Content | None, after: Content | None) -> Operation:
    if before is None:
        return Operation.CREATE
    if after is None:
        return Operation.DELETE
    return Operation.CHANGE if differences(before, after) else Operation.SAME
