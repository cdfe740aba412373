"""Plans, differences and lines of the change list, as commands show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from iwrouting.management.output import as_json, as_table
from iwrouting.models.contents import CONFIGURATION, HIDDEN
from iwrouting.planning import Plan, PlannedRow, Rehearsal
from iwrouting.planning.keeping import Kept
from iwrouting.types import Operation

COLUMNS = ("operation", "type", "name", "field", "before", "after")
WIDEST = 60
"""Characters of a value in a table; JSON has it whole."""


def show_plan(
    plan: Plan, tried: Rehearsal, kept: Sequence[Kept], form: str, more: Mapping[str, Any] | None = None
) -> str:
    """A plan with what stands against it; empty for a table of nothing. `more`: further members of its JSON."""
    if form == "json":
        return as_json(
            base=plan.base,
            digest=plan.digest,
            changes=[change_json(row) for row in in_order(plan.changes)],
            kept=[{"type": each.object_type, "name": each.name, "why": each.why} for each in kept],
            faults=list(tried.faults),
            findings=[finding.as_json() for finding in tried.findings],
            **(more or {}),
        )
    return show_changes(plan.changes)


def show_changes(changes: Iterable[PlannedRow]) -> str:
    """A line for each field that differs; empty where nothing does."""
    rows = [line for row in in_order(changes) for line in change_lines(row)]
    return as_table(COLUMNS, rows) if rows else ""


def in_order(changes: Iterable[PlannedRow]) -> list[PlannedRow]:
    """By kind, then by name: as in a bundle."""
    kinds = list(CONFIGURATION)
    return sorted(changes, key=lambda row: (kinds.index(row.object_type), row.name))


def change_json(row: PlannedRow) -> dict[str, Any]:
    """One row of a plan: what is done to which object, and `{field: [before, after]}`."""
    changed = {name: values for name, values in row.changed.items() if name not in HIDDEN}
    return {"operation": row.operation.value, "type": row.object_type, "name": row.name, "changed": changed}


def change_lines(row: PlannedRow) -> list[dict[str, str]]:
    """The lines of one row: one a field; one alone for what is deleted."""
    head = {"operation": row.operation.value, "type": row.object_type, "name": row.name}
    if row.operation is Operation.DELETE:
        return [head]
    fields = field_lines(change_json(row)["changed"], skip_empty=row.operation is Operation.CREATE)
    return [{**head, **line} for line in fields] or [head]


def field_lines(changed: Mapping[str, Sequence[Any]], *, skip_empty: bool = False) -> list[dict[str, str]]:
    """`{field: [before, after]}` as lines; `skip_empty`: without the fields that say nothing afterwards."""
    return [
        {"field": name, "before": shortened(before), "after": shortened(after)}
        for name, (before, after) in changed.items()
        if not (skip_empty and after in (None, "", []))
    ]


def in_words(operation: str, object_type: str, name: str, changed: Mapping[str, Sequence[Any]]) -> str:
    """What became of one object, on one line: `change alias manager: default_model gpt-5.1 -> gpt-4.1`."""
    told = f"{operation} {object_type} {name}"
    if operation != Operation.CHANGE:
        return told
    fields = [f"{field} {shortened(before)} -> {shortened(after)}" for field, (before, after) in changed.items()]
    return f"{told}: {', '.join(fields)}"


def shortened(value: Any) -> str:
    """A value as a table shows it."""
    text = spelled(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def spelled(value: Any) -> str:
    """A value as people write it: `true`, `[auto, fast]`, a dash for nothing."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
