"""SQLite's own ways around a trigger are refused too."""

# ruff: noqa: S608 - the names of tables are our own
from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, models

from iwrouting.models import Decision
from iwrouting.reports import guards
from tests.audit_tables.checks import AUDIT, refused, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]


@pytest.fixture
def no_recursive_triggers() -> Iterator[None]:
    """As on a connection that sets no pragma: REPLACE then fires no DELETE trigger."""
    run("PRAGMA recursive_triggers = OFF")
    yield
    run("PRAGMA recursive_triggers = ON")


@pytest.mark.parametrize("model", AUDIT)
@pytest.mark.usefixtures("no_recursive_triggers")
def test_replace_by_id_and_rowid__refused(model: type[models.Model]) -> None:
    table = model._meta.db_table
    columns = [f'"{field.column}"' for field in model._meta.local_fields]
    over = f"INSERT over a row of {table}"
    with refused(over):
        run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    with refused(over):
        run(f"REPLACE INTO {table} SELECT * FROM {table}")
    with refused(over):
        run(f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT (id) DO UPDATE SET id = 'x'")
    fresh = ", ".join(["'fresh'", *columns[1:]])
    with refused(over):
        run(f"INSERT OR REPLACE INTO {table} (rowid, {', '.join(columns)}) SELECT rowid, {fresh} FROM {table}")
    with refused(f"UPDATE of {table}"):
        run(f"UPDATE OR REPLACE {table} SET id = 'x'")


@pytest.mark.parametrize(("table", "key"), [("iwrouting_attempt", "seq"), ("iwrouting_outcome", "origin")])
@pytest.mark.usefixtures("no_recursive_triggers")
def test_replace_by_unique_key__refused(table: str, key: str) -> None:
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    other_id = ", ".join("'fresh'" if column == "id" else f'"{column}"' for column in columns)
    with refused(f"INSERT over a row of {table}"):
        run(f"INSERT OR REPLACE INTO {table} SELECT {other_id} FROM {table}")
    another = {"seq": "9", "origin": "'sweeper'"}
    other_key = ", ".join({"id": "'fresh'", key: another[key]}.get(column, f'"{column}"') for column in columns)
    assert run(f"INSERT OR REPLACE INTO {table} SELECT {other_key} FROM {table}") == 1


def test_rowid_that_would_bar_others__refused() -> None:
    columns = 'id, first_seen_at, "values"'
    with refused("INSERT with a rowid below 1 into iwrouting_environmentsnapshot"):
        run(f"INSERT INTO iwrouting_environmentsnapshot (rowid, {columns}) VALUES (-1, 'e2', '', '')")


def test_insert_where_not_exists__is_idempotent() -> None:
    again = (
        "INSERT INTO iwrouting_environmentsnapshot SELECT 'e2', '2026-11-01', '{}' "
        "WHERE NOT EXISTS (SELECT 1 FROM iwrouting_environmentsnapshot WHERE id = 'e2')"
    )
    assert [run(again), run(again)] == [1, 0]


def test_restore__makes_missing_triggers() -> None:
    run("DROP TRIGGER iwrouting_decision_no_update")
    guards.restore(connection)
    with refused("UPDATE of iwrouting_decision"):
        Decision.objects.update(writer_id="x")
