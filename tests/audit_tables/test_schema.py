"""The tables are what Django declares, on both databases, and can be taken down and made again."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, models
from django.db.migrations.loader import MigrationLoader
from django.db.models.signals import post_migrate

from iwrouting.models import EnvironmentSnapshot
from iwrouting.reports import VIEWS, views
from tests.audit_tables.checks import AT, AUDIT, PARTITIONED
from tests.audit_tables.databases import IS_POSTGRESQL


def migrate(database: str, *target: str) -> None:
    call_command("migrate", *target, database=database, verbosity=0)


def relations(database: str) -> set[str]:
    """Our tables and views."""
    with connections[database].cursor() as cursor:
        names = connections[database].introspection.table_names(cursor, include_views=True)
    return {name for name in names if name.startswith(("iwrouting_", "iw_", "rpt_"))}


@pytest.mark.django_db
def test_models__and_migrations__agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize("model", AUDIT)
def test_columns__stand_in_the_order_of_the_fields(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, model._meta.db_table)
    assert [column.name for column in found] == [field.column for field in model._meta.local_fields]


@pytest.mark.django_db
@pytest.mark.parametrize("model", PARTITIONED)
def test_indexes_and_unique_constraints__exist_as_declared(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    exists = {name: (each["columns"], each["unique"]) for name, each in found.items()}
    columns = {field.name: field.column for field in model._meta.local_fields}
    unique = [each for each in model._meta.constraints if isinstance(each, models.UniqueConstraint)]
    declared = [(each.name, each.fields, False) for each in model._meta.indexes]
    declared += [(each.name, list(each.fields), True) for each in unique]
    assert declared
    for name, fields, is_unique in declared:
        assert exists[name] == ([columns[field] for field in fields], is_unique)


def test_migrate__to_zero_and_back__leaves_nothing_and_makes_all_again(own: str) -> None:
    migrate(own)
    first = relations(own)
    assert first >= {*VIEWS, *(model._meta.db_table for model in AUDIT)}
    migrate(own)
    assert relations(own) == first
    migrate(own, "iwrouting", "zero")
    assert relations(own) == set()
    assert functions(own) == []
    migrate(own)
    assert relations(own) == first
    EnvironmentSnapshot.objects.using(own).create(id="e1", first_seen_at=AT)
    with pytest.raises(IntegrityError, match="insert-only"):
        EnvironmentSnapshot.objects.using(own).update(values="x")


def functions(database: str) -> list[str]:
    if not IS_POSTGRESQL:
        return []
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'iw\\_%'")
        return [name for (name,) in cursor.fetchall()]


def test_migrate__tables_without_a_column_of_the_views__makes_no_view(own: str) -> None:
    migrate(own)
    views.drop(connections[own])
    older = MigrationLoader(connections[own]).project_state()
    older.remove_field("iwrouting", "outcome", "chunks_delivered")
    sender = apps.get_app_config("iwrouting")
    post_migrate.send(sender, app_config=sender, using=own, plan=[], apps=older.apps, verbosity=0, interactive=False)
    assert not relations(own) & set(VIEWS)
