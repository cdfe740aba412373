"""Each fault of the database and of processes, one at a time (faults.md 4, D and P rows), on a server of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.storm.arena import Arena, a_database, arena, work_folder
from tests.faults.storm.outage import Result, Row, drive
from tests.faults.storm.rows import POSTGRESQL, SQLITE
from tests.live.databases import IS_POSTGRESQL

pytestmark = pytest.mark.timeout(240)
"""The first test waits for the server and the service."""

ROWS = POSTGRESQL if IS_POSTGRESQL else SQLITE


@pytest.fixture(scope="module")
def place() -> Iterator[Arena]:
    with (
        work_folder() as work,
        a_database("postgresql" if IS_POSTGRESQL else "sqlite", work) as database,
        arena(database, work, "outages") as made,
    ):
        yield made


@pytest.fixture(scope="module")
def driven() -> dict[Row, Result]:
    """What came of each row that was driven."""
    return {}


def label(row: Row) -> str:
    return f"{row.id}-{row.title}".replace(" ", "_").replace(",", "")


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_outage__of_this_kind__loses_nothing(place: Arena, driven: dict[Row, Result], row: Row) -> None:
    driven[row] = found = drive(place, row)
    assert found == Result(row.caller, row.budget, row.audit, ())
