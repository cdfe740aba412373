"""The change list as a file: CSV with a line for each field, JSON lines with one for each change."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse

from iwrouting.admin.differences import visible
from iwrouting.models import Change, HistoryRow
from iwrouting.types.sheets import as_cell

FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
MOST = 20_000
"""Changes in one export."""

CHUNK = 500
COLUMNS = (
    "at", "author", "via", "kind", "revision", "reason", "object_type", "object_id", "name", "operation", "field",
    "before", "after",
)  # fmt: skip
Told = dict[str, Any]


def exported(found: QuerySet[Change], asked: Q, form: str) -> HttpResponse:
    """The changes, newest first, with those of their rows that are asked for. No hidden field is in it."""
    told = _told(found, asked)
    text = _csv(told) if form == "csv" else "".join(f"{json.dumps(each)}\n" for each in told)
    answer = HttpResponse(text, content_type=FORMS[form])
    answer["Content-Disposition"] = f'attachment; filename="changes.{form}"'
    return answer


def _told(found: QuerySet[Change], asked: Q) -> Iterator[Told]:
    changes = list(found)
    for start in range(0, len(changes), CHUNK):
        chunk = changes[start : start + CHUNK]
        rows = _rows([line.revision for line in chunk if line.revision is not None], asked)
        yield from (_line(line, rows[line.revision]) for line in chunk)


def _rows(revisions: list[int], asked: Q) -> dict[int | None, list[HistoryRow]]:
    rows: dict[int | None, list[HistoryRow]] = defaultdict(list)
    for row in HistoryRow.objects.filter(asked, revision__in=revisions).defer("content").order_by("id"):
        rows[row.revision].append(row)
    return rows


def _line(line: Change, rows: list[HistoryRow]) -> Told:
    return {
        "at": line.at.isoformat().replace("+00:00", "Z"),
        "author": line.author,
        "via": line.via,
        "kind": line.kind,
        "revision": line.revision,
        "reason": line.reason,
        "details": json.loads(line.details),
        "rows": [
            {
                "object_type": row.object_type,
                "object_id": row.object_id,
                "name": row.name,
                "operation": row.operation,
                "changed": visible(json.loads(row.changed)),
            }
            for row in rows
        ],
    }


def _csv(told: Iterator[Told]) -> str:
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for line in told:
        for row in line["rows"] or [{}]:
            for field, (before, after) in row.get("changed", {}).items() or [("", ("", ""))]:
                values = {**line, **row, "field": field, "before": before, "after": after}
                writer.writerow({name: _cell(values.get(name)) for name in COLUMNS})
    return sheet.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return as_cell(value) if isinstance(value, str) else json.dumps(value)
