"""Where rows go while the database, the journal or both take nothing: nothing is lost, nothing stored twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iwrouting.audit import DECISION, OUTCOME, Mode, Reserve, Row, Rows, Settle, Verdict, Writer
from iwrouting.audit.journal.journal import left_segments
from iwrouting.audit.journal.replay import replay_left
from iwrouting.audit.journal.segments import Segment
from iwrouting.audit.rows import NUMBERED
from iwrouting.audit.writing.storing import StoreDown
from iwrouting.conf import points
from iwrouting.errors import AuditUnavailable
from tests.audit.memory import MemoryStore, chain_faults, decision, outcome, run, until


@pytest.fixture(autouse=True)
def no_points() -> Iterator[None]:
    yield
    points.arm({})


def aliases(store: MemoryStore) -> list[str]:
    return [row["alias"] for row in store.of(DECISION)]


def block(folder: Path) -> None:
    """Let a folder take nothing more: a file stands in its place."""
    folder.mkdir(exist_ok=True)
    folder.rename(folder.with_name("moved"))
    folder.touch()


def test_database_away__rows_go_to_the_journal_and_then_in_order_to_the_database(tmp_path: Path) -> None:
    store = MemoryStore()

    async def work(writer: Writer) -> None:
        await writer.submit([decision("0")])
        assert writer.mode == Mode.DATABASE
        store.away()
        for number in range(1, 20):
            await writer.submit([decision(str(number))])
        state = writer.state()
        assert (state["mode"], state["journaled_rows"] >= 19, state["journal_bytes"] > 0) == ("journal", True, True)
        assert aliases(store) == ["0"]
        store.back()
        for number in range(20, 40):
            await writer.submit([decision(str(number))])
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")
        await writer.submit([decision("40")])
        assert (writer.state()["journal_bytes"], writer.fault) == (0, "")

    run(store, work, tmp_path)
    assert aliases(store) == [str(number) for number in range(41)]
    assert chain_faults(store) == []
    assert store.told["ended"]
    assert left_segments(tmp_path) == {}


def test_database_away_at_the_end__the_journal_stays_and_is_replayed_by_another_process(tmp_path: Path) -> None:
    gone, store = MemoryStore(), MemoryStore()
    gone.away()

    async def work(writer: Writer) -> None:
        first = decision("first")
        await writer.submit([first])
        await writer.submit([outcome(first)], claim=Settle(("atlas", "run"), first[1]["id"], 7))

    writer = run(gone, work, tmp_path)
    assert gone.rows == {}
    [(found, [path])] = left_segments(tmp_path).items()
    assert found == writer.id
    segment = Segment.take(path)
    assert segment is not None
    replayed = asyncio.run(replay_left(store, segment))
    assert (replayed.rows, replayed.quarantined, replayed.damages) == (2, 0, 0)
    assert (aliases(store), len(store.of(OUTCOME)), chain_faults(store)) == (["first"], 1, [])
    assert left_segments(tmp_path) == {}


def test_neither_database_nor_journal__each_caller_is_told_and_numbered_rows_come_later(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    store = MemoryStore()
    store.away()
    block(folder)

    async def work(writer: Writer) -> None:
        with pytest.raises(AuditUnavailable):
            await writer.submit([decision("first")])
        assert (writer.mode, bool(writer.state()["journal_fault"])) == (Mode.REFUSING, True)
        assert str(tmp_path) not in writer.state()["journal_fault"]
        with pytest.raises(AuditUnavailable):
            await writer.submit([decision("second")])
        kept = writer.submit([decision("third")], keep=True)
        with pytest.raises(AuditUnavailable):
            await kept
        folder.unlink()
        await until(lambda: writer.mode == Mode.JOURNAL, "the journal's way back")
        await writer.submit([decision("fourth")])
        store.back()
        await until(lambda: writer.mode == Mode.DATABASE, "the database's way back")

    run(store, work, folder)
    assert aliases(store) == ["first", "third", "fourth"]
    assert chain_faults(store) == []


def test_no_journal_and_the_database_away__is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()

    async def work(writer: Writer) -> None:
        store.away()
        for name in ("first", "second"):
            with pytest.raises(AuditUnavailable):
                await writer.submit([decision(name)])
        store.back()
        await until(lambda: writer.mode == Mode.DATABASE, "the database's way back")

    run(store, work)
    words = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(words) == 1
    assert words[0].startswith("nothing takes the audit: calls are 503 (StoreDown")


def test_journal_that_can_not_be_opened_at_the_start__is_named_once_it_can(tmp_path: Path) -> None:
    store, folder = MemoryStore(), tmp_path / "journals"
    folder.touch()

    async def work(writer: Writer) -> None:
        await until(lambda: bool(writer.state()["journal_fault"]), "the fault")
        folder.unlink()
        await until(lambda: bool(store.told["journal_id"]), "the name of the folder in the Writer row")
        assert writer.state()["journal_fault"] == ""

    run(store, work, folder)


def test_journal_that_takes_rows_again__is_in_order_before_the_next_outage(tmp_path: Path) -> None:
    store = MemoryStore()

    async def work(writer: Writer) -> None:
        points.arm(points.read_plan("journal.before_write=raise"))
        store.away()
        await until(lambda: writer.mode == Mode.REFUSING, "the fault of both")
        store.back()
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")
        assert writer.state()["journal_fault"]
        points.arm({})
        await until(lambda: not writer.state()["journal_fault"], "the journal's way back")
        assert (writer.mode, writer.state()["journal_bytes"]) == (Mode.DATABASE, 0)

    run(store, work, tmp_path)


def test_stop_while_rows_keep_coming__stores_all_that_it_took() -> None:
    store = MemoryStore()
    taken: list[asyncio.Future[Verdict | None]] = []

    async def work(writer: Writer) -> None:
        def again(_: object) -> None:
            with suppress(AuditUnavailable):
                taken.append(writer.submit([decision()], keep=True))
                taken[-1].add_done_callback(again)

        again(None)
        await writer.stop()
        assert writer.state()["dropped_rows"] == 0

    run(store, work)
    assert all(future.exception() is None for future in taken)
    assert len(store.of(DECISION)) == len(taken)


def test_database_that_comes_back_amid_a_batch__has_the_writer_before_its_rows() -> None:
    store = MemoryStore()
    tries: list[str] = []

    def come_back(rows: Rows) -> None:
        tries.append("rows" if rows else "writer")
        if len(tries) < 6:
            raise StoreDown("away")

    store.before = come_back

    async def work(writer: Writer) -> None:
        await writer.submit([decision("0")], patience_s=5)

    run(store, work)
    assert tries[5:7] == ["writer", "rows"]


def test_full_journal__refuses_until_the_database_is_back(tmp_path: Path) -> None:
    store = MemoryStore()
    store.away()

    async def work(writer: Writer) -> None:
        for number in range(100):
            if (await asyncio.gather(writer.submit([decision(str(number))]), return_exceptions=True))[0]:
                break
        assert "IW_JOURNAL_MAX_MB" in writer.state()["journal_fault"]
        store.back()
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")

    run(store, work, tmp_path, limit=60_000)
    assert aliases(store) == [str(number) for number in range(len(store.of(DECISION)))]
    assert chain_faults(store) == []


def test_reservation__needs_the_database_and_a_settlement_does_not(tmp_path: Path) -> None:
    store = MemoryStore()
    first, second = decision("first"), decision("second")
    store.granted = {first[1]["id"]: 9, second[1]["id"]: 9}

    def ask(made: Rows) -> Reserve:
        until_then = datetime.now(UTC) + timedelta(minutes=1)
        return Reserve(("atlas", "run"), made[0][1]["id"], least=1, wanted=9, limit=10, expires_at=until_then)

    async def work(writer: Writer) -> None:
        assert await writer.submit([first], claim=ask([first])) == Verdict(9)
        store.away()
        with pytest.raises(AuditUnavailable):
            await writer.submit([second], claim=ask([second]))
        await writer.submit([outcome(first)], claim=Settle(("atlas", "run"), first[1]["id"], 7))
        third = decision("third")
        with pytest.raises(AuditUnavailable):
            await writer.submit([third], claim=ask([third]))
        await writer.submit([second, outcome(second)], claim=Settle(("atlas", "run"), second[1]["id"], 0))
        store.back()
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")

    run(store, work, tmp_path)
    assert aliases(store) == ["first", "second"]
    assert len(store.of(OUTCOME)) == 2
    assert chain_faults(store) == []


def test_record_whose_end_nobody_was_told__is_replayed_though_the_database_took_its_rows(tmp_path: Path) -> None:
    store = MemoryStore()

    def fail_once(rows: Rows) -> None:
        if rows:
            store.before = lambda rows: None
            raise StoreDown("away")

    async def work(writer: Writer) -> None:
        await until(lambda: bool(store.told), "the first heartbeat")
        store.before = fail_once
        points.arm(points.read_plan("journal.after_fsync=raise@1"))
        await writer.submit([decision("0")])
        await until(lambda: writer.mode == Mode.DATABASE and not writer.state()["journal_bytes"], "the replay")

    run(store, work, tmp_path)
    assert aliases(store) == ["0"]
    assert left_segments(tmp_path) == {}


class Gated(MemoryStore):
    """A store whose heartbeat waits at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = False

    async def beat(self, told: Row, bound_s: float) -> None:
        await super().beat(told, bound_s)
        self.waiting = not self.gate.is_set()
        await self.gate.wait()


def test_row_that_comes_while_the_replay_ends__is_replayed_too(tmp_path: Path) -> None:
    store = Gated()

    async def work(writer: Writer) -> None:
        store.away()
        await writer.submit([decision("0")])
        store.back()
        store.after = lambda rows: store.gate.clear()
        await until(lambda: bool(store.waiting), "the drainer at the gate")
        store.after = lambda rows: None
        await writer.submit([decision("1")])
        store.gate.set()
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")
        await writer.submit([decision("2")])

    run(store, work, tmp_path)
    assert aliases(store) == ["0", "1", "2"]
    assert chain_faults(store) == []


@pytest.mark.parametrize(
    "point", [name for name in points.POINTS if name.split(".")[0] in ("writer", "journal", "replay")]
)
def test_fault_point__raised_now_and_then__loses_nothing_and_stores_nothing_twice(tmp_path: Path, point: str) -> None:
    store = MemoryStore()
    stored = 0

    async def work(writer: Writer) -> None:
        nonlocal stored
        for number in range(30):
            if number == 8:
                store.away()
            if number in (4, 12, 20):
                points.arm(points.read_plan(f"{point}=raise@1"))
            if number == 16:
                store.back()
            await writer.submit([decision(str(number))])
            stored += 1
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")

    run(store, work, tmp_path)
    assert (stored, len(store.of(DECISION)), chain_faults(store)) == (30, 30, [])


@pytest.mark.parametrize("seed", range(4))
def test_random_faults__leave_every_acknowledged_row_stored_and_no_number_missing(tmp_path: Path, seed: int) -> None:
    store, dice, kept = MemoryStore(), random.Random(seed), []  # noqa: S311 - faults of a test

    def sometimes(rows: Rows) -> None:
        if dice.random() < 0.3:
            raise StoreDown("at random")

    async def caller(writer: Writer) -> None:
        for _ in range(10):
            made = decision()
            try:
                await writer.submit([made])
                kept.append(made)
                await writer.submit([outcome(made)], keep=True)
            except AuditUnavailable:
                writer.submit([made, outcome(made, result="refused")])
            await asyncio.sleep(dice.random() / 50)

    async def work(writer: Writer) -> None:
        store.before = store.after = sometimes
        await asyncio.gather(*(caller(writer) for _ in range(8)))
        store.back()
        await until(lambda: writer.mode == Mode.DATABASE and not writer.queued, "the way back")

    run(store, work, tmp_path if seed else None)
    assert chain_faults(store) == []
    found = {row["id"] for row in store.of(DECISION)}
    assert {made[1]["id"] for made in kept} <= found
    assert found == {row["decision_id"] for row in store.of(OUTCOME)}
    assert len(store.of(*NUMBERED)) == len({row["writer_seq"] for row in store.of(*NUMBERED)})
