from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLES = ("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome", "iwrouting_environmentsnapshot")


def create(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """PostgreSQL only: it clones row triggers to the partitions, which guard themselves against TRUNCATE."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER iw_audit_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION iw_audit_refuse('{table}')",
            None,
        )
        schema_editor.execute(
            f"CREATE TRIGGER iw_audit_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION iw_audit_refuse()",
            None,
        )


def drop(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Undo create()."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(f"DROP TRIGGER iw_audit_no_change ON {table}", None)
        schema_editor.execute(f"DROP TRIGGER iw_audit_no_truncate ON {table}", None)


class Migration(migrations.Migration):
    """From here on audit rows are insert-only. On SQLite `iwrouting.reports.guards` sees to it after each migrate."""

    dependencies = [("iwrouting", "0001_tables")]
    operations = [migrations.RunPython(create, drop)]
