"""What every change of the configuration is held to before its commit, whatever its way (design.md 7, G4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from iwrouting.models import HistoryRow, OpenChange
from iwrouting.models.contents import CONFIGURATION, row_of
from iwrouting.models.invalid import told_fields
from iwrouting.planning.refused import ChangeRefused
from iwrouting.resolver.faults import findings, refusals
from iwrouting.snapshot.assemble import Rows, assemble
from iwrouting.snapshot.load import read_all
from iwrouting.snapshot.rows import SnapshotRefused
from iwrouting.types import Operation
from iwrouting.types.faults import INVALID, Fault, Finding, ObjectType

SWITCHES = frozenset({"enabled", "revoked_at", "expires_at"})
"""What can be changed in a row whatever else is wrong with it."""


def validate(made: OpenChange) -> None:
    """Refuse a change that brings faults, or findings that its author was to acknowledge and did not.

    The findings go into its line of the change list. Raises ChangeRefused.
    """
    if not made.rows:
        return
    rows = _stored(made)
    if faults := list(_row_faults(made.rows, rows)):
        raise ChangeRefused(faults)
    after = assemble(rows, made.revision, checked=False)
    before = assemble(_reverted(rows, made.rows), made.base, checked=False)
    now = timezone.now()
    touched = {(row.object_type, row.name) for row in made.rows}
    if faults := refusals(before, after, touched, now=now):
        raise ChangeRefused(faults)
    _account(made, findings(before, after, now))


def _stored(made: OpenChange) -> Rows:
    """All rows as the change leaves them. Raises ChangeRefused that names those that can't be read."""
    try:
        return read_all()[0]
    except SnapshotRefused as error:
        written = {word: list(rows) for word, rows in _written(made).items()}
        text = f"The configuration could not be read any more: {error}."
        word, name = made.rows[0].object_type, made.rows[0].name
        unread = Fault("unreadable", ObjectType(word), name, text)
        raise ChangeRefused(list(_row_faults(made.rows, written)) or [unread]) from None


def _written(made: OpenChange) -> dict[str, models.QuerySet[Any]]:
    keys: dict[str, list[int]] = {}
    for row in made.rows:
        keys.setdefault(row.object_type, []).append(row.object_id)
    return {word: CONFIGURATION[word]._default_manager.filter(pk__in=pks) for word, pks in keys.items()}


def _account(made: OpenChange, found: Sequence[Finding]) -> None:
    """Note the findings with the change. Raises ChangeRefused for those that were to be acknowledged."""
    made.findings = tuple(found)
    asked = made.acknowledged is not None and not made.is_rehearsal
    if asked and (unseen := [each for each in found if not each.acknowledged_by(made.acknowledged or ())]):
        raise ChangeRefused(findings=unseen)
    if found:
        made.details["findings"] = [{**each.as_json(), "acknowledged": asked} for each in found]


def _reverted(rows: Rows, changed: Sequence[HistoryRow]) -> Rows:
    """The rows as they were before the change."""
    found: dict[str, dict[Any, Any]] = {word: {row.pk: row for row in stored} for word, stored in rows.items()}
    for each in changed:
        found[each.object_type].pop(each.object_id, None)
        if each.operation != Operation.CREATE:
            found[each.object_type][each.object_id] = _before(each)
    return {word: list(by_key.values()) for word, by_key in found.items()}


def _before(row: HistoryRow) -> models.Model:
    content = json.loads(row.content) | {name: old for name, (old, _) in _changed(row).items()}
    return row_of(row.object_type, row.object_id, content)


def _changed(row: HistoryRow) -> Mapping[str, Any]:
    changed: Mapping[str, Any] = json.loads(row.changed)
    return changed


def _row_faults(changed: Sequence[HistoryRow], rows: Rows) -> Iterator[Fault]:
    """What the columns of the written rows say against them."""
    by_key = {(word, row.pk): row for word, stored in rows.items() for row in stored}
    for each in changed:
        row = by_key.get((each.object_type, each.object_id))
        if row is not None:
            for field, text in _cleaned(row, each):
                yield Fault(INVALID, ObjectType(each.object_type), each.name, text, field)


def _cleaned(row: models.Model, written: HistoryRow) -> Iterator[tuple[str, str]]:
    """What is wrong with the columns that were written, and, unless a switch alone was turned, with the row as a whole.

    What was wrong with the whole row before is nobody's doing now: no upgrade stops at it.
    """
    new = written.operation == Operation.CREATE
    names = {field.name for field in row._meta.concrete_fields}
    changed = names if new else _changed(written).keys()
    yield from _errors(partial(row.clean_fields, exclude=names - changed))
    if changed - SWITCHES:
        row._state.adding = new  # some checks are of new rows alone, and one that was read counts as old
        known = () if new else set(_errors(_before(written).clean))
        yield from (each for each in _errors(row.clean) if each not in known)
        row._state.adding = False


def _errors(clean: Callable[[], None]) -> Iterator[tuple[str, str]]:
    try:
        clean()
    except ValidationError as error:
        yield from told_fields(error)
