"""Retention of whole months: detached with their seal, dropped, finished after a crash; writers never wait long."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from iwrouting.audit.keeping import patience, retention
from iwrouting.audit.keeping.patience import Busy
from iwrouting.audit.keeping.tables import TABLES
from iwrouting.conf import points
from iwrouting.models import Seal
from tests.upkeep import story
from tests.upkeep.databases import killed_at, link
from tests.upkeep.story import planned, remove
from tests.upkeep.writing import writing

pytestmark = pytest.mark.usefixtures("own")
OLD = story.month(-20)


def make_month(month: date) -> None:
    for table in TABLES:
        story.run("SELECT iw_audit_make_partition(%s, %s)", table, month)


@pytest.fixture
def old(own: str) -> str:
    """A month that is too old, with three calls, and one of this month."""
    make_month(OLD)
    story.calls(OLD, 3)
    story.calls(story.month(0), 1)
    return own


def relations() -> set[str]:
    return {
        str(name) for (name,) in story.run("SELECT relname FROM pg_class WHERE relname LIKE %s", f"%{OLD:_y%Ym%m}%")
    }


def test_plan__month_before_the_last_kept__tells_rows_and_bytes(old: str) -> None:
    found = planned()
    assert [(each.month, each.rows) for each in found.months] == [(OLD, story.each(3))]
    assert found.months[0].bytes
    assert retention.plan(0, datetime.now(UTC)) is None


def test_remove__old_month__leaves_the_rest_and_the_seal_says_what_went(old: str) -> None:
    rows = [row for rows in story.contents().values() for row in rows if row["decision_at"].year == OLD.year]
    gone = {row["writer_seq"]: row["chain_hash"] for row in rows}
    assert remove()[1:] == [f"removed {OLD:%Y-%m}; seal 1 stands for it"]
    assert story.counts() == story.each(1)
    assert relations() == set()
    removed = json.loads(Seal.objects.get(kind="removal").removed)
    assert {part["table"]: part["rows"] for part in removed if "table" in part} == story.each(3)
    (runs,) = [part["runs"] for part in removed if "runs" in part]
    assert {number for first, last, _ in runs for number in range(first, last + 1)} == set(gone)
    assert [chain_hash for _, _, chain_hash in runs] == [gone[last] for _, last, _ in runs]
    assert planned().is_empty


@pytest.mark.parametrize(
    ("point", "kept"),
    [("retention.before_detach", 4), ("retention.after_detach", 1), ("retention.after_drop", 1)],
)
def test_remove__killed_on_the_way__is_finished_the_next_time(old: str, point: str, kept: int) -> None:
    killed_at(point, remove)
    assert story.counts() == story.each(kept)
    assert Seal.objects.count() == (0 if kept == 4 else 1)
    remove()
    assert story.counts() == story.each(1)
    assert Seal.objects.count() == 1
    assert relations() == set()


def test_remove__fault_before_the_commit__changes_nothing(old: str) -> None:
    points.arm(points.read_plan("retention.before_detach=raise"))
    with pytest.raises(points.FaultPoint):
        remove()
    assert story.counts() == story.each(4)
    assert not Seal.objects.exists()


def test_remove__a_reader_does_not_end__gives_up_and_writers_wait_no_longer_than_the_bound(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "TRIES", 4)
    with link(old, autocommit=False) as reader, writing(old) as writer:
        reader.execute(b"SELECT count(*) FROM iwrouting_decision")
        writer.wait_for(5)
        with pytest.raises(Busy, match="the tables are in use"):
            remove()
        writer.wait_for(5)
    assert max(writer.waits) < 3 * patience.LOCK_MS / 1000
    assert story.counts() == {**story.each(4), "iwrouting_outcome": 4 + len(writer.waits)}
    remove()
    assert story.counts() == {**story.each(1), "iwrouting_outcome": 1 + len(writer.waits)}


def test_remove__rows_keep_coming__none_is_lost(old: str) -> None:
    with writing(old) as writer:
        writer.wait_for(5)
        remove()
        writer.wait_for(5)
    assert story.counts() == {**story.each(1), "iwrouting_outcome": 1 + len(writer.waits)}
