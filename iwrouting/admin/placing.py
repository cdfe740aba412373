"""What kept a post from being saved, placed where it belongs: at its field, at its row, or above the form."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.helpers import AdminErrorList
from django.core.exceptions import ValidationError

from iwrouting.admin.attempts import Attempt
from iwrouting.admin.sides import Choice, Meanwhile, choices
from iwrouting.models.contents import OBJECT_TYPES, content_of, name_of
from iwrouting.models.invalid import told_fields
from iwrouting.types.faults import Fault


def place(attempt: Attempt, context: dict[str, Any], object_type: str) -> dict[str, Any]:
    """Put an attempt's errors on the forms of a page; what the page shows beside them."""
    main = context["adminform"].form
    tables = [table.formset for table in context["inline_admin_formsets"]]
    rows = {_row(form): form for table in tables for form in table.forms}
    for fault in attempt.faults:
        own = rows.get(fault.row) or (main if fault.object_type == object_type and _is(main, fault) else None)
        _add(attempt, own, fault)
    if attempt.errors is not None:
        _add_errors(attempt, main, attempt.errors)
    sides = _sides(attempt, [main, *rows.values()])
    shown = [row for row, _ in sides]
    attempt.problems += [row.told_whole() for row in attempt.meanwhile if row not in shown and not row.gone]
    return {
        "errors": AdminErrorList(main, tables),
        "problems": attempt.problems,
        "sides": sides,
        "lost": attempt.lost,
    }


def _row(form: Any) -> tuple[str, str]:
    object_type = OBJECT_TYPES[type(form.instance)]
    return object_type, name_of(object_type, content_of(form.instance))


def _is(main: Any, fault: Fault) -> bool:
    """A new row may have got its name only when it was tried; any other row of its kind is somebody else."""
    return main.instance.pk is None or _row(main) == fault.row or fault.object_type in ("price", "key")


def _add(attempt: Attempt, form: Any, fault: Fault) -> None:
    if form is None:
        attempt.problems.append(fault.told())
    else:
        form.add_error(fault.field if fault.field in form.fields else None, fault.message)


def _add_errors(attempt: Attempt, main: Any, errors: ValidationError) -> None:
    if not hasattr(errors, "error_dict"):
        attempt.problems += errors.messages
        return
    for field, text in told_fields(errors):
        main.add_error(field if field in main.fields else None, text)


def _sides(attempt: Attempt, forms: list[Any]) -> list[tuple[Meanwhile, list[Choice]]]:
    by_row = {(OBJECT_TYPES[type(form.instance)], form.instance.pk): form for form in forms}
    kept = [row for row in attempt.meanwhile if not row.gone]
    return [(row, choices(by_row[key], row)) for row in kept if (key := (row.object_type, row.pk)) in by_row]
