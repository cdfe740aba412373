from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

AUDIT = ("decision", "attempt", "outcome", "environmentsnapshot")
CONFIGURATION = ("alias", "override", "project", "model", "upstream", "apikey", "revision")


def permissions(action: str, *models: str, app: str = "iwrouting") -> set[tuple[str, str]]:
    return {(app, f"{action}_{model}") for model in models}


def edit(*models: str) -> set[tuple[str, str]]:
    return set().union(*(permissions(action, *models) for action in ("add", "change", "delete")))


VIEWER = permissions("view", *AUDIT, *CONFIGURATION)
OPERATOR = VIEWER | edit("override")
# Keys and users are revoked and deactivated, never deleted: the audit names them.
KEYS = permissions("add", "apikey") | permissions("change", "apikey")
USERS = set().union(*(permissions(action, "user", app="auth") for action in ("view", "add", "change")))
GROUPS = {
    "Viewer": VIEWER,
    "Operator": OPERATOR,
    "Editor": OPERATOR | edit("alias", "model", "project"),
    "Key admin": VIEWER | KEYS | USERS | permissions("view", "group", app="auth"),
    "Auditor": permissions("view", *AUDIT),
}


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the groups that are missing; one that exists keeps what an administrator gave it."""
    using = schema_editor.connection.alias
    # Django makes permissions only after the last migration of a run: on a fresh database there are none yet.
    for label in ("auth", "iwrouting"):
        create_permissions(installed.get_app_config(label), verbosity=0, using=using, apps=apps)
    for name, wanted in GROUPS.items():
        group, is_new = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=name)
        if is_new:
            group.permissions.set(find(apps, using, wanted))


def find(apps: Apps, using: str, wanted: set[tuple[str, str]]) -> Iterator[Any]:
    rows = apps.get_model("auth", "Permission").objects.using(using)
    return (rows.get(content_type__app_label=app, codename=codename) for app, codename in sorted(wanted))


class Migration(migrations.Migration):
    """The staff groups. Made once: what administrators change or delete afterwards stays so. Upstreams are for superusers."""

    dependencies = [
        ("iwrouting", "0002_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
