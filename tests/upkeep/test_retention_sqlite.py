"""Pruning in bounded transactions: each with its seal, the guards back at its end, whatever ends it."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from iwrouting.audit.keeping import pruning
from iwrouting.audit.keeping.tables import TABLES
from iwrouting.conf import points
from iwrouting.models import Attempt, Decision, Seal
from iwrouting.reports.usage.rolling import settle
from tests.audit_tables import rows
from tests.upkeep import story
from tests.upkeep.databases import killed_at
from tests.upkeep.story import planned, remove

OLD = story.month(-20)


@pytest.fixture(autouse=True)
def old(own: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Five calls of a month that is too old, two decisions a transaction; and one call of this month."""
    monkeypatch.setattr(pruning, "CHUNK", 2)
    story.calls(OLD, 5)
    story.calls(story.month(0), 1)
    return own


def assert_guarded() -> None:
    for table in TABLES:
        with pytest.raises(IntegrityError, match=f"DELETE of {table} refused"):
            story.run(f"DELETE FROM {table}")  # noqa: S608


def guards() -> list[tuple[str, ...]]:
    return story.run("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")


def test_plan__old_rows__tells_their_months() -> None:
    assert [(each.month, each.rows, each.bytes) for each in planned().months] == [(OLD, story.each(5), None)]


def test_remove__old_rows__go_by_chunks_with_a_seal_each_and_guards_as_before() -> None:
    before, gone = guards(), {row["writer_seq"] for rows in story.contents().values() for row in rows[:5]}
    assert len(remove()) == 3
    assert story.counts() == story.each(1)
    assert guards() == before
    assert_guarded()
    removed = [part for seal in Seal.objects.filter(kind="removal") for part in json.loads(seal.removed)]
    assert sum(part["rows"] for part in removed if "rows" in part) == 15
    runs = [run for part in removed for run in part.get("runs", ())]
    assert {number for first, last, _ in runs for number in range(first, last + 1)} == gone
    assert planned().is_empty


def test_remove__rows_without_their_decision__go_too() -> None:
    of = Decision(**rows.decision_values(datetime(OLD.year, OLD.month, 3, tzinfo=UTC)))
    for seq in (1, 2, 3):
        rows.attempt(of, seq, 0)
    remove()
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(
    ("point", "kept"),
    [("retention.before_detach", 6), ("retention.after_detach", 6), ("retention.after_drop", 4)],
)
def test_remove__killed_on_the_way__guards_stand_and_the_next_run_ends_it(point: str, kept: int) -> None:
    before = guards()
    killed_at(point, remove)
    assert guards() == before
    assert_guarded()
    assert story.counts() == story.each(kept)
    assert Seal.objects.count() == (kept < 6)
    remove()
    assert story.counts() == story.each(1)
    assert_guarded()


def test_remove__fault_within_the_transaction__guards_stand() -> None:
    points.arm(points.read_plan("retention.after_detach=raise"))
    with pytest.raises(points.FaultPoint):
        remove()
    assert story.counts() == story.each(6)
    assert_guarded()


def test_remove__a_guard_is_missing__changes_nothing_and_says_so() -> None:
    story.run("DROP TRIGGER iwrouting_outcome_no_delete")
    with pytest.raises(pruning.GuardMissing, match=r"iwrouting_outcome_no_delete is missing.*manage\.py migrate"):
        remove()
    assert story.counts() == story.each(6)


def test_remove__another_writes_between_two_transactions__is_let_in(old: str) -> None:
    turns = pruning.prune(planned().before, settle)
    next(turns)
    with sqlite3.connect(old, timeout=0) as other:
        other.execute("CREATE TABLE beside (id)")
    assert len(list(turns)) == 2
    assert pruning.free_bytes() >= 0
