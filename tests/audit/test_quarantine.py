"""Rows that a table does not take: alone in quarantine with their place, and whoever waits for them is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from iwrouting.audit import DECISION, OUTCOME, Mode, Reserve, Rows, Settle, Verdict, Writer
from iwrouting.audit.rows import QUARANTINE
from iwrouting.audit.writing.storing import RowsRefused, StoreDown
from iwrouting.errors import AuditUnavailable
from tests.audit.memory import MemoryStore, attempt, chain_faults, decision, outcome, run, until

KEY = ("atlas", "run")


def choosy() -> MemoryStore:
    """A store that refuses every row whose alias, model or result is `bad`."""

    def refuse(rows: Rows) -> None:
        if any("bad" in (row.get("alias"), row.get("model"), row.get("result")) for _, row in rows):
            raise RowsRefused("22P05 alias")

    store = MemoryStore()
    store.before = refuse
    return store


def aside(store: MemoryStore) -> list[tuple[str, str]]:
    return [(row["table_name"].removeprefix("iwrouting_"), row["reason"]) for row in store.of(QUARANTINE)]


@pytest.mark.parametrize("journaled", [False, True])
def test_bad_decision__is_quarantined_with_its_outcome_and_its_neighbours_are_stored(
    tmp_path: Path, journaled: bool
) -> None:
    store = choosy()
    refuse = store.before
    bad = decision("bad", project="atlas")

    async def work(writer: Writer) -> None:
        if journaled:
            store.away()
            await writer.submit([decision("to the journal")])
        units = [[decision(str(number))] for number in range(5)]
        units[2:2] = [[bad, attempt(bad), outcome(bad)]]
        told = await asyncio.gather(*(writer.submit(unit) for unit in units), return_exceptions=True)
        # The journal takes anything: who waits for it is not told of what the table says later.
        assert [type(each) for each in told].count(AuditUnavailable) == (0 if journaled else 1)
        store.before = refuse
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")
        assert writer.state()["quarantined_rows"] == 3

    run(store, work, tmp_path)
    assert [row["alias"] for row in store.of(DECISION)][-5:] == list("01234")
    assert aside(store) == [("decision", "22P05 alias"), ("attempt", "no_decision"), ("outcome", "no_decision")]
    assert chain_faults(store) == []
    kept = store.of(QUARANTINE)[0]
    assert (kept["decision_id"], kept["chain_hash"]) == (bad[1]["id"], bad[1]["chain_hash"])
    assert orjson.loads(kept["row"])["project"] == "atlas"


def test_bad_attempt__leaves_its_outcome_and_its_settlement(tmp_path: Path) -> None:
    store = choosy()
    made = decision()
    booked: list[str] = []

    async def work(writer: Writer) -> None:
        await writer.submit([made])
        rows = [attempt(made, model="bad"), outcome(made)]
        with pytest.raises(AuditUnavailable, match="quarantine"):
            await writer.submit(rows, claim=Settle(KEY, made[1]["id"], 7))
        booked.extend(store.booked)

    run(store, work, tmp_path)
    assert (aside(store), len(store.of(OUTCOME))) == ([("attempt", "22P05 alias")], 1)
    assert booked[-1] == made[1]["id"]
    assert chain_faults(store) == []


def test_bad_decision_on_a_budget__reserves_nothing(tmp_path: Path) -> None:
    store = choosy()
    bad = decision("bad")
    store.granted = {bad[1]["id"]: 9}

    async def work(writer: Writer) -> None:
        until_then = datetime.now(UTC) + timedelta(minutes=1)
        claim = Reserve(KEY, bad[1]["id"], least=1, wanted=9, limit=10, expires_at=until_then)
        with pytest.raises(AuditUnavailable):
            await writer.submit([bad], claim=claim, if_refused=[outcome(bad)])

    run(store, work, tmp_path)
    assert store.booked == []
    assert aside(store) == [("decision", "22P05 alias")]


def test_refusal_that_is_granted_at_the_next_try__is_withdrawn() -> None:
    store = MemoryStore()
    made = decision()

    def fail_once(rows: Rows) -> None:
        store.granted = {made[1]["id"]: 9}
        store.before = lambda rows: None
        raise StoreDown("away")

    async def work(writer: Writer) -> None:
        await until(lambda: bool(store.told), "the first heartbeat")
        store.before = lambda rows: fail_once(rows) if rows else None
        until_then = datetime.now(UTC) + timedelta(minutes=1)
        claim = Reserve(KEY, made[1]["id"], least=1, wanted=9, limit=10, expires_at=until_then)
        assert await writer.submit([made], claim=claim, if_refused=[outcome(made)]) == Verdict(9)
        await writer.submit([outcome(made)])

    run(store, work)
    assert aside(store) == [("outcome", "withdrawn")]
    assert [row["writer_seq"] for row in store.of(DECISION, OUTCOME)] == [1, 3]
    assert chain_faults(store) == []
