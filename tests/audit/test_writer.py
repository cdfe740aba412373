"""The writer outlives whatever its database does, and each request waits no longer than its own patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from iwrouting.audit import DECISION, Claim, Reserve, Row, Rows, Verdict, Writer, finish_row, new_id, new_id_at
from iwrouting.audit.tamper.chain import make_key
from iwrouting.audit.writing.storing import RowsOf, RowsRefused, StoreDown
from iwrouting.audit.writing.units import Bounds
from iwrouting.errors import AuditUnavailable

Behave = Callable[[Rows], Awaitable[None]]


class FakeStore:
    """A store that keeps what it takes, and behaves as it is told before."""

    not_durable = ""
    duplicates = 0

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.stored: list[Row] = []
        self.closed = False
        self.grants: dict[str, int] = {}
        self.repeated: list[str] = []

    async def beat(self, told: Row, bound_s: float) -> None:
        return

    async def insert(self, rows: Rows, bound_s: float) -> None:
        await self.behave(rows)
        self.stored += [row for _, row in rows]

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        self.repeated = [claim.decision_id for claim in repeated]
        verdicts = [Verdict(self.grants.get(claim.decision_id)) for claim in claims]
        await self.insert(rows_of(verdicts), bound_s)
        return verdicts

    async def close(self) -> None:
        self.closed = True


def rows(text: str = "fast") -> Rows:
    made, at = new_id_at()
    values = {"id": made, "decision_at": at, "endpoint": "chat", "revision": 1, "environment_id": "e"}
    return [
        (
            DECISION,
            finish_row(
                DECISION, {**values, "catalogue_version": "c", "rules_version": "r", "app_version": "a", "alias": text}
            ),
        )
    ]


async def with_writer(store: FakeStore, work: Callable[[Writer], Awaitable[None]], *, wait_s: float = 0.3) -> None:
    writer = Writer(store, Bounds(queue=10, wait_s=wait_s, commit_s=wait_s), make_key("k" * 32))
    writer.start()
    try:
        await work(writer)
    finally:
        await writer.stop()


def run(store: FakeStore, work: Callable[[Writer], Awaitable[None]]) -> None:
    asyncio.run(with_writer(store, work))


def test_unforeseen_exception__fails_its_rows_alone_and_writing_goes_on() -> None:
    async def choke(given: Rows) -> None:
        if any(row.get("alias") == "poison" for _, row in given):
            raise TypeError("not serialisable")

    store = FakeStore(choke)

    async def work(writer: Writer) -> None:
        futures = [writer.submit(rows(text)) for text in ("one", "poison", "two")]
        found = await asyncio.gather(*futures, return_exceptions=True)
        assert [type(each) for each in found] == [type(None), AuditUnavailable, type(None)]
        await writer.submit(rows("three"))
        assert writer.fault == ""

    run(store, work)
    assert [row["alias"] for row in store.stored if "alias" in row] == ["one", "two", "three"]
    assert store.closed


def test_refused_rows__do_not_take_their_neighbours_along() -> None:
    async def refuse(given: Rows) -> None:
        if any(row.get("alias") == "poison" for _, row in given):
            raise RowsRefused("22P05")

    store = FakeStore(refuse)

    async def work(writer: Writer) -> None:
        futures = [writer.submit(rows(str(number) if number != 5 else "poison")) for number in range(9)]
        found = await asyncio.gather(*futures, return_exceptions=True)
        assert [number for number, each in enumerate(found) if each is not None] == [5]

    run(store, work)


def test_patience__is_each_callers_own_and_numbered_rows_are_stored_all_the_same() -> None:
    back_at = time.monotonic() + 0.8

    async def away(given: Rows) -> None:
        if time.monotonic() < back_at:
            raise StoreDown("away")

    store = FakeStore(away)

    async def work(writer: Writer) -> None:
        decision = writer.submit(rows("decision"))
        outcome = writer.submit(rows("outcome"), patience_s=5)
        start = time.monotonic()
        with pytest.raises(AuditUnavailable):
            await decision
        assert time.monotonic() - start < 0.8
        assert writer.fault
        await outcome
        assert writer.fault == ""

    run(store, work)
    assert [row["alias"] for row in store.stored if "alias" in row] == ["decision", "outcome"]


def test_rows_tried_again__keep_their_numbers() -> None:
    tries: list[list[int]] = []

    async def once_away(given: Rows) -> None:
        tries.append([row["writer_seq"] for _, row in given])
        if len(tries) == 1:
            raise StoreDown("away")

    async def work(writer: Writer) -> None:
        await asyncio.gather(*(writer.submit(rows()) for _ in range(3)))

    run(FakeStore(once_away), work)
    assert tries == [[1, 2, 3], [1, 2, 3]]


def test_full_queue__refuses_at_once() -> None:
    async def away(given: Rows) -> None:
        raise StoreDown("away")

    async def taking(given: Rows) -> None:
        return

    async def work(writer: Writer) -> None:
        waiting = [writer.submit(rows()) for _ in range(10)]
        with pytest.raises(AuditUnavailable, match="nothing was sent"):
            writer.submit(rows())
        await asyncio.gather(*waiting, return_exceptions=True)
        store.behave = taking

    store = FakeStore(away)
    run(store, work)


def test_stop__stores_what_waits_and_takes_nothing_more() -> None:
    async def slow(given: Rows) -> None:
        await asyncio.sleep(0.05)

    store = FakeStore(slow)

    async def work(writer: Writer) -> None:
        for number in range(5):
            writer.submit(rows(str(number)))

    run(store, work)
    assert [row["alias"] for row in store.stored if "alias" in row] == list("01234")
    assert len({row["writer_id"] for row in store.stored}) == 1
    assert new_id() > store.stored[-1]["id"]


def claim(decision: str) -> Reserve:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Reserve(("atlas", "run"), decision, least=1, wanted=9, limit=10, expires_at=at)


def test_claims__are_booked_apart_from_plain_rows_and_a_refusal_brings_its_own_rows() -> None:
    batches: list[list[str]] = []

    async def note(given: Rows) -> None:
        batches.append([row["alias"] for _, row in given])

    store = FakeStore(note)
    store.grants = {"a": 9}

    async def work(writer: Writer) -> None:
        found = await asyncio.gather(
            writer.submit(rows("plain")),
            writer.submit(rows("granted"), claim=claim("a"), if_refused=rows("not stored")),
            writer.submit(rows("also plain")),
            writer.submit(rows("refused"), claim=claim("b"), if_refused=rows("refusal")),
        )
        assert list(found) == [None, Verdict(9), None, Verdict(None)]

    run(store, work)
    assert batches == [["plain", "also plain"], ["granted", "refused", "refusal"]]
    assert sorted(row["writer_seq"] for row in store.stored) == [1, 2, 3, 4, 5]


def test_claims__tried_again_after_a_lost_connection__are_named_as_repeated() -> None:
    tries: list[int] = []

    async def once_away(given: Rows) -> None:
        tries.append(len(given))
        if len(tries) == 1:
            raise StoreDown("away")

    store = FakeStore(once_away)
    store.grants = {"a": 9}

    async def work(writer: Writer) -> None:
        assert await writer.submit(rows(), claim=claim("a")) == Verdict(9)
        assert store.repeated == ["a"]
        assert await writer.submit(rows(), claim=claim("b"), if_refused=rows()) == Verdict(None)
        assert store.repeated == []

    run(store, work)
    assert tries == [1, 1, 2]
