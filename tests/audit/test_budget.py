"""Runs on the database itself: never overshot by two processes at once, settled once, taken back with their rows."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.audit import DECISION, OUTCOME, Claim, Reserve, Settle, Verdict, decision_time, finish_row, new_id
from iwrouting.audit.writing.budget import Key
from iwrouting.audit.writing.postgresql import PostgreSQLStore
from iwrouting.audit.writing.sqlite import SQLiteStore
from iwrouting.audit.writing.storing import RowsRefused, Store
from iwrouting.models import Decision, Run, RunReservation
from iwrouting.types import EnvironmentFacts
from tests.harness import environment
from tests.live.databases import ALIAS, IS_POSTGRESQL, forget, own_database, readable
from tests.live.processes import prepare

UNDER = EnvironmentFacts("e" * 16, {})
WRITTEN = {"writer_id": "w", "writer_seq": 1}


@pytest.fixture(scope="module")
def database(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of our own: stores connect by themselves, and nothing in the audit can be deleted again."""
    folder = tmp_path_factory.mktemp("budget")
    with own_database(folder, f"budget_{worker_id}") as url:
        prepare(environment.for_tests(folder, None) | {"DATABASE_URL": url})
        yield url
        forget(url)


@dataclass(frozen=True)
class Desk:
    """A run that no other test uses, and stores as two processes would have them."""

    url: str
    key: Key

    def do(self, work: Callable[..., Awaitable[None]], *, stores: int = 1) -> None:
        """Work with so many stores, each with a connection of its own."""

        async def together() -> None:
            opened = [self._store() for _ in range(stores)]
            try:
                await work(*opened)
            finally:
                for store in opened:
                    await store.close()

        asyncio.run(together())

    def _store(self) -> Store:
        if IS_POSTGRESQL:
            return PostgreSQLStore(dict(conninfo_to_dict(self.url)), UNDER)
        return SQLiteStore(urlsplit(self.url).path[1:], UNDER)

    def reserve(
        self, tokens: int, *, least: int | None = None, lasts_s: float = 600, key: Key | None = None
    ) -> Reserve:
        """A claim on the run, whose limit is 100."""
        until = datetime.now(UTC) + timedelta(seconds=lasts_s)
        return Reserve(key or self.key, new_id(), tokens if least is None else least, tokens, 100, until)

    def run(self, key: Key | None = None) -> Run:
        """The run as stored."""
        project, run_id = key or self.key
        return Run.objects.using(ALIAS).get(project=project, run_id=run_id)

    def reservations(self) -> int:
        """How many stand for the run."""
        return RunReservation.objects.using(ALIAS).filter(run__run_id=self.key[1]).count()


@pytest.fixture
def desk(database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Desk]:
    with django_db_blocker.unblock(), readable(database):
        yield Desk(database, ("atlas", f"run-{secrets.token_hex(6)}"))


def rows_for(claims: Sequence[Claim]) -> list[tuple[str, dict[str, Any]]]:
    """The decision of each reservation, the outcome of each settlement."""
    return [_decision(claim) if isinstance(claim, Reserve) else _outcome(claim) for claim in claims]


def _decision(claim: Claim) -> tuple[str, dict[str, Any]]:
    facts = {"id": claim.decision_id, "decision_at": decision_time(claim.decision_id), "endpoint": "chat"}
    under = {"revision": 1, "environment_id": "e", "catalogue_version": "c", "rules_version": "r", "app_version": "a"}
    return DECISION, finish_row(DECISION, {**WRITTEN, **facts, **under})


def _outcome(claim: Claim) -> tuple[str, dict[str, Any]]:
    facts = {"id": new_id(), "decision_at": decision_time(claim.decision_id), "decision_id": claim.decision_id}
    ending = {"ended_at": datetime.now(UTC), "origin": "server", "result": "ok", "cost_state": "none"}
    return OUTCOME, finish_row(OUTCOME, {**WRITTEN, **facts, **ending})


async def book(store: Store, *claims: Claim) -> list[Verdict]:
    """Book claims for the first time, with their rows."""
    return await store.book(claims, (), lambda _: rows_for(claims), 20)


async def again(store: Store, claim: Claim) -> Verdict:
    """Book a claim whose rows may be stored already."""
    return (await store.book([claim], [claim], lambda _: [_decision(claim)], 20))[0]


def granted(verdicts: Sequence[Verdict]) -> list[int | None]:
    return [verdict.granted for verdict in verdicts]


def test_book__reserve_and_settle__leave_what_was_used_and_no_reservation(desk: Desk) -> None:
    first, second, third = desk.reserve(60), desk.reserve(60, least=10), desk.reserve(1)

    async def work(store: Store) -> None:
        assert granted(await book(store, first, second)) == [60, 40]
        assert await book(store, third) == [Verdict(None, limit=100, used=0, reserved=100)]
        fourth = desk.reserve(1)
        assert granted(await book(store, Settle(desk.key, first.decision_id, 25), fourth)) == [0, 1]
        await book(store, Settle(desk.key, second.decision_id, 30), Settle(desk.key, fourth.decision_id, 1))

    desk.do(work)
    found = desk.run()
    assert (found.used_tokens, found.refused_calls, found.limit_tokens) == (56, 1, None)
    assert found.last_seen_at >= found.first_seen_at
    assert desk.reservations() == 0
    assert Decision.objects.using(ALIAS).filter(id=first.decision_id).exists()


def test_book__the_same_again__changes_nothing(desk: Desk) -> None:
    won, lost = desk.reserve(60), desk.reserve(60)

    async def work(store: Store) -> None:
        assert granted(await book(store, won, lost)) == [60, None]
        assert (await again(store, won)).granted == 60
        end = Settle(desk.key, won.decision_id, 10)
        await book(store, end)
        await again(store, end)
        # There is room by now, but it was stored as refused: it stays so.
        assert (await again(store, lost)).granted is None

    desk.do(work)
    assert (desk.run().used_tokens, desk.run().refused_calls) == (10, 1)


def test_book__reservation_of_a_killed_process__stays_counted(desk: Desk) -> None:
    gone, live = desk.reserve(90, lasts_s=-1), desk.reserve(90)

    async def work(store: Store) -> None:
        assert granted(await book(store, gone)) == [90]
        assert granted(await book(store, live)) == [None]
        # It was slow, not dead: what it took counts all the same.
        await book(store, Settle(desk.key, gone.decision_id, 80))

    desk.do(work)
    assert desk.run().used_tokens == 80
    assert desk.reservations() == 0


def test_book__rows_that_the_database_refuses__take_the_booking_back(desk: Desk) -> None:
    async def work(store: Store) -> None:
        claim = desk.reserve(60)
        rows = rows_for([claim])
        rows[0][1]["revision"] = None
        with pytest.raises(RowsRefused):
            await store.book([claim], (), lambda _: rows, 20)
        assert granted(await book(store, desk.reserve(100))) == [100]

    desk.do(work)
    assert desk.reservations() == 1


def test_book__operators_limit__stands_in_the_place_of_the_projects(desk: Desk) -> None:
    async def first(store: Store) -> None:
        assert granted(await book(store, desk.reserve(101))) == [None]

    async def then(store: Store) -> None:
        assert granted(await book(store, desk.reserve(101))) == [101]

    desk.do(first)
    Run.objects.using(ALIAS).filter(run_id=desk.key[1]).update(limit_tokens=150)
    desk.do(then)


def test_book__two_processes_at_once__never_overshoot(desk: Desk) -> None:
    keys = (desk.key, (desk.key[0], f"{desk.key[1]}-b"))
    used = dict.fromkeys(keys, 0)
    dice = random.Random(11)  # noqa: S311 - steps of a test

    async def caller(store: Store) -> None:
        for _ in range(12):
            asked = [desk.reserve(dice.randint(1, 40), key=dice.choice(keys)) for _ in range(3)]
            verdicts = await book(store, *asked)
            ends = []
            for claim, verdict in zip(asked, verdicts, strict=True):
                assert verdict.used + verdict.reserved <= 100
                if verdict.granted is not None:
                    ends.append(Settle(claim.key, claim.decision_id, dice.randint(0, verdict.granted // 4)))
                    used[claim.key] += ends[-1].tokens
            if ends:
                await book(store, *ends)

    async def work(*stores: Store) -> None:
        await asyncio.gather(*(caller(store) for store in stores))

    desk.do(work, stores=2)
    assert {key: desk.run(key).used_tokens for key in keys} == used
    assert max(used.values()) <= 100
    assert desk.reservations() == 0
