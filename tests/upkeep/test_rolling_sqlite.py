"""Marks on SQLite, whose triggers are made anew after each migrate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from iwrouting.models import UsageMark
from iwrouting.reports import guards
from iwrouting.reports.usage.rolling import roll
from tests.audit_tables import rows
from tests.rollup.sums import assert_rolled, assert_views
from tests.upkeep import story

pytestmark = pytest.mark.usefixtures("own")


def test_migrate__a_call_comes_before_its_triggers_are_there_again__counts(own: str) -> None:
    rows.outcome(rows.decision(datetime.now(UTC)), "ok", calls=1)
    roll(lambda _line: None)
    for table in guards.MARKED:
        story.run(f"DROP TRIGGER {table}_marked")
    rows.outcome(rows.decision(datetime.now(UTC)), "ok", calls=1)
    assert not UsageMark.objects.exists()
    guards.restore(connection)
    assert_views()
    roll(lambda _line: None)
    assert_rolled()
    guards.restore(connection)
    assert not UsageMark.objects.exists()
