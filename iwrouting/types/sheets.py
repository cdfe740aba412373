"""Texts as cells of a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


def as_cell(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe stands before what it would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def as_line(values: Iterable[object]) -> str:
    """One line of CSV: no text is a formula, nothing stands for None, and all else is written as JSON writes it."""
    return joined(_told(value) for value in values)


def joined(cells: Iterable[object]) -> str:
    """Cells as one line of CSV. Quoted where they hold any end of a line: readers take a bare carriage return for one
    too, and what comes behind it for the first cell of a line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([*cells])  # it quotes what holds a part of this
    return f"{line.getvalue()[:-2]}\n"


def _told(value: object) -> str:
    if value is None:
        return ""
    return as_cell(value) if isinstance(value, str) else json.dumps(value)
