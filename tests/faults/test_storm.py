"""Storms: random load and random faults, then nothing is missing, nothing double, nothing open (G1, G3).

A short one in `make test`, with a fixed seed; seed after seed in `make faults`, on both databases.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.run import MINUTES, SEED, STORMS
from tests.faults.storm.arena import a_database, work_folder
from tests.faults.storm.databases import Database
from tests.faults.storm.round import play
from tests.faults.storm.schedule import schedule
from tests.faults.storm.seen import Seen
from tests.faults.storm.telling import told
from tests.live.databases import IS_POSTGRESQL

pytestmark = pytest.mark.timeout(0)

SHORT_S = {"postgresql": 25.0, "sqlite": 12.0}
LONG_S = 90.0
SHARE = {"postgresql": 0.7, "sqlite": 0.3}
"""Of the minutes of `make faults`."""

KINDS = os.environ.get(STORMS, "postgresql" if IS_POSTGRESQL else "sqlite").split(",")


@pytest.mark.parametrize("kind", KINDS)
def test_storm__when_it_is_over__no_row_is_missing_and_none_is_double_and_none_open(kind: str) -> None:
    with work_folder() as work, a_database(kind, work) as database:
        found = list(storms(database, work, kind))
    print(told(found))
    assert [fault for seen in found for fault in seen.wrong] == []
    assert all(seen.calls and seen.database_faults for seen in found)


def storms(database: Database, work: Path, kind: str) -> Iterator[Seen]:
    """Seed after seed for as long as asked; one short one where nobody asks."""
    minutes = float(os.environ.get(MINUTES, "0")) * SHARE[kind]
    until = time.monotonic() + minutes * 60
    seed = int(os.environ.get(SEED, "1"))
    while True:
        seen = play(database, work, seed, LONG_S if minutes else SHORT_S[kind])
        if minutes:
            print(told([seen]), flush=True)
        yield seen
        seed += 1
        if time.monotonic() >= until:
            return


@pytest.mark.parametrize("name", ["PostgreSQL", "SQLite"])
def test_schedule__is_the_same_for_the_same_seed_and_has_every_fault(name: str) -> None:
    assert schedule(3, name, 300) == schedule(3, name, 300)
    assert schedule(3, name, 300) != schedule(4, name, 300)
    lane = schedule(3, name, 300).database
    assert all(one.at_s + one.for_s <= other.at_s for one, other in pairwise(lane))
    wanted = 14 if name == "PostgreSQL" else 4
    assert len({event.kind.name for event in lane}) == wanted
