"""What the tests of the guards say in common: one row in every table, and that it stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, models, transaction

from iwrouting.models import Attempt, Decision, EnvironmentSnapshot, Outcome
from tests.audit_tables import rows

AT = datetime.now(UTC).replace(microsecond=123000)
PARTITIONED: list[type[models.Model]] = [Decision, Attempt, Outcome]
AUDIT: list[type[models.Model]] = [*PARTITIONED, EnvironmentSnapshot]


def store_one_row_each() -> None:
    """One row in every table, of this month."""
    of = rows.decision(AT)
    rows.attempt(of, 1, 0)
    rows.outcome(of, "ok")
    rows.environment("e1", AT)


@contextmanager
def refused(message: str) -> Iterator[None]:
    """The block fails with this message, and leaves every row as it was."""
    before = contents()
    with pytest.raises(IntegrityError, match=f"audit rows are insert-only: {message} refused"), transaction.atomic():
        yield
    assert contents() == before


def contents() -> list[list[dict[str, object]]]:
    """Every row of the audit."""
    return [list(model._default_manager.values().order_by("pk")) for model in AUDIT]


def run(sql: str) -> int:
    """Execute a statement; gives the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.rowcount)
