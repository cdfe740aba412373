"""A store in memory that fails as it is told, and rows to put into it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from iwrouting.audit import (
    ATTEMPT,
    DECISION,
    OUTCOME,
    Bounds,
    Claim,
    Place,
    Row,
    Rows,
    Verdict,
    Writer,
    decision_time,
    finish_row,
    make_key,
    new_id,
)
from iwrouting.audit.rows import NUMBERED, QUARANTINE
from iwrouting.audit.tamper.chain import FIRST, canonical, link
from iwrouting.audit.writing.storing import RowsOf, StoreDown

KEY = make_key("k" * 32)
UNDER = {"revision": 1, "environment_id": "e", "catalogue_version": "c", "rules_version": "r", "app_version": "a"}


class MemoryStore:
    """Keeps the first row of an id. `before` and `after` are asked around each commit and may raise."""

    not_durable = ""
    duplicates = 0

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, Row]] = {}
        self.commits = 0
        self.told: Row = {}
        self.before: Callable[[Rows], None] = lambda rows: None
        self.after: Callable[[Rows], None] = lambda rows: None
        self.granted: dict[str, int] = {}
        self.booked: list[str] = []

    async def beat(self, told: Row, bound_s: float) -> None:
        await asyncio.sleep(0)
        self.before(())
        self.told = told

    async def insert(self, rows: Rows, bound_s: float) -> None:
        await asyncio.sleep(0)
        self.before(rows)
        for table, row in rows:
            self.rows.setdefault(row["id"], (table, dict(row)))
        self.commits += 1
        self.after(rows)

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        verdicts = [Verdict(self.granted.get(claim.decision_id)) for claim in claims]
        await self.insert(rows_of(verdicts), bound_s)
        self.booked += [claim.decision_id for claim in claims]
        return verdicts

    async def close(self) -> None:
        return

    def of(self, *tables: str) -> list[Row]:
        """The rows of these tables, in the order in which they were stored."""
        return [row for table, row in self.rows.values() if table in tables]

    def away(self) -> None:
        """From now on it can't be reached."""

        def refuse(rows: Rows) -> None:
            raise StoreDown("away")

        self.before = refuse

    def back(self) -> None:
        """From now on it does as it should."""
        self.before = self.after = lambda rows: None


def decision(text: str = "fast", **values: object) -> tuple[str, Row]:
    ident = new_id()
    row = {"id": ident, "decision_at": decision_time(ident), "endpoint": "chat", **UNDER, "alias": text, **values}
    return DECISION, finish_row(DECISION, row)


def outcome(of: tuple[str, Row], **values: object) -> tuple[str, Row]:
    facts = {"id": new_id(), "decision_at": of[1]["decision_at"], "decision_id": of[1]["id"]}
    ending = {"ended_at": datetime.now(UTC), "origin": "server", "result": "ok", "cost_state": "none"}
    return OUTCOME, finish_row(OUTCOME, {**facts, **ending, **values})


def attempt(of: tuple[str, Row], **values: object) -> tuple[str, Row]:
    facts = {"id": new_id(), "decision_at": of[1]["decision_at"], "decision_id": of[1]["id"]}
    tried = {"seq": 1, "kind": "call", "rung": 0, "try": 1, "endpoint": "chat"}
    return ATTEMPT, finish_row(ATTEMPT, {**facts, **tried, **values})


def run(
    store: MemoryStore,
    work: Callable[[Writer], Awaitable[None]],
    folder: Path | None = None,
    *,
    wait_s: float = 0.3,
    limit: int = 10_000_000,
) -> Writer:
    """Do it with a writer of its own, which is stopped afterwards; `folder`: where its journal is, if it has one."""

    async def whole() -> Writer:
        place = Place(folder, limit) if folder else None
        writer = Writer(store, Bounds(queue=100, wait_s=wait_s, commit_s=wait_s, beat_s=0.05, probe_s=0.03), KEY, place)
        writer.start()
        try:
            await work(writer)
        finally:
            await writer.stop()
        return writer

    return asyncio.run(whole())


async def until(ask: Callable[[], bool], what: str) -> None:
    """Wait for a condition, at most 10 s."""
    for _ in range(1_000):
        if ask():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what} did not happen")


def chain_faults(store: MemoryStore) -> list[str]:
    """What is wrong with the numbers and hashes that stand in a store; a quarantined row holds its place."""
    places: dict[int, tuple[str, Row]] = {}
    for table, row in store.rows.values():
        if (table in NUMBERED or table == QUARANTINE) and row["writer_seq"]:
            places.setdefault(row["writer_seq"], (table, row))
    previous, faults = FIRST, []
    for number in range(1, len(places) + 1):
        if number not in places:
            faults.append(f"{number} is missing")
            continue
        table, row = places[number]
        if table != QUARANTINE and link(KEY, previous, canonical(table, row)) != row["chain_hash"]:
            faults.append(f"{number} does not fit")
        previous = row["chain_hash"]
    return faults
