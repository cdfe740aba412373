"""Lines of the change list for commands: which were asked for, and what each says (ux.md 2, Changes)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from iwrouting.management.plan_output import in_words
from iwrouting.models import Change, HistoryRow
from iwrouting.models.contents import HIDDEN
from iwrouting.snapshot.moments import moment_text

COLUMNS = ("at", "revision", "author", "via", "what", "reason")
SHOWN = 3
"""Objects of one line in a table; `--format json` has all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: of these objects by kind and name, from a time on, by an author, of a kind; the newest `limit`."""

    objects: Collection[tuple[str, str]] = ()
    since: datetime | None = None
    author: str = ""
    kind: str = ""
    limit: int = 50


def history_lines(asked: Asked) -> list[dict[str, Any]]:
    """The lines, the newest first; with objects given, the changes of those alone."""
    lines = Change.objects.all()
    rows = HistoryRow.objects.order_by("id")
    if asked.objects:
        rows = rows.filter(_any_of(asked.objects))
        lines = lines.filter(revision__in=rows.order_by().values("revision"))
    if asked.since is not None:
        lines = lines.filter(at__gte=asked.since)
    if asked.author:
        lines = lines.filter(author=asked.author)
    if asked.kind:
        lines = lines.filter(kind=asked.kind)
    found = list(lines[: asked.limit])
    changed: dict[int, list[dict[str, Any]]] = {}
    for row in rows.filter(revision__in=[line.revision for line in found if line.revision is not None]):
        changed.setdefault(row.revision, []).append(_object(row))
    return [_line(line, changed.get(line.revision or -1, [])) for line in found]


def as_cells(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line as a table or a CSV file has it."""
    objects: Sequence[Mapping[str, Any]] = line["objects"]
    told = [in_words(each["operation"], each["type"], each["name"], each["changed"]) for each in objects[:SHOWN]]
    more = [f"and {len(objects) - SHOWN} more"] if len(objects) > SHOWN else []
    kind = "adoption: discarded" if line["details"].get("discarded") else line["kind"]
    return {**line, "what": "; ".join([*told, *more]) or kind}


def _any_of(objects: Collection[tuple[str, str]]) -> Q:
    wanted = Q(pk__in=[])
    for object_type, name in objects:
        wanted |= Q(object_type=object_type, name=name)
    return wanted


def _object(row: HistoryRow) -> dict[str, Any]:
    changed = {name: values for name, values in json.loads(row.changed).items() if name not in HIDDEN}
    return {"type": row.object_type, "name": row.name, "operation": row.operation, "changed": changed}


def _line(line: Change, objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "at": moment_text(line.at),
        "revision": line.revision,
        "kind": line.kind,
        "author": line.author,
        "via": line.via,
        "reason": line.reason,
        "details": json.loads(line.details),
        "objects": list(objects),
    }
