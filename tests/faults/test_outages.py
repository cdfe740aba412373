"""Each fault of the database and of processes, one at a time (faults.md 4, D and P rows), on a server of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.page import check
from tests.faults.storm.arena import Arena, a_database, arena, work_folder
from tests.faults.storm.elsewhere import GAP, PROOFS, WANTED, driven_table, is_there, proofs_table
from tests.faults.storm.outage import Result, Row, drive
from tests.faults.storm.rows import POSTGRESQL, SQLITE
from tests.faults.storm.weather import out_of_space
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
    if row.fault is out_of_space and place.database.disk is None:
        pytest.skip("no small file system may be mounted here")
    driven[row] = found = drive(place, row)
    assert found == Result(row.caller, row.budget, row.audit, ())


def test_page__says_what_was_seen(driven: dict[Row, Result]) -> None:
    if set(driven) != set(ROWS):
        pytest.skip("not every row was driven in this run")
    check("outages on postgresql" if IS_POSTGRESQL else "outages on sqlite", driven_table(list(driven.items())))


def test_page__names_the_tests_of_all_other_rows() -> None:
    check("other rows", proofs_table())
    assert [proof.id for proof in PROOFS if proof.test != GAP and not is_there(proof)] == []
    assert {each.id for each in (*PROOFS, *POSTGRESQL, *SQLITE)} == WANTED
