"""What is missing: sealed by retention, still in a journal, from before there was a chain, or gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from iwrouting.audit import DECISION, LATE_USAGE
from iwrouting.audit.journal.segments import Segment
from iwrouting.audit.tamper import verifying
from iwrouting.audit.tamper.awaited import Surroundings
from iwrouting.audit.tamper.seals import MANUAL, Leaving, make_seal, removal_seal, seal_when_due
from iwrouting.audit.tamper.verifying import Scope
from iwrouting.models import Decision, Seal
from tests.tamper.chains import MODELS, Chain, call_rows, store
from tests.tamper.verified import NOWHERE, found, verify

Attack = Callable[..., int]
IS_SQLITE = connection.vendor == "sqlite"
LONG_AGO = datetime.now(UTC) - timedelta(days=2)


def remove(attack: Attack, condition: str, *parameters: object) -> None:
    """Remove rows as retention does: a seal, then the rows."""
    going = [Leaving(table, f"(SELECT * FROM {table} WHERE {condition})", parameters) for table in MODELS]  # noqa: S608
    removal_seal(going)
    for table in MODELS:
        attack(f"DELETE FROM {table} WHERE {condition}", *parameters)  # noqa: S608


@pytest.mark.parametrize(
    "condition", ["writer_seq < 5", "writer_seq BETWEEN 5 AND 8", "writer_seq > 8", "writer_seq > 0"]
)
def test_verify__rows_that_retention_removed__goes_on_across_the_hole(
    chain: Chain, attack: Attack, condition: str
) -> None:
    make_seal(MANUAL)
    remove(attack, condition)
    tally = verify()
    assert (found(tally), tally.unchecked) == ([], 0)


def test_verify__months_interleaved_in_a_chain__goes_on_across_each_hole(chain: Chain, attack: Attack) -> None:
    remove(attack, "writer_seq IN (1, 3, 4, 8, 9, 12)")
    tally = verify()
    assert (found(tally), tally.rows, tally.unchecked, tally.sealed_away) == ([], 6, 0, 6)


def test_verify__more_removed_than_was_sealed__names_the_rest(chain: Chain, attack: Attack) -> None:
    remove(attack, "writer_seq < 5")
    attack(f"DELETE FROM {DECISION} WHERE writer_seq = 5")  # noqa: S608
    assert found(verify()) == [("removed", 5, 5)]


def test_verify__a_removal_sealed_without_the_key__is_a_seal_that_was_put_in(chain: Chain, attack: Attack) -> None:
    seal = removal_seal([Leaving(table, table) for table in MODELS])
    for table in MODELS:
        attack(f"DELETE FROM {table}")  # noqa: S608
    attack("UPDATE iwrouting_seal SET hash = %s", "f" * 64)
    assert found(verify()) == [("seal", seal.number, seal.number)]


def test_verify__a_row_under_a_number_that_retention_removed__is_named(chain: Chain, attack: Attack) -> None:
    row = Decision.objects.filter(writer_seq=1).values().get()
    remove(attack, "writer_seq < 5")
    store([(DECISION, {**row, "id": str(row["id"])})])
    assert found(verify()) == [("inserted", 1, 1)]


def test_verify__missing_rows_in_the_journal__are_pending_until_it_is_drained(
    chain: Chain, attack: Attack, tmp_path: Path
) -> None:
    segment = Segment.create(tmp_path / f"{chain.id}.1.journal", writer_id=chain.id)
    attack("DELETE FROM iwrouting_attempt WHERE writer_seq = 6")
    attack("DELETE FROM iwrouting_outcome WHERE writer_seq = 12")
    around = Surroundings(tmp_path, "here", 45)
    assert found(verify(around=around)) == [("removed", 6, 6), ("tail", 12, 12)]
    segment.append(b"rows")
    tally = verify(around=around)
    assert (found(tally), [(each.first, each.last) for each in tally.pending]) == ([], [(6, 6), (12, 12)])
    assert "holds" in tally.pending[0].text
    segment.clear()
    assert len(verify(around=around).findings) == 2
    segment.close()


def test_verify__journal_replayed__finds_the_chain_whole(chain: Chain) -> None:
    waiting = [(table, chain.place(table, row)) for table, row in call_rows()]
    chain.tell(mode="journal", journal_bytes=4000)
    tally = verify()
    assert (found(tally), len(tally.pending)) == ([], 1)
    store(waiting)
    chain.tell()
    tally = verify()
    assert (found(tally), tally.pending, tally.rows) == ([], [], 16)


@pytest.mark.parametrize(
    ("told", "pending"),
    [
        ({"mode": "journal"}, True),
        ({"journal_bytes": 1}, True),
        ({"mode": "database"}, False),
        ({"heartbeat_at": LONG_AGO, "journal_id": "elsewhere"}, True),
        ({"heartbeat_at": LONG_AGO, "journal_id": "here"}, False),
        ({"heartbeat_at": LONG_AGO, "journal_id": "elsewhere", "journal_bytes": 1}, True),
        ({"heartbeat_at": LONG_AGO, "journal_id": "elsewhere", "swept_at": LONG_AGO}, False),
        ({"ended_at": LONG_AGO}, False),
    ],
)
def test_verify__missing_rows__are_pending_where_the_writer_may_still_have_them(
    db: None, attack: Attack, monkeypatch: pytest.MonkeyPatch, told: dict[str, object], pending: bool
) -> None:
    monkeypatch.setattr(verifying, "LOOK_S", 0.01)
    chain = Chain()
    chain.calls(2)
    chain.tell(**told)
    attack("DELETE FROM iwrouting_attempt WHERE writer_seq = 6")
    tally = verify()
    assert (len(tally.pending), len(tally.findings)) == ((1, 0) if pending else (0, 1))


def test_verify__a_killed_writer_that_told_no_more__finds_nothing(db: None) -> None:
    chain = Chain()
    chain.calls(1)
    chain.tell(heartbeat_at=LONG_AGO)
    for table, row in call_rows():
        chain.place(table, row)  # numbered, and lost with the process before anything was stored
    assert found(verify()) == []


def test_verify__rows_from_before_the_chain__are_counted_as_not_covered(db: None) -> None:
    old = [
        (table, {**row, "writer_id": "0" * 36, "writer_seq": number})
        for number, (table, row) in enumerate(call_rows(LONG_AGO), 1)
    ]
    store(old)
    tally = verify()
    assert (found(tally), tally.not_covered, tally.rows) == ([], 4, 0)
    make_seal(MANUAL)
    assert found(verify()) == []


def test_verify__a_hash_amid_rows_from_before_the_chain__is_named(db: None) -> None:
    for number, (table, row) in enumerate(call_rows(LONG_AGO), 1):
        store(
            [
                (
                    table,
                    {
                        **row,
                        "writer_id": "0" * 36,
                        "writer_seq": number,
                        "chain_hash": "f" * (64 if number == 3 else 0),
                    },
                )
            ]
        )
    assert found(verify()) == [("inserted", 3, 3)]


def test_verify__rows_without_a_hash_long_after_the_first_seal__are_named(chain: Chain, attack: Attack) -> None:
    make_seal(MANUAL)
    later = chain.now() + timedelta(days=2)
    for number, (table, row) in enumerate(call_rows(later), 1):
        store([(table, {**row, "writer_id": "0" * 36, "writer_seq": number})])
    tally = verify()
    assert found(tally) == [("inserted", number, number) for number in (1, 2, 3, 4)]
    assert "no hash" in tally.findings[0].text


def at(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)


@pytest.fixture
def days(db: None) -> Chain:
    """Two calls a day from the 1st to the 5th: numbers 1 to 40."""
    chain = Chain()
    for day in range(1, 6):
        chain.at = at(day)
        chain.calls(2)
    chain.tell(ended_at=chain.now())
    return chain


@pytest.mark.parametrize(
    ("since", "until", "rows"), [(None, 2, 8), (2, 3, 8), (2, None, 32), (5, None, 8), (6, None, 0), (None, 1, 0)]
)
def test_verify__a_range_of_time__takes_the_numbers_written_in_it(
    days: Chain, since: int | None, until: int | None, rows: int
) -> None:
    tally = verify(scope=Scope(since=since and at(since), until=until and at(until)))  # type: ignore[arg-type]
    assert (found(tally), tally.rows, tally.unchecked) == ([], rows, 0)


def test_verify__a_range__begins_before_usage_that_was_told_later(db: None) -> None:
    chain = Chain(at=at(6))
    chain.calls(2)
    decision, *_, outcome = call_rows(at(1))
    decision[1]["endpoint"] = LATE_USAGE
    store([(table, chain.place(table, row)) for table, row in (decision, outcome)])
    chain.calls(2)
    chain.tell(ended_at=chain.now())
    assert verify(scope=Scope(since=at(6))).rows == 18


def test_verify__a_range__finds_what_is_in_it_alone(days: Chain, attack: Attack) -> None:
    attack("UPDATE iwrouting_outcome SET status = 500 WHERE writer_seq IN (4, 20)")
    attack("DELETE FROM iwrouting_outcome WHERE writer_seq = 40")
    assert found(verify(scope=Scope(since=at(2), until=at(4)))) == [("edited", 20, 20)]
    assert found(verify(scope=Scope(until=at(2)))) == [("edited", 4, 4)]
    assert found(verify(scope=Scope(since=at(5)))) == [("tail", 40, 40)]
    assert found(verify(scope=Scope(since=at(6)))) == [("tail", 40, 40)]


def test_verify__a_range_behind_what_retention_removed__begins_with_the_sealed_hash(
    days: Chain, attack: Attack
) -> None:
    remove(attack, "decision_at < %s", at(3) if not IS_SQLITE else str(at(3).replace(tzinfo=None)))
    tally = verify(scope=Scope(since=at(3)))
    assert (found(tally), tally.rows, tally.unchecked) == ([], 24, 0)


def test_verify__one_writer__leaves_the_others(chain: Chain, days: Chain, attack: Attack) -> None:
    attack("UPDATE iwrouting_outcome SET status = 500 WHERE writer_seq = 4")
    tally = verify(scope=Scope(writer=days.id))
    assert [(each.writer, each.first) for each in tally.findings] == [(days.id, 4)]


def test_verify__with_a_folder_that_is_not_there__has_nothing_pending(chain: Chain, attack: Attack) -> None:
    attack("DELETE FROM iwrouting_outcome WHERE writer_seq = 4")
    assert verify(around=replace(NOWHERE, folder=Path("/nowhere/at/all"))).pending == []


def test_seal_when_due__young_writer__waits(db: None) -> None:
    chain = Chain()
    chain.calls(1)
    assert seal_when_due() == {"seals": 0}
    chain.tell()
    assert seal_when_due() == {"seals": 0}
    chain.tell(started_at=LONG_AGO)
    assert [seal_when_due(), seal_when_due()] == [{"seals": 1}, {"seals": 0}]


def test_seal_when_due__an_hour_after_the_last__makes_the_next(chain: Chain, attack: Attack) -> None:
    make_seal(MANUAL)
    removal_seal([Leaving(DECISION, DECISION)])
    assert seal_when_due() == {"seals": 0}
    attack("UPDATE iwrouting_seal SET at = %s WHERE kind = 'manual'", "2026-11-01 00:00:00")
    assert seal_when_due() == {"seals": 1}
    assert Seal.objects.count() == 3
