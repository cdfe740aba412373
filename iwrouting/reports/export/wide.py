"""Rows of the views of decisions, attempts and fallbacks as plain values, the same on both databases.

Times are texts in RFC 3339, dollars exact decimal texts, and so an answer, a CSV and a line of JSON have the same.
`decision_key` is left out: how a database stores an id is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any

from django.db import connection

from iwrouting.models import Decision
from iwrouting.pricing import dollars
from iwrouting.snapshot.moments import moment_text

VIEWS: Mapping[str, tuple[str, ...]] = {
    "rpt_decisions_v1": ("created_at", "decision_key"),
    "rpt_attempts_v1": ("created_at", "decision_key", "seq"),
    "rpt_fallbacks_v1": ("created_at", "decision_key", "rung_to"),
}
"""Each with the order of its rows."""

KEY = "decision_key"
MOST = 1_000
"""Decisions that one statement looks up."""

Row = dict[str, Any]
Tellers = tuple[tuple[str, Callable[[Any], Any]], ...]


@cache
def columns_of(view: str) -> tuple[str, ...]:
    """The columns of a view, as this release made it, without its key."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view} LIMIT 0")  # noqa: S608 - the name is one of VIEWS
        return tuple(column[0] for column in cursor.description if column[0] != KEY)


def wide_rows(view: str, decisions: Sequence[Decision]) -> Iterator[Row]:
    """The rows of a view that belong to these decisions, the oldest first. Raises django.db.DatabaseError."""
    rest = iter(decisions)
    while some := list(islice(rest, MOST)):
        yield from _read(view, some)


def _read(view: str, decisions: Sequence[Decision]) -> list[Row]:
    field = Decision._meta.get_field("id")
    values: list[Any] = [field.get_db_prep_value(each.pk, connection) for each in decisions]
    condition = f"{KEY} IN ({', '.join(['%s'] * len(values))})"
    if connection.vendor == "postgresql":
        # The ids say so too; this lets PostgreSQL leave whole months unread. SQLite would take its index of times.
        times = [each.decision_at for each in decisions]
        condition += " AND created_at BETWEEN %s AND %s"
        values += [min(times), max(times)]
    columns = columns_of(view)
    listed = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {listed} FROM {view} WHERE {condition} ORDER BY {', '.join(VIEWS[view])}",  # noqa: S608 - ours
            values,
        )
        tellers = _tellers(columns)
        return [_plain(dict(zip(columns, found, strict=True)), tellers) for found in cursor.fetchall()]


def _plain(row: Row, tellers: Tellers) -> Row:
    for name, tell in tellers:
        if row[name] is not None:
            row[name] = tell(row[name])
    if "cost_usd" in row and row["cost_pico"] is not None:
        row["cost_usd"] = dollars(row["cost_pico"])
    return row


@cache
def _tellers(columns: tuple[str, ...]) -> Tellers:
    found = [(name, TOLD.get(name.rpartition("_")[2]) or TOLD.get(name.partition("_")[0])) for name in columns]
    return tuple((name, tell) for name, tell in found if tell is not None)


def _time(value: datetime | str) -> str:
    """SQLite has times as texts without a zone, which are UTC."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment_text(found if found.tzinfo else found.replace(tzinfo=UTC))


TOLD: Mapping[str, Callable[[Any], Any]] = {"at": _time, "is": bool}
"""By the end or the beginning of a column's name (ux.md 5)."""
