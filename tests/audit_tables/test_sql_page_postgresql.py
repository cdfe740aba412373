"""The dictionary of docs/sql.md says what PostgreSQL's own comments and types say."""

from __future__ import annotations

import pytest
from django.db import connection

from iwrouting.reports import VIEWS
from tests.audit_tables.test_sql_page import SECTIONS, dictionary

pytestmark = pytest.mark.django_db

TYPES = {
    "text": "text",
    "integer": "integer",
    "boolean / 0, 1": "boolean",
    "timestamptz / text": "timestamp with time zone",
    "numeric / real": "numeric",
    "uuid / text": "uuid",
    "date / text": "date",
}


def test_dictionary__types_and_meanings__are_those_of_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, attname, format_type(atttypid, NULL), col_description(attrelid, attnum) "
            "FROM pg_attribute WHERE attrelid = ANY(%s::regclass[]) ORDER BY attnum",
            [list(VIEWS)],
        )
        found = cursor.fetchall()
    plain = {"character varying": "text", "bigint": "integer"}
    in_database = {(view, name): (plain.get(kind, kind), meaning) for view, name, kind, meaning in found}
    on_page = {
        (view, name): (TYPES[kind], meaning) for view, rows in dictionary().items() for name, kind, meaning in rows
    }
    assert on_page == in_database


def test_dictionary__views__are_described_as_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, obj_description(oid) FROM pg_class WHERE relkind = 'v' AND relname LIKE 'rpt%'")
        assert dict(cursor.fetchall()) == {view: about for view, about, _ in SECTIONS}
