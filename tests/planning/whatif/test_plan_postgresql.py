"""The work of a what-if grows with the rows of a slice of time, not with their square."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from iwrouting.models import Decision, Outcome
from iwrouting.models.patience import cursor_for
from iwrouting.planning.whatif.groups import HINTS, Reader
from iwrouting.planning.whatif.splits import Splits
from tests.audit_tables import rows
from tests.audit_tables.checks import run
from tests.planning.whatif.test_cases import END, START

pytestmark = pytest.mark.django_db
COUNT = 1_440
SPLITS = Splits(input=(), whole=(), output=(), keys=(), tools=False, images=False, names=None)


@pytest.fixture
def calls() -> None:
    """A call a minute, for a day. Both a time and an id tell when: a planner takes that for two conditions."""
    made = [Decision(**rows.decision_values(START + number * timedelta(minutes=1))) for number in range(COUNT)]
    Decision.objects.bulk_create(made)
    Outcome.objects.bulk_create(Outcome(**rows.outcome_values(of, result="ok", calls=1)) for of in made)
    run("ANALYZE iwrouting_decision, iwrouting_outcome")


def test_slice__time_and_id_tell_the_same__decisions_and_outcomes_are_joined_without_trying_all_pairs(
    calls: None,
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    reader = Reader(SPLITS, START, END, lambda _told: None)
    with connection.execute_wrapper(note):
        reader.read(START, END)
    assert reader.decisions == COUNT
    statements = [(sql, params) for sql, params in asked if "GROUP BY" in sql]
    assert statements
    with cursor_for(None, HINTS) as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0][0]["Plan"]
            tried = sum(node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"] for node in nodes(plan))
            assert tried < COUNT


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)
