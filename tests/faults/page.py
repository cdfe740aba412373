"""The tables of docs/faults.md, made from what the tests saw; the text around them is the page's own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
REWRITE = "IW_FAULTS_PAGE"
"""Set to `write` by `python -m tests.faults.report`: the tables are put into the page instead of compared with it."""


NOTHING = "-"


@dataclass(frozen=True)
class Line:
    """One line of a table: what was done in one mode, and what came of it."""

    id: str
    title: str
    mode: str
    cells: tuple[str, ...]


def table(heads: Sequence[str], lines: Iterable[Line], test: str) -> str:
    """A table; modes with the same result share a line."""
    rows = ["| " + " | ".join(("row", "what happens", "modes", *heads)) + " |", "|---" * (3 + len(heads)) + "|"]
    for line in merged(lines):
        rows.append("| " + " | ".join((line.id, line.title, line.mode, *line.cells)) + " |")
    return "\n".join([*rows, "", f"Test: `{test}`."])


def merged(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, neighbours of the same row and fault with equal results as one."""
    for _, same in groupby(lines, key=lambda line: (line.id, line.title)):
        groups: list[list[Line]] = []
        for line in same:
            fitting = next((group for group in groups if alike(group[0], line)), None)
            if fitting is None:
                groups.append(fitting := [])
            fitting.append(line)
        for group in groups:
            yield Line(group[0].id, group[0].title, ", ".join(line.mode for line in group), group[0].cells)


def alike(one: Line, other: Line) -> bool:
    """Whether two lines have the same results; what does not apply to one (`-`) differs from nothing."""
    return all(a == b or NOTHING in (a, b) for a, b in zip(one.cells, other.cells, strict=True))


def section(name: str) -> str:
    """The part of the page between the marks of that name."""
    return PAGE.read_text(encoding="utf-8").partition(opening(name))[2].partition(closing(name))[0].strip()


def check(name: str, made: str) -> None:
    """Assert that the page holds this table, or put it there where that was asked for."""
    if os.environ.get(REWRITE) == "write":
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(opening(name))
        after = rest.partition(closing(name))[2]
        PAGE.write_text(f"{before}{opening(name)}\n\n{made}\n\n{closing(name)}{after}", encoding="utf-8")
    assert section(name) == made, "docs/faults.md is out of date: python -m tests.faults.report"


def opening(name: str) -> str:
    """The mark before a table."""
    return f"<!-- {name}: made by python -m tests.faults.report -->"


def closing(name: str) -> str:
    """The mark after a table."""
    return f"<!-- end of {name} -->"
