"""Calls of some months in the audit, numbered and hashed as a writer does it, and what can be said of all rows."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Model

from iwrouting.audit.keeping import retention
from iwrouting.audit.keeping.tables import MONTHLY, TABLES, first_of_month
from iwrouting.models import Decision
from iwrouting.reports.usage.rolling import settle
from tests.audit_tables import rows

FAR = date(2090, 3, 1)
"""A month that has no partition."""

DAYS = 400
"""For so long `planned` keeps rows."""


def month(ahead: int) -> date:
    """The first day of the month so many after this one."""
    return first_of_month(datetime.now(UTC).date(), ahead)


def calls(first: date, count: int, **values: Any) -> list[Decision]:
    """So many calls of a month: a decision, an attempt and an outcome each."""
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(hours=1)
    return [_call(begin + timedelta(seconds=number), values) for number in range(count)]


def _call(at: datetime, values: dict[str, Any]) -> Decision:
    of = rows.decision(at, chain_hash=_hash(at, "decision"), **values)
    rows.attempt(of, 1, 0, chain_hash=_hash(at, "attempt"))
    rows.outcome(of, "ok", chain_hash=_hash(at, "outcome"))
    return of


def _hash(at: datetime, what: str) -> str:
    return hashlib.sha256(f"{at} {what}".encode()).hexdigest()


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row of the three tables, whole."""
    models: dict[str, type[Model]] = dict(MONTHLY)
    return {table: list(model._default_manager.order_by("pk").values()) for table, model in models.items()}


def counts() -> dict[str, int]:
    """How many rows each of the three tables has."""
    return {table: model._default_manager.count() for table, model in MONTHLY.items()}


def each(count: int) -> dict[str, int]:
    """The same number for each of the three tables."""
    return dict.fromkeys(TABLES, count)


def run(sql: str, *parameters: str | int | date) -> list[tuple[Any, ...]]:
    """Execute a statement; its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def planned() -> retention.Plan:
    """What retention would remove now."""
    found = retention.plan(DAYS, datetime.now(UTC))
    assert found is not None
    return found


def remove() -> list[str]:
    """Have retention remove it; what it said."""
    said: list[str] = []
    retention.apply(planned(), said.append, settle)
    return said
