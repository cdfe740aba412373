"""Changes with the rows that they wrote, as plain values; as a sheet with a line for each field."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from iwrouting.models import Change, HistoryRow
from iwrouting.models.contents import HIDDEN

COLUMNS = (
    "at", "author", "via", "kind", "revision", "reason", "object_type", "object_id", "name", "operation", "field",
    "before", "after",
)  # fmt: skip
Told = dict[str, Any]


def told(lines: Sequence[Change], rows: QuerySet[HistoryRow], *, details: bool = True) -> Iterator[Told]:
    """Each change with those of these rows that it wrote; no hidden field is in it. One query for all lines.

    details: tell what is stored with a change too.
    """
    revisions = [line.revision for line in lines if line.revision is not None]
    written: dict[int | None, list[HistoryRow]] = defaultdict(list)
    for row in rows.filter(revision__in=revisions).defer("content").order_by("id"):
        written[row.revision].append(row)
    for line in lines:
        yield _line(line, written[line.revision], details=details)


def _line(line: Change, rows: list[HistoryRow], *, details: bool) -> Told:
    return {
        "id": str(line.pk),
        "at": line.at.isoformat().replace("+00:00", "Z"),
        "author": line.author,
        "via": line.via,
        "kind": line.kind,
        "revision": line.revision,
        "reason": line.reason,
        "details": json.loads(line.details) if details else {},
        "rows": [
            {
                "object_type": row.object_type,
                "object_id": row.object_id,
                "name": row.name,
                "operation": row.operation,
                "changed": {name: sides for name, sides in json.loads(row.changed).items() if name not in HIDDEN},
            }
            for row in rows
        ],
    }


def sheet_rows(changes: Iterable[Told]) -> Iterator[Told]:
    """A row of COLUMNS for each field of each row of each change."""
    for line in changes:
        for row in line["rows"] or [{}]:
            for field, (before, after) in row.get("changed", {}).items() or [("", ("", ""))]:
                yield {**line, **row, "field": field, "before": before, "after": after}
