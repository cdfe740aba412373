"""PostgreSQL's own ways around a trigger are refused too."""

# ruff: noqa: S608 - the names of tables are our own
from __future__ import annotations

import pytest
from django.db import models

from tests.audit_tables.checks import AT, AUDIT, PARTITIONED, contents, refused, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]


@pytest.mark.parametrize("model", AUDIT)
def test_truncate__refused(model: type[models.Model]) -> None:
    table = model._meta.db_table
    for sql in (f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE", f"TRUNCATE auth_group_permissions, {table}"):
        with refused(f"TRUNCATE of {table}"):
            run(sql)


@pytest.mark.parametrize("model", PARTITIONED)
def test_partition__guarded_like_its_parent(model: type[models.Model]) -> None:
    table = model._meta.db_table
    this_month = f"{table}_y{AT:%Ym%m}"
    assert run(f"SELECT 1 FROM {this_month}") == 1
    for partition in (this_month, f"{table}_default"):
        with refused(f"TRUNCATE of {partition}"):
            run(f"TRUNCATE {partition}")
    with refused(f"UPDATE of {table}"):
        run(f"UPDATE {this_month} SET writer_id = 'x'")
    with refused(f"UPDATE of {table}"):
        run(f"UPDATE {table} SET decision_at = decision_at - interval '50 years'")
    with refused(f"DELETE of {table}"):
        run(f"DELETE FROM ONLY {this_month}")


@pytest.mark.parametrize("model", PARTITIONED)
def test_on_conflict__inserts_once_and_updates_never(model: type[models.Model]) -> None:
    table = model._meta.db_table
    again = f"INSERT INTO {table} SELECT * FROM {table}"
    before = contents()
    assert run(f"{again} ON CONFLICT DO NOTHING") == 0
    assert run(f"{again} ON CONFLICT (id, decision_at) DO NOTHING") == 0
    assert contents() == before
    with refused(f"UPDATE of {table}"):
        run(f"{again} ON CONFLICT (id, decision_at) DO UPDATE SET writer_id = 'x'")
