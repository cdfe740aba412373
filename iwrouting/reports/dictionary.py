"""What every view and column means: read from the comments in PostgreSQL's SQL files, for both databases.

A column is text, unless a comment after its COMMENT statement says otherwise: `... IS 'Calls.'; -- integer`. Tests
compare types, texts and columns with what the databases have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iwrouting.reports.views import FOLDER, REPORTS

ON_BOTH = {
    "text": "text",
    "integer": "integer",
    "boolean": "boolean / 0, 1",
    "timestamptz": "timestamptz / text",
    "date": "date / text",
    "numeric": "numeric / real",
    "uuid": "uuid / text",
}
"""The types of columns: PostgreSQL's, and how the page tells them with SQLite's beside."""

COMMENT = re.compile(r"""COMMENT ON (?:VIEW (\w+)|COLUMN (\w+)\."?(\w+)"?) IS\s+'((?:[^']|'')*)';(?: -- (\w+))?""")

HEAD = """# Dictionary of the views

Made by `manage.py reporting dictionary`: do not edit. Where types differ, PostgreSQL's stands first, SQLite's second.
On PostgreSQL the same texts are the comments of the views and their columns (`\\d+ rpt_decisions_v1` in psql).
[README.md](README.md) says how to read them right.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view; `type` is a key of ON_BOTH."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class View:
    """A view, and its columns in their order."""

    name: str
    meaning: str
    columns: tuple[Column, ...]


def dictionary() -> list[View]:
    """Every view that analysts read, in the order of REPORTS. Raises ValueError for a file without its comments."""
    return [_view(name) for name in REPORTS]


def as_page(found: list[View]) -> str:
    """The page docs/sql/dictionary.md."""
    return "\n".join([HEAD, *(line for view in found for line in _section(view))])


def as_rows(found: list[View]) -> list[dict[str, str]]:
    """A row a column, for programs."""
    return [
        {"view": view.name, "column": each.name, "type": ON_BOTH[each.type], "meaning": each.meaning}
        for view in found
        for each in view.columns
    ]


def _view(name: str) -> View:
    text = (FOLDER / "postgresql" / f"{name}.sql").read_text(encoding="utf-8")
    meaning, columns = "", []
    for view, of, column, words, kind in COMMENT.findall(text):
        if name not in (view, of) or kind not in {"", *ON_BOTH}:
            raise ValueError(f"{name}.sql has a comment for {view or f'{of}.{column}'} of the type {kind or 'text'}")
        if view:
            meaning = words.replace("''", "'")
        else:
            columns.append(Column(column, kind or "text", words.replace("''", "'")))
    if not meaning or not columns:
        raise ValueError(f"{name}.sql comments neither its view nor its columns: say what they mean")
    return View(name, meaning, tuple(columns))


def _section(view: View) -> Iterator[str]:
    yield from (f"## {view.name}", "", view.meaning, "", "| column | type | meaning |", "|---|---|---|")
    yield from (f"| `{each.name}` | {ON_BOTH[each.type]} | {each.meaning} |" for each in view.columns)
    yield ""
