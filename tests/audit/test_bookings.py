"""Claims on a run's budget whose booking fails, comes too late or is refused: no number is ever missing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iwrouting.audit import DECISION, OUTCOME, Claim, Mode, Reserve, Rows, Settle, Verdict, Writer
from iwrouting.audit.journal.records import decode, encode
from iwrouting.audit.rows import QUARANTINE
from iwrouting.audit.writing.budget import SETTLED, Account, Books, Held, hexed
from iwrouting.audit.writing.numbers import Numbers
from iwrouting.audit.writing.quarantine import WITHDRAWN
from iwrouting.audit.writing.storing import RowsOf, RowsRefused, StoreDown
from iwrouting.audit.writing.units import Unit
from iwrouting.errors import AuditUnavailable
from tests.audit.memory import KEY, MemoryStore, chain_faults, decision, outcome, run, until

RUN = ("atlas", "run")


def ask(of: tuple[str, dict[str, object]]) -> Reserve:
    until_then = datetime.now(UTC) + timedelta(minutes=1)
    return Reserve(RUN, str(of[1]["id"]), least=1, wanted=9, limit=10, expires_at=until_then)


class LateStore(MemoryStore):
    """Gives the first booking up, which goes on later."""

    late: RowsOf | None = None

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        if self.late is None:
            self.late = rows_of
            raise StoreDown("no answer in time")
        return await super().book(claims, repeated, rows_of, bound_s)


def test_booking_that_goes_on_after_it_was_given_up__numbers_no_row(tmp_path: Path) -> None:
    store = LateStore()
    first = decision("first")

    async def work(writer: Writer) -> None:
        with pytest.raises(AuditUnavailable):
            await writer.submit([first], claim=ask(first), if_refused=[outcome(first, result="refused")])
        assert store.late is not None
        with pytest.raises(StoreDown):
            store.late([Verdict(None)])
        await writer.submit([decision("second")])
        await until(lambda: writer.mode == Mode.DATABASE, "the way back")

    run(store, work, tmp_path)
    assert [row["alias"] for row in store.of(DECISION)] == ["first", "second"]
    assert chain_faults(store) == []


def test_decision_refused_by_budget_and_database__keeps_the_numbers_of_its_outcome_too() -> None:
    store = MemoryStore()
    first = decision("first")

    def refuse(rows: Rows) -> None:
        if any(row.get("alias") == "first" for _, row in rows):
            raise RowsRefused("23514")

    store.before = refuse

    async def work(writer: Writer) -> None:
        with pytest.raises(AuditUnavailable):
            await writer.submit([first], claim=ask(first), if_refused=[outcome(first, result="refused")])
        await writer.submit([decision("second")])

    run(store, work)
    assert [row["reason"] for row in store.of(QUARANTINE)] == ["23514", WITHDRAWN]
    assert chain_faults(store) == []


class StrictBooks(MemoryStore):
    """Books no settlement."""

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        if any(isinstance(claim, Settle) for claim in claims):
            raise RowsRefused("22003")
        return await super().book(claims, repeated, rows_of, bound_s)


def test_settlement_that_the_database_refuses__holds_up_nothing(tmp_path: Path) -> None:
    store = StrictBooks()
    made = decision("first")

    async def work(writer: Writer) -> None:
        await writer.submit([made])
        await asyncio.wait_for(writer.submit([outcome(made)], claim=Settle(RUN, made[1]["id"], 7)), 5)
        await writer.submit([decision("second")])
        assert writer.mode == Mode.DATABASE

    run(store, work, tmp_path)
    assert (len(store.of(DECISION)), len(store.of(OUTCOME))) == (2, 1)
    assert chain_faults(store) == []


def test_refusal_that_was_numbered_and_then_granted__is_withdrawn_in_the_journal_and_not_granted() -> None:
    made = decision("first")

    async def journal() -> list[Unit]:
        unit = Unit([made], asyncio.get_running_loop().create_future(), claim=ask(made), if_refused=[outcome(made)])
        numbers = Numbers("w", KEY)
        numbers.give(unit.rows)
        numbers.give(unit.if_refused)
        unit.verdict = Verdict(9)
        written = encode([unit])
        unit.journaled()
        assert unit.future is not None
        with pytest.raises(AuditUnavailable):
            await unit.future
        return decode(written)

    [found] = asyncio.run(journal())
    assert [(table, row.get("reason")) for table, row in found.rows] == [(DECISION, ""), (QUARANTINE, WITHDRAWN)]
    assert [row["writer_seq"] for _, row in found.rows] == [1, 2]


def test_settlement_past_all_numbers__stays_within_its_column() -> None:
    ident = decision()[1]["id"]
    books = Books({RUN: Account(1, limit=None, used=2**63 - 5)}, {hexed(ident): Held(1, tokens=9)})
    assert books.book(Settle(RUN, ident, 9)) == SETTLED
    assert books.accounts[RUN].used == 2**63 - 1
