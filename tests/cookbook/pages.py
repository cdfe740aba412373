"""The pages of docs/sql: the questions in them, their queries, and the answers that stand below."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "sql"
SECTION = re.compile(r"^### .*?(?=^#|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
HEAD = 2
"""Lines of a table before its first row."""

VENDORS = {"-- PostgreSQL\n": "postgresql", "-- SQLite\n": "sqlite"}


@dataclass(frozen=True, slots=True)
class Question:
    """A heading, its blocks of SQL, and the lines of the table of its answer."""

    page: str
    asked: str
    blocks: Sequence[str]
    answer: Sequence[str]

    def query(self, vendor: str) -> str:
        """The block for a database: that which names it in its first line, else the only one."""
        (found,) = [text for text in self.blocks if VENDORS.get(f"{text.splitlines()[0]}\n", vendor) == vendor]
        return found


def questions() -> list[Question]:
    """All that the pages of the folder ask, in their order. A section without SQL is no question."""
    found = []
    for path in _pages():
        for section in SECTION.findall(path.read_text(encoding="utf-8")):
            asked = section.partition("\n")[0].removeprefix("### ")
            if blocks := BLOCK.findall(section):
                found.append(Question(path.name, asked, blocks, ROW.findall(section.rpartition("```")[2])))
    return found


def blocks() -> int:
    """How many blocks of SQL the pages have, whether or not they belong to a question."""
    return sum(len(re.findall(r"^\s*```sql", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in _pages())


def table(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """Rows as the lines of a table in Markdown: NULL by that word, numbers without zeros at their ends."""
    found = list(rows)
    names = list(found[0]) if found else []
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return lines + [f"|{''.join(_cell(value) for value in row.values())}" for row in found]


def _cell(value: object) -> str:
    text = "NULL" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
    return f" {text} |" if text else " |"


def _pages() -> list[Path]:
    return sorted(FOLDER.glob("*.md"))
