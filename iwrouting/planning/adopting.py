"""What somebody changed by SQL: looked at, then adopted as a revision or put back as history has it (design.md 7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, models, transaction

from iwrouting.models import OpenChange, Revision, change
from iwrouting.models.contents import CONFIGURATION, NAMED_BY, Content, content_of, differences, row_of
from iwrouting.models.remembering import everything
from iwrouting.planning.applying import Rehearsal, rehearse_change
from iwrouting.planning.plan import Plan, StalePlan, plan_between
from iwrouting.snapshot.contents import Contents, contents_at, contents_now
from iwrouting.types import ChangeKind, Via

ROUNDS = 4
UNREADABLE = (ValueError, TypeError, OverflowError, AttributeError)
EXCHANGED = "Rows have exchanged their names and can't be put back one by one: give them others by SQL, and try again."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change by SQL that waits: what it did to the configuration of the revision `base`."""

    base: int
    plan: Plan


@contextmanager
def unchanged(touches: int) -> Iterator[None]:
    """Hold the counter, so that what is adopted or discarded is what was looked at. Raises StalePlan."""
    with transaction.atomic():
        if Revision.lock(DEFAULT_DB_ALIAS).touches != touches:
            raise StalePlan("Somebody changed it by SQL again since it was shown. Look at it again.")
        yield


def changed_by_sql() -> Waiting | None:
    """What waits to be adopted; None where nothing does.

    Raises SnapshotRefused for rows that can't be read: those can't be adopted, only put right by SQL, or discarded.
    """
    counter = Revision.standing()
    if not counter.is_touched:
        return None
    return Waiting(counter.number, plan_between(contents_at(counter.number), contents_now(), counter.number))


def adopt(*, author: str, reason: str, acknowledged: Collection[str] | None = None) -> OpenChange:
    """Give what SQL left its own revision, once it has passed every check of a change.

    Raises ValidationError for a reason that does not fit, or for what SQL left that can't be adopted.
    """
    kind = ChangeKind.ADOPTION
    with change(author=author, via=Via.SQL, reason=reason, kind=kind, acknowledged=acknowledged) as made:
        _take(made)
    return made


def rehearse_adoption() -> Rehearsal:
    """What an adoption would be refused for, and what it would have acknowledged; changes nothing."""
    return rehearse_change(_take, ChangeKind.ADOPTION)


def _take(made: OpenChange) -> None:
    made.touched |= everything(made.using)
    made.raise_anyway()


def discard(*, author: str, reason: str) -> OpenChange:
    """Put every row back as history has it, whatever SQL left; the line of the change list has a revision of its own.

    Raises ValidationError for a reason that does not fit, and where rows can't be put back one by one.
    """
    details = {"discarded": True}
    with change(author=author, via=Via.SQL, reason=reason, kind=ChangeKind.ADOPTION, details=details) as made:
        former = contents_at(made.base)
        for _ in range(ROUNDS):
            if not (steps := list(_steps(former))):
                break
            for step in steps:
                _try(step)
        else:
            raise ValidationError(EXCHANGED)
        made.raise_anyway()
    return made


def _steps(former: Contents) -> Iterator[Callable[[], object]]:
    """What is still to be done, past the rows' own save() and delete(): those refuse what others may still need, and
    this was never in force."""
    stored = {word: _stored_keys(word) for word in CONFIGURATION}
    for word, rows in former.items():
        for pk, content in rows.items():
            if pk not in stored[word]:
                yield partial(_save, word, pk, content, force_insert=True)
            elif _differs(word, pk, content):
                yield partial(_save, word, pk, content, update_fields=[*content, "updated_at"])
    for word in reversed(list(CONFIGURATION)):
        for pk in stored[word] - former[word].keys():
            yield partial(models.Model.delete, _model(word)(pk=pk))


def _try(step: Callable[[], object]) -> None:
    """Do it, or leave it to the next round: another row may have to move first."""
    with suppress(DatabaseError, ObjectDoesNotExist), transaction.atomic():
        step()


def _save(word: str, pk: int, content: Content, **how: Any) -> None:
    models.Model.save(_row(word, pk, content), **how)


def _model(word: str) -> type[models.Model]:
    return CONFIGURATION[word]


def _stored_keys(word: str) -> set[int]:
    return set(CONFIGURATION[word]._default_manager.order_by().values_list("pk", flat=True))


def _differs(word: str, pk: int, content: Content) -> bool:
    """Whether the stored row is another, or can't be read at all."""
    try:
        row = CONFIGURATION[word]._default_manager.filter(pk=pk).first()
        return row is None or bool(differences(content_of(row), content))
    except UNREADABLE:
        return True


def _row(word: str, pk: int, content: Content) -> models.Model:
    row = row_of(word, pk, content)
    for field in row._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and content[field.name] is not None:
            other = field.related_model
            setattr(row, field.name, other._default_manager.get(**{NAMED_BY[other]: content[field.name]}))
    return row
