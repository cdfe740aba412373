"""Texts as cells of a spreadsheet."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


def as_cell(text: str) -> str:
    """A text that no spreadsheet runs: an apostrophe stands before what it would take for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
