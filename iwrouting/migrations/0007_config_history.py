from __future__ import annotations

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from iwrouting.migrations._audit_tables import CountTouches, InsertOnly

TABLES = ("alias", "override", "project", "model", "upstream", "price", "apikey")
GROUPS = ("Viewer", "Operator", "Editor", "Key admin", "Auditor")


def grant(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the groups that see the configuration see its changes."""
    using = schema_editor.connection.alias
    create_permissions(installed.get_app_config("iwrouting"), verbosity=0, using=using, apps=apps)
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    wanted = permissions.filter(
        content_type__app_label="iwrouting", codename__in=["view_change", "view_historyrow", "view_revision"]
    )
    seeing = {"permissions__codename": "view_alias", "permissions__content_type__app_label": "iwrouting"}
    for group in apps.get_model("auth", "Group").objects.using(using).filter(name__in=GROUPS, **seeing):
        group.permissions.add(*wanted)


class Migration(migrations.Migration):
    """The memory of the configuration: its change list, its history, and who changed it by SQL."""

    dependencies = [
        ("iwrouting", "0006_audit_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="revision",
            name="accounted",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="revision",
            name="touches",
            field=models.BigIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("revision", models.BigIntegerField(null=True, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("configuration", "configuration"),
                            ("environment", "environment"),
                            ("schedule", "schedule"),
                            ("break_glass", "break_glass"),
                            ("adoption", "adoption"),
                        ],
                        max_length=16,
                    ),
                ),
                ("author", models.CharField(max_length=200)),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("admin", "admin"),
                            ("API", "API"),
                            ("CLI", "CLI"),
                            ("import", "import"),
                            ("SQL", "SQL"),
                            ("upgrade", "upgrade"),
                            ("service", "service"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("details", models.TextField(default="{}")),
                ("event", models.CharField(max_length=300, null=True, unique=True)),
            ],
            options={
                "ordering": ("-at", "-id"),
                "indexes": [models.Index(fields=["at"], name="iw_change_at")],
            },
        ),
        migrations.CreateModel(
            name="HistoryRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("object_type", models.CharField(max_length=16)),
                ("object_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=300)),
                (
                    "operation",
                    models.CharField(
                        choices=[("create", "create"), ("change", "change"), ("delete", "delete"), ("same", "same")],
                        max_length=8,
                    ),
                ),
                ("content", models.TextField()),
                ("changed", models.TextField(default="{}")),
            ],
            options={
                "verbose_name": "history row",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["revision"], name="iw_history_revision"),
                    models.Index(fields=["object_type", "name"], name="iw_history_name"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("object_type", "object_id", "revision"), name="iw_history_once")
                ],
            },
        ),
        InsertOnly("iwrouting_change", "iwrouting_historyrow"),
        CountTouches(*(f"iwrouting_{table}" for table in TABLES)),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
