"""What both databases do with rows: once by id, and those that a constraint keeps out told of."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.audit import ATTEMPT, DECISION, OUTCOME, Row, Rows, Settle, new_id
from iwrouting.audit.rows import QUARANTINE
from iwrouting.audit.writing.heartbeat import Facts, Heart, Mode, State
from iwrouting.audit.writing.numbers import Numbers
from iwrouting.audit.writing.storing import RowsRefused, Store, StoreDown
from iwrouting.models import Writer
from tests.audit.memory import KEY, attempt, decision, outcome
from tests.audit.real import BOUND_S, busy, stored, with_store
from tests.live.databases import ALIAS, statement


def numbered(*rows: tuple[str, Row]) -> tuple[Numbers, Rows]:
    numbers = Numbers(new_id(), KEY)
    numbers.give(rows)
    return numbers, rows


def found(table: str, numbers: Numbers) -> list[int]:
    return [row["writer_seq"] for row in stored(table, writer_id=numbers.writer_id)]


def test_rows_again__change_nothing_and_nobody_is_told(database: str) -> None:
    made = decision()
    numbers, rows = numbered(made, attempt(made), outcome(made))

    async def work(store: Store) -> None:
        await store.insert(rows, BOUND_S)
        await store.insert(rows, BOUND_S)
        await store.insert([*rows, rows[0]], BOUND_S)
        await store.book([Settle(("a", "r"), made[1]["id"], 0)], (), lambda _: rows, BOUND_S)
        assert store.duplicates == 0

    with_store(database, work)
    assert [found(table, numbers) for table in (DECISION, ATTEMPT, OUTCOME, QUARANTINE)] == [[1], [2], [3], []]


@pytest.mark.parametrize("booked", [False, True])
def test_row_that_a_constraint_keeps_out__is_quarantined_beside_its_stored_neighbours(
    database: str, booked: bool
) -> None:
    made = decision()
    first, before = numbered(made, outcome(made))
    rest = [outcome(made, result="error"), decision(), attempt(made), attempt(made)]
    numbers, rows = numbered(*rest)

    async def work(store: Store) -> None:
        await store.insert(before, BOUND_S)
        if booked:
            await store.book([Settle(("a", "r"), made[1]["id"], 0)], (), lambda _: rows, BOUND_S)
        else:
            await store.insert(rows, BOUND_S)
        assert store.duplicates == 2

    with_store(database, work)
    assert (found(OUTCOME, first), found(OUTCOME, numbers)) == ([2], [])
    assert (found(DECISION, numbers), found(ATTEMPT, numbers)) == ([2], [3])
    told = stored(QUARANTINE, writer_id=numbers.writer_id)
    assert [(row["reason"], row["writer_seq"], row["table_name"]) for row in told] == [
        ("duplicate", 1, OUTCOME),
        ("duplicate", 4, ATTEMPT),
    ]
    assert [row["chain_hash"] for row in told] == [rows[0][1]["chain_hash"], rows[3][1]["chain_hash"]]


def test_same_id_under_another_number__is_quarantined(database: str) -> None:
    made = decision()
    first, rows = numbered(made)
    copy = (DECISION, {**made[1], "writer_id": "", "writer_seq": None, "chain_hash": ""})
    second, others = numbered(copy)

    async def work(store: Store) -> None:
        await store.insert(rows, BOUND_S)
        await store.insert(others, BOUND_S)

    with_store(database, work)
    assert (found(DECISION, first), found(DECISION, second), found(QUARANTINE, second)) == ([1], [], [1])


@pytest.mark.parametrize("bad", [{"id": "no uuid"}, {"revision": None}, {"decision_at": None}])
def test_bad_row__is_refused_with_its_reason_and_no_value(database: str, bad: dict[str, Any]) -> None:
    async def work(store: Store) -> None:
        good, poisoned = decision(), decision()
        poisoned[1].update(bad)
        _, rows = numbered(good, poisoned)
        with pytest.raises(RowsRefused) as error:
            await store.insert(rows, BOUND_S)
        assert good[1]["id"] not in str(error.value)
        await store.insert([good], BOUND_S)

    with_store(database, work)


def test_later_release__with_more_columns_lets_an_older_one_write(database: str) -> None:
    """A rolling deploy: the migration that adds columns has run, and processes of the release before go on (P7)."""
    tables = (DECISION, ATTEMPT, OUTCOME, QUARANTINE, Writer._meta.db_table)
    for table in tables:
        statement(f"ALTER TABLE {table} ADD COLUMN added_later varchar(9) NOT NULL DEFAULT 'x'")
    made = decision()
    numbers, rows = numbered(made, attempt(made), outcome(made), outcome(made))

    async def work(store: Store) -> None:
        await store.insert(rows[:3], BOUND_S)
        await store.insert(rows, BOUND_S)
        assert store.duplicates == 1
        heart = Heart(numbers, State(), every_s=1, facts=Facts)
        await store.beat(heart.row(queued=0, journal_bytes=0), BOUND_S)

    try:
        with_store(database, work)
        assert [row["added_later"] for table in tables[:3] for row in stored(table, writer_id=numbers.writer_id)] == [
            "x"
        ] * 3
    finally:
        for table in tables:
            statement(f"ALTER TABLE {table} DROP COLUMN added_later")


def test_heartbeat__makes_one_row_and_keeps_it_up_to_date(database: str) -> None:
    numbers, _ = numbered(decision(), decision())
    state = State(mode=Mode.JOURNAL, journaled_rows=7, quarantined_rows=1)
    heart = Heart(numbers, state, every_s=1, facts=lambda: Facts(41, "no\0thing\ud800"))
    heart.journal_id = "folder"

    async def beat(store: Store) -> None:
        await store.beat(heart.row(queued=3, journal_bytes=99), BOUND_S)

    async def end(store: Store) -> None:
        await store.beat(heart.row(queued=0, journal_bytes=0, ended=True), BOUND_S)

    with_store(database, beat)
    first = Writer.objects.using(ALIAS).get(id=numbers.writer_id)
    assert (first.mode, first.queued, first.journal_bytes, first.journaled_rows) == ("journal", 3, 99, 7)
    assert (first.revision, first.snapshot_fault, first.journal_id) == (41, "nothing?", "folder")
    assert (first.key_id, first.ended_at, first.started_at) == (KEY.id, None, first.heartbeat_at)
    state.mode = Mode.DATABASE
    numbers.stored()
    state.committed()
    with_store(database, end)
    last = Writer.objects.using(ALIAS).get(id=numbers.writer_id)
    assert (last.mode, last.queued, last.last_seq, last.chain_hash) == ("database", 0, 2, numbers.head)
    assert last.started_at == first.started_at < last.heartbeat_at == last.ended_at
    assert last.last_commit_at == state.last_commit_at


def test_busy_database__is_given_up_in_time_and_used_again_afterwards(database: str) -> None:
    numbers, rows = numbered(decision())

    async def work(store: Store) -> None:
        with busy(database):
            for _ in range(3):
                with pytest.raises(StoreDown):
                    await store.insert(rows, 0.2)
        await store.insert(rows, BOUND_S)

    with_store(database, work)
    assert found(DECISION, numbers) == [1]
    assert found(QUARANTINE, numbers) == []
