"""Whatever comes in whatever order: the views are the raw rows at every moment, and the cells are after a roll."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import given

from iwrouting.models.usage import QUARTER
from iwrouting.reports.usage.rebuilding import Range, mark
from iwrouting.reports.usage.rolling import roll
from tests.audit_tables.checks import run
from tests.audit_tables.databases import IS_POSTGRESQL
from tests.harness.samples import sample
from tests.rollup.story import Audit, steps
from tests.rollup.sums import USAGE, assert_rolled, assert_views, by_local_day, of_cells, of_raw

ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")]


@pytest.mark.django_db
@given(taken=steps)
@sample(4 if IS_POSTGRESQL else 15, deadline=None)
def test_views_and_cells__any_story__are_the_raw_rows_to_the_last_digit(taken: list[tuple[Any, ...]]) -> None:
    with transaction.atomic():
        if IS_POSTGRESQL:
            run("SET LOCAL jit = off")
        tell(taken)
        transaction.set_rollback(True)


def tell(taken: list[tuple[Any, ...]]) -> None:
    audit = Audit()
    for kind, *values in taken:
        if kind == "roll":
            roll(lambda _line: None)
        elif kind == "rebuild":
            audit.arrive()
            mark(Range.around(values[0] - timedelta(hours=2), values[0]))
        else:
            audit.do(kind, *values)
        assert_views()
    audit.arrive()
    assert_views()
    roll(lambda _line: None)
    assert_rolled()
    assert_views()
    for zone in ZONES:
        assert by_local_day(of_cells(USAGE, QUARTER), zone) == by_local_day(of_raw(USAGE, QUARTER), zone)
