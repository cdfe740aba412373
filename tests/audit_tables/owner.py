"""What only the owner of the tables may do: empty the audit. For the clean-up of tests alone."""

from __future__ import annotations

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from iwrouting.reports import guards

TABLES = tuple(model._meta.db_table for model in guards.KEYS)


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
