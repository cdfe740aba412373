"""What PostgreSQL and the way to it can do to the writer's connection, and how soon the writer is back (D3-D12)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from iwrouting.audit import BREAKER, DECISION, Bounds, Mode, Place, Rows, Writer, finish_row, new_id, new_id_at
from iwrouting.audit.writing.postgresql import PostgreSQLStore
from iwrouting.audit.writing.storing import StoreDown
from tests.audit.memory import KEY, decision, outcome, until
from tests.audit.real import BOUND_S, store_of, stored, with_store
from tests.live.databases import IS_POSTGRESQL, statement

pytestmark = pytest.mark.skipif(not IS_POSTGRESQL, reason="faults of a server")
NAME = "iw-writer-under-test"


def breaker() -> Rows:
    at = new_id_at()[1]
    own = {"id": new_id(), "at": at, "writer_id": "w", "upstream": "u", "before": "closed", "state": "open"}
    return [(BREAKER, finish_row(BREAKER, own))]


def ours(database: str) -> list[int]:
    """The process ids of the sessions of the stores under test."""
    with psycopg.connect(database) as link:
        found = link.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [NAME])
        return [pid for (pid,) in found.fetchall()]


@contextmanager
def raising(state: str, *, every: int = 1) -> Iterator[None]:
    """Let every n-th insert of a breaker event fail with this SQLSTATE."""
    statement("CREATE SEQUENCE tried MINVALUE 0")
    statement(
        "CREATE FUNCTION raise_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF nextval('tried') %% {every} = 0 THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{state}'; END IF; "
        "RETURN NEW; END $$"
    )
    statement(f"CREATE TRIGGER raise_it BEFORE INSERT ON {BREAKER} FOR EACH ROW EXECUTE FUNCTION raise_it()")
    try:
        yield
    finally:
        statement(f"DROP TRIGGER raise_it ON {BREAKER}")
        statement("DROP FUNCTION raise_it")
        statement("DROP SEQUENCE tried")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"port": "1"}, "Connection refused"), ({"dbname": "nowhere-of-ours"}, "does not exist")],
)
def test_no_connection__is_told_with_its_reason_and_no_name(database: str, change: dict[str, str], words: str) -> None:
    async def work(store: PostgreSQLStore) -> None:
        with pytest.raises(StoreDown) as told:
            await store.insert(breaker(), BOUND_S)
        assert str(told.value) == f"OperationalError: {words}"

    with_store(database, work, **change)


@pytest.mark.parametrize("state", ["40P01", "40001"])
def test_conflict_with_another_transaction__is_tried_again(database: str, state: str) -> None:
    rows = breaker()

    async def work(store: PostgreSQLStore) -> None:
        await store.insert(rows, BOUND_S)

    with raising(state, every=2):
        with_store(database, work)
    assert len(statement(f"SELECT 1 FROM {BREAKER} WHERE id = %s", rows[0][1]["id"])) == 1  # noqa: S608 - our own names


@pytest.mark.parametrize("state", ["53100", "55P03", "57014", "42501", "42P01", "53300"])
def test_server_that_can_not_take_rows_now__is_down_and_the_same_rows_succeed_later(database: str, state: str) -> None:
    rows = breaker()

    async def fail(store: PostgreSQLStore) -> None:
        with pytest.raises(StoreDown, match=state):
            await store.insert(rows, BOUND_S)

    async def succeed(store: PostgreSQLStore) -> None:
        await store.insert(rows, BOUND_S)

    with raising(state):
        with_store(database, fail)
    with_store(database, succeed)
    assert len(statement(f"SELECT 1 FROM {BREAKER} WHERE id = %s", rows[0][1]["id"])) == 1  # noqa: S608 - our own names


def test_no_partition_for_a_row__is_the_servers_fault_and_not_the_rows(database: str) -> None:
    made = decision(id="ffffffff-0000-7000-8000-000000000000", writer_id="w", writer_seq=1)
    made[1]["decision_at"] = made[1]["decision_at"].replace(year=2090)

    async def fail(store: PostgreSQLStore) -> None:
        with pytest.raises(StoreDown, match="23514"):
            await store.insert([made], BOUND_S)

    statement(f"ALTER TABLE {DECISION} DETACH PARTITION {DECISION}_default")
    try:
        with_store(database, fail)
    finally:
        statement(f"ALTER TABLE {DECISION} ATTACH PARTITION {DECISION}_default DEFAULT")


@asynccontextmanager
async def writing(database: str, folder: Path, **parameters: object) -> AsyncIterator[Writer]:
    store = store_of(database, application_name=NAME, **parameters)
    bounds = Bounds(queue=1_000, wait_s=2, commit_s=0.5, beat_s=0.2)
    writer = Writer(store, bounds, KEY, Place(folder, 10_000_000))
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


def administer(database: str, sql: str) -> None:
    """A statement on a connection that no setting of the test touches."""
    with psycopg.connect(database, autocommit=True, options="-c default_transaction_read_only=off") as link:
        link.execute(sql.encode())


END_OURS = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{NAME}'"  # noqa: S608


def test_session_that_is_ended__costs_no_call_anything(database: str, tmp_path: Path) -> None:
    async def whole() -> str:
        async with writing(database, tmp_path) as writer:
            for number in range(20):
                if number % 5 == 2:
                    await asyncio.to_thread(administer, database, END_OURS)
                made = decision()
                await writer.submit([made])
                await writer.submit([outcome(made)])
            await until(lambda: writer.mode == Mode.DATABASE, "the way back")
            return writer.id

    writer_id = asyncio.run(whole())
    assert [row["writer_seq"] for row in stored(DECISION, writer_id=writer_id)] == list(range(1, 40, 2))


def test_read_only_server__is_down_until_it_is_promoted(database: str, tmp_path: Path) -> None:
    name = urlsplit(database).path[1:]

    async def whole() -> str:
        async with writing(database, tmp_path) as writer:
            await writer.submit([decision()])
            # As after a failover: the session that stands is read-only, and so is every new one.
            administer(database, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
            administer(database, END_OURS)
            await writer.submit([decision()])
            await until(lambda: writer.mode == Mode.JOURNAL and "25006" in writer.fault, "being told")
            administer(database, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            started = time.monotonic()
            await until(lambda: writer.mode == Mode.DATABASE, "the way back")
            assert time.monotonic() - started < 5
            return writer.id

    try:
        writer_id = asyncio.run(whole())
    finally:
        administer(database, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert len(stored(DECISION, writer_id=writer_id)) == 2


class Way:
    """A way to the server that can stop to carry anything, both ways, without a word."""

    def __init__(self, database: str) -> None:
        parts = urlsplit(database)
        self.target = (parts.hostname or "", parts.port or 5432)
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.open_now = self.most = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most = max(self.most, self.open_now)
        there, back = await asyncio.open_connection(*self.target)
        try:
            ends = [asyncio.create_task(self._copy(reader, back)), asyncio.create_task(self._copy(there, writer))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        finally:
            self.open_now -= 1
            back.close()
            writer.close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            await self.is_open.wait()
            target.write(data)


def test_way_that_hangs__keeps_two_connections_at_most_and_the_journal_takes_over(
    database: str, tmp_path: Path
) -> None:
    async def whole() -> tuple[str, float]:
        way = Way(database)
        server = await asyncio.start_server(way.carry, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with writing(database, tmp_path, host="127.0.0.1", port=port) as writer:
            await writer.submit([decision()])
            way.is_open.clear()
            longest = 0.0
            until_then = time.monotonic() + 4
            while time.monotonic() < until_then:
                started = time.monotonic()
                await writer.submit([decision()])
                longest = max(longest, time.monotonic() - started)
                await asyncio.sleep(0.1)
            way.is_open.set()
            started = time.monotonic()
            await until(lambda: writer.mode == Mode.DATABASE, "the way back")
            assert time.monotonic() - started < 5
            assert way.most <= 3  # Two, and for a moment the request to cancel a statement.
        server.close()
        await until(lambda: way.open_now == 0, "the end of all connections")
        return writer.id, longest

    writer_id, longest = asyncio.run(whole())
    assert longest < 1.5
    numbers = [row["writer_seq"] for row in stored(DECISION, writer_id=writer_id)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 20


def test_slow_commit__goes_on_in_its_connection_and_the_writer_comes_back_to_it(database: str, tmp_path: Path) -> None:
    async def whole() -> tuple[str, list[int], list[int]]:
        async with writing(database, tmp_path) as writer:
            await writer.submit([decision()])
            before = ours(database)
            with psycopg.connect(database) as link:
                link.execute("LOCK TABLE iwrouting_decision IN EXCLUSIVE MODE")
                await writer.submit([decision()])
                assert writer.mode == Mode.JOURNAL
            await until(lambda: writer.mode == Mode.DATABASE, "the way back")
            return writer.id, before, ours(database)

    writer_id, before, after = asyncio.run(whole())
    assert before == after
    assert len(stored(DECISION, writer_id=writer_id)) == 2
