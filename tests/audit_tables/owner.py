"""What only the owner of the tables may do: change the audit, and empty it. For tests alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from iwrouting.reports import guards

TABLES = tuple(model._meta.db_table for model in guards.KEYS)


@contextmanager
def unguarded(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """A transaction in which every row can be changed; the guards are back at its end, also when it fails."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for table in TABLES:
                for event in ("update", "delete"):
                    cursor.execute(f"DROP TRIGGER {table}_no_{event}")
            yield
            guards.restore(connection)
        else:
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")


def as_owner_clear_audit(connection: BaseDatabaseWrapper) -> None:
    """Delete every row of the audit, in one transaction; the guards are back at its end, also when it fails."""
    is_sqlite = connection.vendor == "sqlite"
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for table in TABLES:
            if is_sqlite:
                cursor.execute(f"DROP TRIGGER {table}_no_delete")
            else:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER iw_audit_no_change")
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the models
            if not is_sqlite:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER iw_audit_no_change")
        if is_sqlite:
            guards.restore(connection)
