from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from iwrouting.migrations import _audit_guards


def create(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _audit_guards.create(schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


def drop(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _audit_guards.drop(schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


class Migration(migrations.Migration):
    """From here on audit rows are insert-only."""

    dependencies = [("iwrouting", "0001_tables")]
    operations = [migrations.RunPython(create, drop)]
