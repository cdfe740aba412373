from __future__ import annotations

from django.db import migrations

from iwrouting.migrations._audit_tables import InsertOnly


class Migration(migrations.Migration):
    """From here on audit rows are insert-only. On SQLite `iwrouting.reports.guards` sees to it after each migrate."""

    dependencies = [("iwrouting", "0001_tables")]
    operations = [
        InsertOnly("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome", "iwrouting_environmentsnapshot")
    ]
