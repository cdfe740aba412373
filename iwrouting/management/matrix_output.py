"""What `routing_check` shows of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand

from iwrouting.management.output import as_csv, as_json, as_jsonl, as_table, harmless
from iwrouting.planning.matrix import Comparison, Level, Written

DIFFERENCES = ("level", "code", "alias", "project", "lines", "document", "live", "fix")
MODELS = ("level", "code", "model", "shutdown_date", "replacement", "lines", "live", "fix")
ALL = (*DIFFERENCES[:4], "model", "shutdown_date", "replacement", *DIFFERENCES[4:])


def show(command: BaseCommand, form: str, about: Mapping[str, Any], written: Written, found: Comparison) -> None:
    """Write a comparison in one of the formats, and to standard error what of the document was not read.

    `about`: what was compared, for JSON.
    """
    differences = [each.as_row() for each in found.differences]
    warnings = [each.as_row() for each in found.warnings]
    out = command.stdout
    if form == "json":
        not_read = [{"line": each.line, "text": each.text} for each in written.not_read]
        lists = {
            level.value: [row for row in differences if row["level"] == level] for level in (Level.DRIFT, Level.NOTE)
        }
        out.write(as_json(**about, drift=lists["drift"], notes=lists["note"], warnings=warnings, not_read=not_read))
    elif form == "jsonl":
        out.write(as_jsonl([*differences, *warnings]), ending="")
    elif form == "csv":
        out.write(as_csv(ALL, [_flat(row) for row in (*differences, *warnings)]), ending="")
    else:
        tables = [(DIFFERENCES, differences), (MODELS, warnings)]
        out.write("\n\n".join(as_table(columns, rows) for columns, rows in tables if rows))
    for each in written.not_read:
        command.stderr.write(f"Not read, {harmless(each.told())}")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: ", ".join(map(str, each)) if isinstance(each, list) else each for name, each in row.items()}


def told(found: Comparison) -> str:
    """How many of each there are, in words."""
    drift, notes = (len(list(found.of_level(level))) for level in (Level.DRIFT, Level.NOTE))
    models = len(found.warnings)
    parts = [
        f"{drift or 'no'} difference{'s' * (drift != 1)}",
        f"{notes} note{'s' * (notes != 1)}" if notes else "",
        f"{models} model{'s' * (models != 1)} to look at" if models else "",
    ]
    return ", ".join(part for part in parts if part)
