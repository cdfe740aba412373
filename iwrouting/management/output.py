"""How commands tell what they found: aligned columns for people, JSON for programs (ux.md 4)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError

from iwrouting.types.sheets import as_cell, joined

FINDINGS = 3
"""The exit code of a command that ended well and found something."""


class Findings(CommandError):
    """What a command ended well with and somebody should know, in one sentence; Django writes this name before it."""

    def __init__(self, text: str) -> None:
        super().__init__(text, returncode=FINDINGS)


def counted(number: int, one: str, several: str = "") -> str:
    """How many there are: `1 price`, `1,200 prices`; `several` where the plural is not `one` with an s."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def add_format(parser: argparse.ArgumentParser, *more: str) -> None:
    """The option --format: a table on a terminal, JSON elsewhere; `more` of jsonl and csv."""
    default = "table" if sys.stdout.isatty() else "json"
    parser.add_argument(
        "--format", choices=("table", "json", *more), default=default, help="Default: table on a terminal, else json."
    )


def as_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows under their headings; what a row does not have is a dash."""
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(line[index]) for line in (list(columns), *cells)) for index in range(len(columns))]
    return "\n".join(_line(line, widths) for line in (columns, *cells))


def as_json(**members: Any) -> str:
    """One object with a `version`, which only gains members."""
    return json.dumps({"version": 1, **members}, indent=1)


def as_jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    """A line of JSON for each row."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows under their headings, comma-separated; what a row does not have is empty. No text is a formula, and truth
    is written as JSON, SQL and the API's sheets write it."""
    cells = ([_in_sheet(each) for each in map(row.get, columns)] for row in rows)
    return "".join(map(joined, (columns, *cells)))


def _in_sheet(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return as_cell(value) if isinstance(value, str) else value


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return harmless(", ".join(map(str, value))) or "-"
    return "-" if value is None or value == "" else harmless(str(value))


def harmless(text: str) -> str:
    """A text that does nothing to a terminal and stays on its line: other people wrote reasons and names."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
