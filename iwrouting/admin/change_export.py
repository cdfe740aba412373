"""The change list as a file: CSV with a line for each field, JSON lines with one for each change."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.http import HttpResponse

from iwrouting.models import Change, HistoryRow
from iwrouting.reports.export.changes import COLUMNS, Told, sheet_rows, told
from iwrouting.types.sheets import as_line

FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
MOST = 20_000
"""Changes in one export."""

CHUNK = 500


def exported(found: QuerySet[Change], asked: Q, form: str) -> HttpResponse:
    """The changes, newest first, with those of their rows that are asked for. No hidden field is in it."""
    changes = _told(found, asked)
    text = _csv(changes) if form == "csv" else "".join(f"{json.dumps(each)}\n" for each in changes)
    answer = HttpResponse(text, content_type=FORMS[form])
    answer["Content-Disposition"] = f'attachment; filename="changes.{form}"'
    return answer


def _told(found: QuerySet[Change], asked: Q) -> Iterator[Told]:
    lines = list(found)
    rows = HistoryRow.objects.filter(asked)
    for start in range(0, len(lines), CHUNK):
        yield from told(lines[start : start + CHUNK], rows)


def _csv(changes: Iterator[Told]) -> str:
    rows = ([row.get(name) for name in COLUMNS] for row in sheet_rows(changes))
    return "".join(map(as_line, (COLUMNS, *rows)))
