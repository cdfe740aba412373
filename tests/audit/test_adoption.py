"""Journals of dead processes go to the database that they were written for, and to no other."""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from iwrouting.audit import Place
from iwrouting.audit.journal.journal import Journal
from iwrouting.audit.journal.segments import Segment
from iwrouting.audit.sweeping.adoption import Left, adopt
from iwrouting.audit.writing.stores import database_name
from iwrouting.models import Writer

pytestmark = pytest.mark.django_db
DEAD = "0190d5e2-7b3c-7cc0-8f5e-0123456789ab"
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were replayed, which takes them away."""
    found: list[str] = []

    async def replay(segment: Segment, _store: Any) -> int:
        found.append(segment.path.name)
        segment.close(remove=True)
        return 1

    monkeypatch.setattr("iwrouting.audit.sweeping.adoption._replay", replay)
    return found


def left_behind(folder: Path, database: str) -> str:
    """A journal with a record, of a process that is gone; its file's name."""
    journal = Journal(Place(folder, 10_000, database), DEAD)
    journal.append(b"rows")
    journal.close()
    return f"{DEAD}.1.journal"


def sweep(folder: Path, database: str) -> Left:
    return adopt(folder, "folder", "own", lambda: cast(Any, None), database=database)


def test_journal_of_another_database__is_left_alone_and_named(tmp_path: Path, replayed: list[str]) -> None:
    name = left_behind(tmp_path, "theirs")
    left = sweep(tmp_path, "ours")
    assert (replayed, left.adopted, left.unreadable) == ([], set(), {DEAD})
    assert "IW_JOURNAL_ADOPT" in left.faults[DEAD]
    assert (tmp_path / name).exists()
    assert not Writer.objects.filter(id=DEAD).exists()


@pytest.mark.parametrize(("meant", "ours"), [("ours", "ours"), ("theirs", ""), ("", "ours")])
def test_journal_of_this_database_or_of_any__is_replayed(
    tmp_path: Path, replayed: list[str], meant: str, ours: str
) -> None:
    name = left_behind(tmp_path, meant)
    assert sweep(tmp_path, ours).adopted == {DEAD}
    assert replayed == [name]


def test_database_that_moved__knows_the_writer_and_replays(tmp_path: Path, replayed: list[str]) -> None:
    named = {"host": "h", "pid": 1, "key_id": "k", "mode": "journal", "app_version": "1"}
    Writer.objects.create(id=DEAD, started_at=AT, heartbeat_at=AT, **named)
    name = left_behind(tmp_path, "theirs")
    assert sweep(tmp_path, "ours").adopted == {DEAD}
    assert replayed == [name]


def test_journal_that_is_in_the_making__is_no_fault_and_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / f"{DEAD}.1.journal"
    with path.open("wb") as made:
        fcntl.flock(made, fcntl.LOCK_EX)
        assert sweep(tmp_path, "ours") == Left()
    assert path.exists()


def test_name_of_the_database__tells_no_address() -> None:
    name = database_name()
    assert (len(name), name.strip("0123456789abcdef")) == (16, "")
