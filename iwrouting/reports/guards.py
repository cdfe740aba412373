"""SQLite's triggers: audit rows are insert-only (design.md 6), writes to the configuration are counted (design.md 7),
quarters of an hour with new rows are marked for the usage (T22).

PostgreSQL's are made by migrations.

Django alters a SQLite table by building it anew, and the table's triggers are lost with the old one. So they are
made after every `migrate`. They are never dropped before one: no migration may change audit rows, and one that
breaks off must not leave them unguarded.
"""

from __future__ import annotations

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from iwrouting.models import (
    Alert,
    Attempt,
    BreakerEvent,
    Change,
    Decision,
    EnvironmentSnapshot,
    HistoryRow,
    Outcome,
    QuarantinedRow,
    Revision,
    RunRaise,
    Seal,
    UsageMark,
)
from iwrouting.models.contents import CONFIGURATION

KEYS = {
    Decision: ("id",),
    Attempt: ("id", "decision_id, seq"),
    Outcome: ("id", "decision_id, origin"),
    EnvironmentSnapshot: ("id",),
    BreakerEvent: ("id",),
    RunRaise: ("id",),
    QuarantinedRow: ("id",),
    Seal: ("number",),
    Alert: ("id",),
    Change: ("id",),
    HistoryRow: ("id",),
}
"""What tells one row from another, besides the rowid."""

MARKED = tuple(model._meta.db_table for model in (Decision, Attempt, Outcome))
"""What a row of usage is made of: one that comes to any of them makes its quarter of an hour to be summed again."""


MARK_LATELY = f"""
INSERT INTO {UsageMark._meta.db_table} (bucket_at)
SELECT substr(decision_at, 1, 14) || printf('%%02d', CAST(substr(decision_at, 15, 2) AS INTEGER) / 15 * 15) || ':00'
FROM {Decision._meta.db_table} WHERE decision_at >= datetime('now', '-7 days')
EXCEPT SELECT bucket_at FROM {UsageMark._meta.db_table}
"""  # noqa: S608 - names of tables


def restore(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers as this release has them, on the tables that exist."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model, keys in KEYS.items():
            if model._meta.db_table in tables:
                for name, statement in triggers(model._meta.db_table, keys).items():
                    _remake(cursor, name, statement)
        if UsageMark._meta.db_table in tables:
            _restore_marks(cursor)
        if Revision._meta.db_table in tables and Change._meta.db_table in tables:
            for model in CONFIGURATION.values():
                for name, statement in touches(model._meta.db_table).items():
                    _remake(cursor, name, statement)


def _restore_marks(cursor: CursorWrapper) -> None:
    """Make the triggers that mark; where one was not there, mark what a service beside the migrate has stored since."""
    made = [mark(table) for table in MARKED]
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    there = {name for (name,) in cursor.fetchall()}
    for name, statement in made:
        _remake(cursor, name, statement)
    if {name for name, _ in made} - there:
        cursor.execute(MARK_LATELY, [])


def mark(table: str) -> tuple[str, str]:
    """Name and statement of the trigger that marks the quarter of an hour of a new row, where it has no mark yet."""
    marks = UsageMark._meta.db_table
    quarter = (
        "substr(NEW.decision_at, 1, 14) || "
        "printf('%02d', CAST(substr(NEW.decision_at, 15, 2) AS INTEGER) / 15 * 15) || ':00'"
    )
    return f"{table}_marked", (
        f"CREATE TRIGGER {table}_marked AFTER INSERT ON {table} "  # noqa: S608 - names of tables
        f"WHEN NOT EXISTS (SELECT 1 FROM {marks} WHERE bucket_at = {quarter}) "
        f"BEGIN INSERT INTO {marks} (bucket_at) VALUES ({quarter}); END"
    )


def touches(table: str) -> dict[str, str]:
    """Names and statements of the triggers that count what is written to a table of the configuration (design.md 7)."""
    counter = Revision._meta.db_table
    count = f"UPDATE {counter} SET touches = touches + 1"  # noqa: S608 - no value of anybody
    # A counter that is not there yet is made with the first row, so that no row goes uncounted.
    begin = (
        f"INSERT INTO {counter} (id, number, changed_at, touches, accounted) "  # noqa: S608
        f"SELECT 1, 0, CURRENT_TIMESTAMP, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM {counter})"
    )
    steps = {"INSERT": f"{begin}; {count}", "UPDATE": count, "DELETE": count}
    return {
        f"{table}_touched_{event.lower()}": (
            f"CREATE TRIGGER {table}_touched_{event.lower()} AFTER {event} ON {table} BEGIN {step}; END"
        )
        for event, step in steps.items()
    }


def _remake(cursor: CursorWrapper, name: str, statement: str) -> None:
    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
    cursor.execute(statement)


def triggers(table: str, keys: tuple[str, ...]) -> dict[str, str]:
    """Names and statements of the triggers that guard a table. keys: its unique keys, each a list of columns."""
    # INSERT OR REPLACE deletes the old row, and no DELETE trigger fires unless recursive_triggers is on. NEW.rowid is
    # -1 before an INSERT that names no rowid: a row stored there would bar all others.
    events = {
        "no_update": ("BEFORE UPDATE", "1", "UPDATE of"),
        "no_delete": ("BEFORE DELETE", "1", "DELETE of"),
        "no_replace": ("BEFORE INSERT", _is_there(table, keys), "INSERT over a row of"),
        "no_low_rowid": ("AFTER INSERT", "NEW.rowid < 1", "INSERT with a rowid below 1 into"),
    }
    return {f"{table}_{name}": _trigger(table, f"{table}_{name}", *event) for name, event in events.items()}


def _is_there(table: str, keys: tuple[str, ...]) -> str:
    new = {key: ", ".join(f"NEW.{column}" for column in key.split(", ")) for key in (*keys, "rowid")}
    return " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE ({key}) = ({value}))"  # noqa: S608 - names from KEYS
        for key, value in new.items()
    )


def _trigger(table: str, name: str, event: str, condition: str, refused: str) -> str:
    return (
        f"CREATE TRIGGER {name} {event} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, 'audit rows are insert-only: {refused} {table} refused'); END"
    )
