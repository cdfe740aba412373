"""Making a plan true, all or nothing, inside a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import ForeignKey, ProtectedError

from iwrouting.models import OpenChange, change
from iwrouting.models.base import ConfigModel
from iwrouting.models.contents import CONFIGURATION, NAMED_BY
from iwrouting.models.invalid import told_lines
from iwrouting.planning.plan import Plan, PlannedRow, StalePlan
from iwrouting.planning.refused import ChangeRefused
from iwrouting.types import ChangeKind, Operation, Via
from iwrouting.types.faults import Fault, Finding

ORDER = {word: number for number, word in enumerate(CONFIGURATION)}
TARGETS = frozenset({"model", "upstream"})


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of a plan: `faults` refuse it, in words; `findings` are to be acknowledged, and stored with it.

    `structural` are those of the faults that the rules of a whole configuration name.
    """

    faults: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    structural: tuple[Fault, ...] = ()


def rehearse(plan: Plan) -> Rehearsal:
    """Apply a plan with all its checks, and take everything back. Raises StalePlan and ChangedBySql."""
    return rehearse_change(lambda made: apply_plan(plan, made))


def rehearse_change(work: Callable[[OpenChange], None], kind: ChangeKind = ChangeKind.CONFIGURATION) -> Rehearsal:
    """Make a change with all its checks, and take everything back. Raises ChangedBySql, and what `work` raises but
    ValidationError."""
    try:
        with transaction.atomic():
            with change(author="rehearsal", via=Via.CLI, reason="A plan is tried and taken back", kind=kind) as made:
                made.is_rehearsal = True
                work(made)
            transaction.set_rollback(True)
    except ChangeRefused as error:
        return Rehearsal(tuple(error.messages), structural=error.faults)
    except ValidationError as error:
        return Rehearsal(tuple(error.messages))
    return Rehearsal(findings=made.findings)


def apply_plan(plan: Plan, made: OpenChange) -> None:
    """Make a plan true inside an open change.

    Raises StalePlan where the configuration has moved on since, and ValidationError with all faults, each with its row.
    """
    if made.base != plan.base:
        raise StalePlan(f"Config changed since this plan (revision {plan.base} -> {made.base}). Plan again.")
    if plan.missing:
        raise ValidationError(list(plan.missing))
    gone = sorted(_deleted(plan), key=lambda row: -ORDER[row.object_type])
    kept = [row for row in plan.changes if row.operation is not Operation.DELETE]
    # A name has to be free before it is given again, and what others name goes when they name it no longer. Rows may
    # name each other in any order, so they are judged as a whole only when all are there: before the commit.
    _each([row for row in gone if row.object_type not in TARGETS], _delete)
    _each(sorted(kept, key=lambda row: ORDER[row.object_type]), _write)
    _each([row for row in gone if row.object_type in TARGETS], _delete)


def _deleted(plan: Plan) -> list[PlannedRow]:
    return [row for row in plan.changes if row.operation is Operation.DELETE]


def _each(rows: list[PlannedRow], step: Callable[[PlannedRow], None]) -> None:
    faults: list[str] = []
    for row in rows:
        with _labelled(row, faults):
            step(row)
    if faults:
        raise ValidationError(faults)


@contextmanager
def _labelled(row: PlannedRow, faults: list[str]) -> Iterator[None]:
    label = f"{row.object_type} {row.name}"
    try:
        with transaction.atomic():
            yield
    except ProtectedError as error:
        faults.append(f"{label}: {error.args[0]}")
    except ValidationError as error:
        faults += [f"{label}: {line}" for line in told_lines(error)]
    except IntegrityError as error:
        faults += [f"{label}: {line}" for line in _clashes(row) or [_not_taken(error)]]
    except (DatabaseError, ValueError, TypeError, OverflowError) as error:
        faults.append(f"{label}: {_not_taken(error)}")


def _not_taken(error: Exception) -> str:
    return f"the database does not take it ({type(error).__name__})."


def _clashes(row: PlannedRow) -> list[str]:
    """What a row that the database refused has in common with another, in the words of its constraints."""
    found = _filled(row)
    faults: list[str] = []
    for check in (found.validate_unique, found.validate_constraints):
        try:
            check()
        except ValidationError as error:
            faults += told_lines(error)
    return list(dict.fromkeys(faults))


def _delete(row: PlannedRow) -> None:
    if (stored := _stored(row)) is not None:
        stored.delete()


def _write(row: PlannedRow) -> None:
    found = _filled(row)
    # What was wrong before in another column is nobody's doing now: a row can always be switched off.
    stays = () if row.before is None else set(row.before) - set(row.changed)
    references = {field.name for field in _fields(found, row) if isinstance(field, ForeignKey)}
    found.clean_fields(exclude=references.union(stays))
    found.save()


def _filled(row: PlannedRow) -> models.Model:
    found = _stored(row) or _fresh(row)
    for field in _fields(found, row):
        setattr(found, field.name, _value(field, (row.after or {})[field.name]))
    return found


def _fields(found: models.Model, row: PlannedRow) -> list[models.Field[Any, Any]]:
    return [field for field in found._meta.concrete_fields if field.name in (row.after or {})]


def _fresh(row: PlannedRow) -> models.Model:
    model: type[models.Model] = CONFIGURATION[row.object_type]
    # A row that was deleted comes back under its own key: decisions and history name it by that.
    return model(pk=row.object_id) if row.object_id > 0 else model()


def _stored(row: PlannedRow) -> ConfigModel | None:
    if row.object_id < 0:
        return None
    return CONFIGURATION[row.object_type]._default_manager.filter(pk=row.object_id).first()


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None or not isinstance(field, ForeignKey):
        return None if value is None else field.to_python(value)
    other = field.related_model
    found = other._default_manager.filter(**{NAMED_BY[other]: value}).first()
    if found is None:
        raise ValidationError({field.name: f"There is no {other._meta.verbose_name} {value}."})
    return found
