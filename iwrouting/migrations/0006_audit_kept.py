from __future__ import annotations

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from iwrouting.migrations._audit_tables import InsertOnly

SEEN = ("writer", "quarantinedrow", "seal", "alert")
GROUPS = ("Viewer", "Operator", "Editor", "Key admin", "Auditor")


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the groups that see decisions see what the audit says of itself."""
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("iwrouting"), verbosity=0, using=using, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    wanted = permissions.filter(content_type__app_label="iwrouting", codename__in=[f"view_{name}" for name in SEEN])
    seeing = {"permissions__codename": "view_decision", "permissions__content_type__app_label": "iwrouting"}
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=GROUPS, **seeing):
        group.permissions.add(*wanted)


class Migration(migrations.Migration):
    """Who writes the audit, its seals, what it could not store, and what it told people."""

    dependencies = [
        ("iwrouting", "0005_prices"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("rule", models.CharField(max_length=32)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("state", models.CharField(max_length=16)),
                ("message", models.CharField(max_length=500)),
                ("told", models.CharField(blank=True, max_length=64)),
                ("fault", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ("-at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="QuarantinedRow",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("writer_id", models.CharField(max_length=36)),
                ("writer_seq", models.BigIntegerField(null=True)),
                ("chain_hash", models.CharField(blank=True, max_length=64)),
                ("table_name", models.CharField(max_length=64)),
                ("decision_id", models.UUIDField(null=True)),
                ("reason", models.CharField(max_length=64)),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("row", models.TextField(blank=True)),
            ],
            options={
                "ordering": ("-at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=16)),
                ("key_id", models.CharField(max_length=16)),
                ("heads", models.TextField(default="[]")),
                ("removed", models.TextField(default="[]")),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ("-number",),
            },
        ),
        migrations.CreateModel(
            name="Writer",
            fields=[
                ("id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=128)),
                ("pid", models.IntegerField()),
                ("journal_id", models.CharField(blank=True, max_length=36)),
                ("key_id", models.CharField(max_length=16)),
                ("app_version", models.CharField(max_length=32)),
                ("started_at", models.DateTimeField()),
                ("heartbeat_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("swept_at", models.DateTimeField(null=True)),
                ("mode", models.CharField(max_length=16)),
                ("queued", models.IntegerField(default=0)),
                ("last_seq", models.BigIntegerField(default=0)),
                ("chain_hash", models.CharField(blank=True, max_length=64)),
                ("last_commit_at", models.DateTimeField(null=True)),
                ("journal_bytes", models.BigIntegerField(default=0)),
                ("journaled_rows", models.BigIntegerField(default=0)),
                ("quarantined_rows", models.BigIntegerField(default=0)),
                ("dropped_rows", models.BigIntegerField(default=0)),
                ("revision", models.BigIntegerField(default=0)),
                ("snapshot_fault", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ("-started_at",),
            },
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["writer_id", "writer_seq"], name="iw_attempt_chain"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["writer_id", "writer_seq"], name="iw_decision_chain"),
        ),
        migrations.AddIndex(
            model_name="outcome",
            index=models.Index(fields=["writer_id", "writer_seq"], name="iw_outcome_chain"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["rule", "subject", "at"], name="iw_alert_rule"),
        ),
        migrations.AddIndex(
            model_name="quarantinedrow",
            index=models.Index(fields=["writer_id", "writer_seq"], name="iw_quarantine_place"),
        ),
        migrations.AddIndex(
            model_name="writer",
            index=models.Index(fields=["heartbeat_at"], name="iw_writer_heartbeat"),
        ),
        InsertOnly("iwrouting_quarantinedrow", "iwrouting_seal", "iwrouting_alert"),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
