"""The staff groups: what each may do, and that administrators' own changes stay."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

AUDIT = {"decision", "attempt", "outcome", "environmentsnapshot"}
CONFIGURATION = {
    "change",
    "historyrow",
    "alias",
    "override",
    "project",
    "model",
    "upstream",
    "apikey",
    "revision",
    "price",
}
RUNNING = {"change_run", "change_breakerevent"}
GATEWAY = {
    "breakerevent",
    "heldresponse",
    "run",
    "runraise",
    "runreservation",
    "writer",
    "quarantinedrow",
    "seal",
    "alert",
}
VIEW = {f"view_{model}" for model in AUDIT | CONFIGURATION | GATEWAY}


def edit(*models: str) -> set[str]:
    return {f"{action}_{model}" for model in models for action in ("add", "change", "delete")}


def permissions(name: str, database: str = "default") -> set[str]:
    return set(Group.objects.using(database).get(name=name).permissions.values_list("codename", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Viewer", VIEW),
        ("Operator", VIEW | edit("override") | RUNNING),
        ("Editor", VIEW | edit("override", "alias", "model", "project", "price") | RUNNING),
        ("Key admin", VIEW | {"add_apikey", "change_apikey", "add_user", "change_user", "view_user", "view_group"}),
        ("Auditor", {f"view_{model}" for model in AUDIT | GATEWAY}),
    ],
)
def test_group__fresh_database__has_its_permissions(name: str, expected: set[str]) -> None:
    assert permissions(name) == expected


@pytest.mark.django_db
def test_groups__none__may_change_upstreams_or_the_audit() -> None:
    granted = {name for group in Group.objects.all() for name in permissions(group.name)}
    assert granted.isdisjoint(edit("upstream", *AUDIT))


@pytest.fixture
def migrated(own: str) -> str:
    """A database with the groups."""
    call_command("migrate", database=own, verbosity=0)
    return own


def test_groups__changed_by_an_administrator__stay_so(migrated: str) -> None:
    groups = Group.objects.using(migrated)
    groups.get(name="Editor").permissions.clear()
    groups.get(name="Auditor").delete()
    call_command("migrate", database=migrated, verbosity=0)
    assert permissions("Editor", migrated) == set()
    assert not groups.filter(name="Auditor").exists()
    call_command("migrate", "iwrouting", "0002", database=migrated, verbosity=0)
    call_command("migrate", database=migrated, verbosity=0)
    assert permissions("Editor", migrated) == set()
