"""Runs the invariants of the audit: `sql/invariants.sql`, one named query each (docs/health.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

FILE = Path(__file__).resolve().parent / "sql" / "invariants.sql"
NAMED = re.compile(r"^-- name: (\w+)\n-- (.+)\n((?:(?!--).*\n)*?)(?=\n|\Z)", re.MULTILINE)
MOST_ROWS = 20
PATIENCE_S = 60.0
"""How long PostgreSQL may look for the rows that break one."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A query that gives the rows which break it, and what it says."""

    name: str
    meaning: str
    query: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that breaks an invariant."""

    invariant: str
    id: str
    detail: str


class NotChecked(Exception):
    """PostgreSQL was not done in time; the text names the invariant."""


@cache
def invariants() -> tuple[Invariant, ...]:
    """All of them, as they stand in the file."""
    text = FILE.read_text(encoding="utf-8")
    return tuple(Invariant(name, meaning, query.strip().rstrip(";")) for name, meaning, query in NAMED.findall(text))


def broken(
    invariant: Invariant, *, using: str = "default", most: int = MOST_ROWS, patience_s: float = PATIENCE_S
) -> list[Broken]:
    """The first rows that break it. Raises NotChecked, or a database error."""
    connection = connections[using]
    try:
        with _bounded(connection, patience_s), connection.cursor() as cursor:
            # Sorted nowhere: the first ones that are found will do.
            cursor.execute(f"SELECT * FROM ({invariant.query}) AS found LIMIT {int(most)}")  # noqa: S608 - our own file
            return [Broken(*map(str, row)) for row in cursor.fetchall()]
    except OperationalError as error:
        if "statement timeout" in str(error):
            raise NotChecked(f"{invariant.name}: not checked within {patience_s:g} s") from None
        raise


def all_broken(*, using: str = "default") -> Iterator[Broken]:
    """The first rows that break any. Raises NotChecked, or a database error."""
    for invariant in invariants():
        yield from broken(invariant, using=using)


@contextmanager
def _bounded(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """On SQLite nothing: a transaction of Django's would keep the writer out."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
        yield
