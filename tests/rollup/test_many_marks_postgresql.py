"""After an upgrade every quarter is marked: the work of the views grows with rows and marks, not with their product."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from iwrouting.models import Decision, Outcome, UsageMark
from tests.audit_tables import rows
from tests.audit_tables.checks import run

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
COUNT = 1_000


@pytest.fixture
def marked() -> None:
    """A call in each of many quarters of an hour, none of them rolled up."""
    made = [Decision(**rows.decision_values(BEGIN + number * timedelta(minutes=15))) for number in range(COUNT)]
    Decision.objects.bulk_create(made)
    Outcome.objects.bulk_create(Outcome(**rows.outcome_values(of, result="ok", calls=1)) for of in made)
    assert UsageMark.objects.count() == COUNT
    run("ANALYZE iwrouting_usagemark, iwrouting_decision, iwrouting_outcome")
    run("SET LOCAL jit = off")


@pytest.mark.parametrize("view", ["rpt_usage_hourly_v1", "rpt_usage_daily_v1"])
def test_view__every_quarter_is_marked__joins_rows_and_marks_without_trying_all_pairs(marked: None, view: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT sum(calls) FROM {view}")  # noqa: S608 - a name of ours
        plan = cursor.fetchone()[0][0]["Plan"]
    tried = sum(node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"] for node in nodes(plan))
    assert tried < 20 * COUNT


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)
