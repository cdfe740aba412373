"""The dictionary says what PostgreSQL's own comments and types say."""

from __future__ import annotations

import pytest
from django.db import connection

from iwrouting.reports import REPORTS
from iwrouting.reports.dictionary import dictionary

pytestmark = pytest.mark.django_db

PLAIN = {"character varying": "text", "bigint": "integer", "timestamp with time zone": "timestamptz"}


def test_dictionary__types_and_meanings__are_those_of_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, attname, format_type(atttypid, NULL), col_description(attrelid, attnum) "
            "FROM pg_attribute WHERE attrelid = ANY(%s::regclass[]) ORDER BY attnum",
            [list(REPORTS)],
        )
        found = {(view, name): (PLAIN.get(kind, kind), meaning) for view, name, kind, meaning in cursor.fetchall()}
    assert {
        (view.name, each.name): (each.type, each.meaning) for view in dictionary() for each in view.columns
    } == found


def test_dictionary__views__are_described_as_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, obj_description(oid) FROM pg_class WHERE relkind = 'v' AND relname LIKE 'rpt%'")
        assert dict(cursor.fetchall()) == {view.name: view.meaning for view in dictionary()}
