"""Rows go to the partition of their month (UTC), far-off ones to the default partition."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, models, transaction

from iwrouting.models import Decision
from tests.audit_tables import rows
from tests.audit_tables.checks import PARTITIONED, refused

pytestmark = pytest.mark.django_db
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def value(sql: str, *params: str | UUID) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        (found,) = cursor.fetchone() or (None,)
        return found


def month(ahead: int) -> datetime:
    """The first moment of the month so many after this one."""
    now = datetime.now(UTC)
    years, months = divmod(now.month - 1 + ahead, 12)
    return datetime(now.year + years, months + 1, 1, tzinfo=UTC)


def place_of(row: models.Model) -> object:
    return value(f"SELECT tableoid::regclass::text FROM {row._meta.db_table} WHERE id = %s", row.pk)  # noqa: S608


@pytest.mark.parametrize(
    ("at", "partition"),
    [
        (month(0), f"y{month(0):%Ym%m}"),
        (month(1) - timedelta(microseconds=1), f"y{month(0):%Ym%m}"),
        (month(1), f"y{month(1):%Ym%m}"),
        (month(13) - timedelta(microseconds=1), f"y{month(12):%Ym%m}"),
        (month(13), "default"),
        (month(0) - timedelta(microseconds=1), "default"),
    ],
)
def test_row__month__chooses_its_partition(at: datetime, partition: str) -> None:
    of = rows.decision(at)
    stored = [of, rows.attempt(of, 1, 0), rows.outcome(of, "ok")]
    assert [place_of(row) for row in stored] == [f"{row._meta.db_table}_{partition}" for row in stored]
    assert Decision.objects.get(id=of.id).decision_at == at


def test_writer__json_recordset__stores_what_django_reads_back() -> None:
    row = Decision(**rows.decision_values(datetime.now(UTC), warnings='["shutdown"]', is_stream=True))
    full = {field.attname: getattr(row, field.attname) for field in Decision._meta.local_fields}
    insert = "INSERT INTO iwrouting_decision SELECT * FROM json_populate_recordset(NULL::iwrouting_decision, %s::json)"
    with connection.cursor() as cursor:
        for expected in (1, 0):
            cursor.execute(f"{insert} ON CONFLICT DO NOTHING", [json.dumps([full], default=str)])
            assert cursor.rowcount == expected
    assert Decision.objects.values().get() == full


@pytest.mark.parametrize("model", PARTITIONED)
def test_make_partition__further_month__made_once_and_guarded(model: type[models.Model]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Pacific/Auckland'; SET LOCAL DateStyle = 'German'")
    made = [str(value("SELECT iw_audit_make_partition(%s, '2090-02-28'::date)", table)) for _ in range(2)]
    assert made == [f"{table}_y2090m02"] * 2
    bounds = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'UTC'; SET LOCAL DateStyle = 'ISO'")
    assert value(bounds, made[0]) == "FOR VALUES FROM ('2090-02-01 00:00:00+00') TO ('2090-03-01 00:00:00+00')"
    with refused(f"TRUNCATE of {made[0]}"), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {made[0]}")


def test_make_partition__default_holds_rows_of_the_month__fails() -> None:
    rows.decision(EPOCH)
    with pytest.raises(IntegrityError, match="iwrouting_decision_default"), transaction.atomic():
        value("SELECT iw_audit_make_partition('iwrouting_decision', '1970-01-01'::date)")


@pytest.mark.parametrize("model", PARTITIONED)
def test_key__is_id_and_time__while_django_sees_the_id(model: type[models.Model]) -> None:
    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'"
    assert value(key, model._meta.db_table) == "PRIMARY KEY (id, decision_at)"
    assert model._meta.pk.name == "id"


def test_view__window_of_time__reads_one_partition_of_decisions() -> None:
    window = "created_at >= %s AND created_at < %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN SELECT * FROM rpt_decisions_v1 WHERE {window}",  # noqa: S608 - fixed above
            [month(1), month(1) + timedelta(days=1)],
        )
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert f"iwrouting_decision_y{month(1):%Ym%m}" in plan
    assert f"iwrouting_decision_y{month(2):%Ym%m}" not in plan
    assert "iwrouting_decision_default" not in plan
