"""Every fault point of the code raises, delays and kills, and nothing is lost by it (faults.md P1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.storm.arena import Arena, a_database, arena, work_folder
from tests.faults.storm.judge import judge
from tests.faults.storm.load import Load
from tests.faults.storm.round import ended, settle
from tests.faults.storm.seen import Seen
from tests.faults.storm.walk import (
    commands,
    happened,
    old_rows,
    plan,
    points_of_workers,
    walk_commands,
    walk_workers,
)
from tests.live.databases import IS_POSTGRESQL

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def place() -> Iterator[Arena]:
    with (
        work_folder() as work,
        a_database("postgresql" if IS_POSTGRESQL else "sqlite", work) as database,
        arena(database, work, "points") as made,
    ):
        yield made


def test_every_point_of_a_worker__raising_and_delaying_and_killing__loses_nothing(place: Arena) -> None:
    told = place.folder / "told"
    told.mkdir()
    seen, load = Seen(1, place.database.name), Load(place, 1)
    place.kill()
    place.env["IW_FAULT_POINTS"] = plan(told, points_of_workers(), place.database.name)
    place.start()
    left = walk_workers(place, load, told)
    place.env["IW_FAULT_POINTS"] = ""
    place.kill()
    place.start()
    settle(place, seen)
    load.stop()
    seen.calls = load.calls
    assert left == set()
    assert [*seen.wrong, *ended(place), *judge(place, seen)] == []


def test_every_point_of_a_command__raising_and_delaying_and_killing__leaves_it_to_the_next_run(place: Arena) -> None:
    told = place.folder / "told by commands"
    told.mkdir()
    left = walk_commands(place, told)
    assert left == set(), happened(told)
    with commands(place, IW_AUDIT_RETENTION_DAYS="60") as run:
        for arguments in (("partitions", "drain", "--yes"), ("maintain", "--yes")):
            assert run(*arguments) == 0, (place.folder / "commands.log").read_text()
    assert old_rows(place) == []
    with pytest.raises(Exception, match="insert-only"):
        place.database.query("DELETE FROM iwrouting_decision")
    verified = place.manage("audit_verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
