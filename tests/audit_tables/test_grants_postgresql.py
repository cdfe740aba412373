"""What analysts were granted on the views outlives the migrations that make them anew."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections

from iwrouting.reports import REPORTS, views


def execute(database: str, sql: str) -> list[tuple[object, ...]]:
    with connections[database].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def reader(own: str) -> Iterator[str]:
    """A role that may read one view."""
    call_command("migrate", database=own, verbosity=0)
    role = f"iw reader {secrets.token_hex(4)}"
    execute(own, f'CREATE ROLE "{role}"; GRANT SELECT ON rpt_usage_daily_v1 TO "{role}"')
    yield role
    execute(own, f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')


def readable(database: str, role: str) -> list[str]:
    allowed = f"has_table_privilege('{role}', relname::text, 'SELECT')"
    found = execute(database, f"SELECT relname FROM pg_class WHERE relkind = 'v' AND relname LIKE 'rpt%' AND {allowed}")  # noqa: S608
    return [str(name) for (name,) in found]


def test_grant__migrate_with_and_without_changes__stays(own: str, reader: str) -> None:
    call_command("migrate", database=own, verbosity=0)
    assert readable(own, reader) == ["rpt_usage_daily_v1"]
    call_command("migrate", "iwrouting", "0002", database=own, verbosity=0)
    call_command("migrate", database=own, verbosity=0)
    assert readable(own, reader) == ["rpt_usage_daily_v1"]


def test_drop__gives_the_grants_back_as_statements(own: str, reader: str) -> None:
    assert views.drop(connections[own]) == [f'GRANT SELECT ON rpt_usage_daily_v1 TO "{reader}"']
    views.create(connections[own])
    assert readable(own, reader) == []
    assert len(REPORTS) == len(execute(own, "SELECT 1 FROM pg_class WHERE relkind = 'v' AND relname LIKE 'rpt%'"))
