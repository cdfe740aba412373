"""The triggers that keep audit rows insert-only, on both databases (design.md 6).

PostgreSQL: row triggers on each table, which it clones to the partitions, and a TRUNCATE trigger; partitions get their
own TRUNCATE trigger from `iw_audit_make_partition`. SQLite: Django rebuilds a table to alter it, which drops the
table's triggers, so `iwrouting.reports` makes missing ones again after every `migrate`. They are never dropped before one: no
migration may change audit rows, and a migration that breaks off must not leave the rows unguarded.
"""

from __future__ import annotations

from collections.abc import Iterator

PARTITIONED = ("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome")
TABLES = (*PARTITIONED, "iwrouting_environmentsnapshot")

SQLITE_KEYS = {
    "iwrouting_decision": ("id",),
    "iwrouting_attempt": ("id", "decision_id, seq"),
    "iwrouting_outcome": ("id", "decision_id, origin"),
    "iwrouting_environmentsnapshot": ("id",),
}
"""What tells one row from another, besides the rowid."""


def create(vendor: str) -> Iterator[str]:
    """Statements that make the triggers of all tables; on SQLite those that exist are left as they are."""
    for table in TABLES:
        yield from _create_postgresql(table) if vendor == "postgresql" else _create_sqlite(table)


def drop(vendor: str) -> Iterator[str]:
    """Statements that remove the triggers of all tables. The TRUNCATE triggers of partitions go with the partitions."""
    for table in TABLES:
        if vendor == "postgresql":
            yield f"DROP TRIGGER iw_audit_no_change ON {table}"
            yield f"DROP TRIGGER iw_audit_no_truncate ON {table}"
        else:
            yield from (f"DROP TRIGGER IF EXISTS {table}_{suffix}" for suffix in _SQLITE_SUFFIXES)


def _create_postgresql(table: str) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER iw_audit_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION iw_audit_refuse('{table}')"
    )
    yield (
        f"CREATE TRIGGER iw_audit_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION iw_audit_refuse()"
    )


_SQLITE_SUFFIXES = ("no_update", "no_delete", "no_replace", "no_negative_rowid")


def _create_sqlite(table: str) -> Iterator[str]:
    yield _sqlite_trigger(table, "no_update", "BEFORE UPDATE", "1", "UPDATE of")
    yield _sqlite_trigger(table, "no_delete", "BEFORE DELETE", "1", "DELETE of")
    yield _sqlite_trigger(table, "no_replace", "BEFORE INSERT", _same_row(table), "INSERT over a row of")
    # NEW.rowid is -1 before an INSERT that names no rowid: a row stored there would bar all others.
    yield _sqlite_trigger(table, "no_negative_rowid", "AFTER INSERT", "NEW.rowid < 1", "INSERT with a chosen rowid of")


def _same_row(table: str) -> str:
    """Whether the row exists. INSERT OR REPLACE deletes without a DELETE trigger, unless recursive_triggers is on."""
    keys = [f"({key}) = ({', '.join(f'NEW.{name}' for name in key.split(', '))})" for key in SQLITE_KEYS[table]]
    same = (*keys, "rowid = NEW.rowid")
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {key})" for key in same)  # noqa: S608 - our own names


def _sqlite_trigger(table: str, suffix: str, event: str, condition: str, refused: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_{suffix} {event} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, 'audit rows are insert-only: {refused} {table} refused'); END"
    )
