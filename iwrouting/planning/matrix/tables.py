"""The two tables of Python that a document has: aliases with their variables, and with their default models.

Read token by token: a document is not run, and not compiled either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from iwrouting.planning.matrix.words import Unreadable, shown

TABLE = re.compile(r"^[ \t]*(_?(?:[A-Z]+_)*(ENV_VARS|DEFAULT_MODELS))\b[^=\n]*=[ \t]*\{", re.MULTILINE)
TOKEN = re.compile(r"""[ \t\r\n]+|\#[^\n]*|"(?P<double>[^"\\\n]*)"|'(?P<single>[^'\\\n]*)'|(?P<mark>[:,}])""")
GETENV = re.compile(r"""getenv\(\s*["']([^"'\n]*)["']\s*,\s*["']([^"'\n]*)["']\s*\)""")
VARIABLES = "ENV_VARS"


@dataclass(frozen=True, slots=True)
class Entry:
    """`"key": "value"` of a table, and its line. `of_variables`: the value is a variable, else a model."""

    line: int
    table: str
    of_variables: bool
    key: str
    value: str


def table_entries(code: str, first: int) -> Iterator[Entry]:
    """The entries of all tables of a block of code whose first line has the number `first`.

    A table is an assignment of a `{...}` to a name that ends with ENV_VARS or DEFAULT_MODELS. Raises TableFault at
    the first thing in one that is no entry of two texts.
    """
    for found in TABLE.finditer(code):
        yield from _entries(code, found, first)


def getenv_defaults(code: str, first: int) -> Iterator[tuple[int, str, str]]:
    """Line, variable and default of each `os.getenv("VARIABLE", "default")`."""
    for found in GETENV.finditer(code):
        yield _line(code, found.start(), first), found[1], found[2]


class TableFault(Unreadable):
    """What is no entry of a table, and its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _entries(code: str, table: re.Match[str], first: int) -> Iterator[Entry]:
    tokens = _tokens(code, table.end(), table[1], first)
    for line, kind, key in tokens:
        if (kind, key) == ("mark", "}"):
            return
        colon, value = next(tokens), next(tokens)
        if (kind, colon[1:], value[1]) != ("text", ("mark", ":"), "text"):
            raise TableFault(line, f'{shown(key)} begins no entry of {table[1]}: expected "alias": "value".')
        yield Entry(line, table[1], table[2] == VARIABLES, key, value[2])
        line, kind, mark = next(tokens)
        if (kind, mark) == ("mark", "}"):
            return
        if (kind, mark) != ("mark", ","):
            raise TableFault(line, f"{shown(mark)} stands where a comma or the end of {table[1]} was expected.")


def _tokens(code: str, start: int, table: str, first: int) -> Iterator[tuple[int, str, str]]:
    at = start
    while at < len(code):
        found = TOKEN.match(code, at)
        line = _line(code, at, first)
        if found is None:
            rest = code[at:].partition("\n")[0]
            raise TableFault(line, f'{shown(rest)} is no part of {table}: expected "alias": "value" with plain texts.')
        if found.lastgroup:
            yield line, "mark" if found.lastgroup == "mark" else "text", found[found.lastgroup]
        at = found.end()
    raise TableFault(_line(code, start, first), f"{table} has no end: expected a closing brace.")


def _line(code: str, at: int, first: int) -> int:
    return first + code.count("\n", 0, at)
