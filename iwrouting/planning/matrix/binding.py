"""Which alias a line means that names a variable alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from iwrouting.planning.matrix.words import ALIAS, Statement, Unreadable, What, conventional_alias

Readers = Mapping[str, Iterable[str]]


def readers_named(statements: Iterable[Statement]) -> Readers:
    """Of each variable the aliases that the document itself says read it."""
    found: dict[str, dict[str, None]] = {}
    for each in statements:
        if each.what is What.VARIABLE and each.alias and each.variable:
            found.setdefault(each.variable, {})[each.alias] = None
    return found


def bound(statement: Statement, readers: Readers) -> Iterator[Statement]:
    """The statement for each alias that it is about.

    A variable is for the aliases that the document says read it; for the one of its own name where that is among them,
    or where none is said. Raises Unreadable for a variable whose name makes no alias.
    """
    if statement.alias:
        yield statement
        return
    named = readers.get(statement.variable, ())
    usual = conventional_alias(statement.variable)
    if not named and not ALIAS.fullmatch(usual):
        text = f"{statement.variable} is the variable of no alias by its name: name it, (alias `name`) after it."
        raise Unreadable(text)
    for alias in [usual] if usual in named or not named else named:
        yield replace(statement, alias=alias)
