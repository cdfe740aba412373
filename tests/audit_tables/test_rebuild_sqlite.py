"""Django alters a SQLite table by building it anew: what stood on it is there again after the migrate."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connections, models

from iwrouting.models import Decision
from iwrouting.reports import VIEWS, guards, views
from tests.audit_tables import rows
from tests.audit_tables.checks import AT


def names(database: str, kind: str) -> set[str]:
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = %s", [kind])
        return {name for (name,) in cursor.fetchall()}


def widen_project(database: str) -> None:
    wider: models.CharField[str, str] = models.CharField(max_length=200)
    wider.set_attributes_from_name("project")
    with connections[database].schema_editor() as editor:
        editor.alter_field(Decision, Decision._meta.get_field("project"), wider)


def test_rebuild__under_a_view__fails(own: str) -> None:
    call_command("migrate", database=own, verbosity=0)
    with pytest.raises(OperationalError, match="rpt_decisions_v1"):
        widen_project(own)


def test_rebuild__then_migrate__views_and_triggers_stand_again(own: str) -> None:
    call_command("migrate", database=own, verbosity=0)
    views.drop(connections[own])
    of = Decision.objects.using(own).create(**rows.decision_values(AT))
    widen_project(own)
    ours = set(guards.triggers(Decision._meta.db_table, ("id",)))
    assert not names(own, "trigger") & ours
    call_command("migrate", database=own, verbosity=0)
    assert names(own, "trigger") >= ours
    assert names(own, "view") == set(VIEWS)
    with pytest.raises(IntegrityError, match="insert-only: DELETE"):
        of.delete(using=own)
