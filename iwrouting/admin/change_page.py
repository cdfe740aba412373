"""The page of one change: every row of its revision before and after, and what can be done from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.urls import reverse

from iwrouting.admin.decision_page import Pairs
from iwrouting.admin.differences import ShownField, ShownRow, as_text, may_write, shown_row
from iwrouting.admin.show import NOTHING, moment, number
from iwrouting.models import Change, HistoryRow
from iwrouting.types import Operation

MOST_ROWS = 200
CHANGED = "changed"
"""The part of the details that holds variables before and after."""

MAY_RESTORE = "iwrouting.change_alias"
"""Who finds the restore of the whole configuration; its plan says what else it needs."""


def page(user: Any, line: Change) -> dict[str, Any]:
    """What the template shows a person."""
    rows = HistoryRow.objects.filter(revision=line.revision) if line.revision is not None else HistoryRow.objects.none()
    count = rows.count()
    return {
        "title": f"Revision {line.revision}" if line.revision is not None else line.kind.replace("_", "-").capitalize(),
        "line": line,
        "pairs": [_pairs(line)],
        "variables": told_fields(json.loads(line.details)),
        "rows": [shown_history(user, row) for row in rows.order_by("id")[:MOST_ROWS]],
        "more": max(count - MOST_ROWS, 0),
        "may_restore": user.has_perm(MAY_RESTORE),
        "before": None if line.revision is None else line.revision - 1,
    }


def shown_history(user: Any, row: HistoryRow) -> ShownRow:
    """One row of history for the template."""
    if row.operation == Operation.DELETE:
        before, after = json.loads(row.content), None
    else:
        changed = json.loads(row.changed)
        before = None if row.operation == Operation.CREATE else {name: old for name, (old, _) in changed.items()}
        after = {name: new for name, (_, new) in changed.items()}
    shown = shown_row(user, row.object_type, row.object_id, row.name, row.operation, before, after)
    return replace(shown, restore=_restore(row)) if may_write(user, row.object_type) else shown


def _restore(row: HistoryRow) -> str:
    """Where this version is restored; of a row that was deleted, the one before."""
    revision = row.revision - 1 if row.operation == Operation.DELETE else row.revision
    return f"{reverse('admin:config_restore')}?revision={revision}&object={row.object_type}:{row.object_id}"


def told_fields(details: Mapping[str, Any]) -> list[ShownField]:
    """The variables of a line about an environment, before and after; none for any other line."""
    changed = details.get(CHANGED)
    pairs = changed.items() if isinstance(changed, dict) else ()
    return [
        ShownField(name, as_text(pair[0]), as_text(pair[1]))
        for name, pair in pairs
        if isinstance(pair, list) and len(pair) == 2
    ]


def _pairs(line: Change) -> Pairs:
    details = {name: value for name, value in json.loads(line.details).items() if name != CHANGED}
    told = [(name.replace("_", " ").capitalize(), _detail(value)) for name, value in details.items()]
    return Pairs(
        "Change",
        [
            ("At (UTC)", moment(line.at)),
            ("Who", line.author),
            ("Via", line.via),
            ("Kind", line.kind.replace("_", "-")),
            ("Reason", line.reason or NOTHING),
            ("Revision", number(line.revision)),
            *told,
        ],
    )


def _detail(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_detail(each)}" for name, each in value.items()) or NOTHING
    if isinstance(value, list):
        return " | ".join(_detail(each) for each in value) or NOTHING
    return as_text(value)
