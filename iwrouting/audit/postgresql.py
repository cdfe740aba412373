"""Rows to PostgreSQL: one statement a batch on a dedicated autocommit connection, outside Django's pool."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn, TypeVar

import orjson
import psycopg
from psycopg.rows import tuple_row

from iwrouting.audit.budget import Booking, Claim, Verdict, booking
from iwrouting.audit.rows import Row
from iwrouting.audit.writer import Rows, RowsOf, RowsRefused, StoreDown
from iwrouting.models import EnvironmentSnapshot
from iwrouting.types import EnvironmentFacts

T = TypeVar("T")
Link = psycopg.AsyncConnection[tuple[Any, ...]]
STATEMENT_TIMEOUT_MS = 2_000

INSERT_ENVIRONMENT = (
    f"INSERT INTO {EnvironmentSnapshot._meta.db_table} (id, first_seen_at, values) VALUES (%s, %s, %s) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)


@cache
def insert_into(*tables: str) -> str:
    """One statement that inserts JSON rows into these tables, a parameter each; rows that are there stay."""
    parts = (
        f"p{index} AS (INSERT INTO {table} SELECT * FROM json_populate_recordset(null::{table}, %s::json) "  # noqa: S608
        "ON CONFLICT DO NOTHING)"
        for index, table in enumerate(tables)
    )
    return f"WITH {', '.join(parts)} SELECT 1"


def insertion(rows: Rows) -> tuple[str, list[str]]:
    """The statement that inserts these rows, and its parameters."""
    by_table: dict[str, list[Row]] = {}
    for table, row in rows:
        by_table.setdefault(table, []).append(row)
    return insert_into(*by_table), [orjson.dumps(found).decode() for found in by_table.values()]


class PostgreSQLStore:
    """Connects at the first batch; a lost or hung connection is dropped and made again at the next."""

    def __init__(self, parameters: dict[str, Any], environment: EnvironmentFacts, *, timeout_s: float) -> None:
        django_only = ("cursor_factory", "context", "server_side_binding")
        self._parameters = {name: value for name, value in parameters.items() if name not in django_only}
        self._environment = environment
        self._timeout_s = timeout_s
        self._link: Link | None = None
        self._orphans: set[asyncio.Task[None]] = set()
        self.not_durable = ""

    async def ping(self) -> None:
        """Connect if need be, and ask. Raises StoreDown."""
        try:
            await self._bounded(self._execute("SELECT 1"))
        except (psycopg.Error, OSError) as error:
            await self._drop()
            raise StoreDown(type(error).__name__) from error

    async def insert(self, rows: Rows) -> None:
        """Commit the rows in one round trip. Raises StoreDown or RowsRefused."""
        await self._kept(self._execute(*insertion(rows)))

    async def book(self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf) -> list[Verdict]:
        """Book the claims and commit the rows that their verdicts make. Raises StoreDown or RowsRefused."""
        steps = booking(claims, repeated, datetime.now(UTC), self)
        return await self._kept(self._book(steps, rows_of))

    lock = " FOR UPDATE"

    def ident(self, hexadecimal: str) -> str:
        """An id as a parameter."""
        return hexadecimal

    def moment(self, moment: datetime) -> datetime:
        """A time as a parameter."""
        return moment

    async def _kept(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it within the bound. Raises StoreDown or RowsRefused."""
        try:
            return await self._bounded(work)
        except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
            await self._drop()
            raise StoreDown(type(error).__name__) from error
        except psycopg.Error as error:
            await self._refused(error)

    async def close(self) -> None:
        """Close the connection."""
        await self._drop()

    async def _bounded(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it within the bound. Raises StoreDown after it, at once.

        A cancelled psycopg call waits up to 5 s for the server to confirm: nobody here waits for that.
        """
        task = asyncio.create_task(work)
        done, _ = await asyncio.wait({task}, timeout=self._timeout_s)
        if done:
            return task.result()
        link, self._link = self._link, None
        orphan = asyncio.create_task(_end(task, link))
        self._orphans.add(orphan)
        orphan.add_done_callback(self._orphans.discard)
        raise StoreDown("no answer in time")

    async def _execute(self, statement: str, parameters: list[str] | None = None) -> None:
        link = self._link or await self._connect()
        await link.execute(statement, parameters)

    async def _book(self, steps: Booking, rows_of: RowsOf) -> list[Verdict]:
        link = self._link or await self._connect()
        async with link.transaction():
            found: Sequence[Sequence[Any]] = ()
            try:
                statement = next(steps)
                while True:
                    cursor = await link.execute(*statement)
                    found = await cursor.fetchall() if cursor.description else ()
                    statement = steps.send(found)
            except StopIteration as end:
                verdicts: list[Verdict] = end.value
            await link.execute(*insertion(rows_of(verdicts)))
        return verdicts

    async def _connect(self) -> Link:
        link = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True, row_factory=tuple_row)
        await link.execute("SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_TIMEOUT_MS)])
        self.not_durable = await self._durability(link)
        await link.execute("SET synchronous_commit = on")
        values = orjson.dumps(dict(self._environment.values), option=orjson.OPT_SORT_KEYS).decode()
        await link.execute(INSERT_ENVIRONMENT, [self._environment.id, datetime.now(UTC), values])
        self._link = link
        return link

    async def _durability(self, link: Link) -> str:
        """Which of the server's settings gives durability away; our own session asks for it either way."""
        for setting in ("fsync", "synchronous_commit"):
            row = await (await link.execute("SELECT current_setting(%s)", [setting])).fetchone()
            if row is not None and row[0] == "off":
                return f"{setting} is off on the server"
        return ""

    async def _refused(self, error: psycopg.Error) -> NoReturn:
        """Only bad data is the rows' own fault; a read-only, full or half-migrated database may come back."""
        if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
            raise RowsRefused(error.sqlstate or type(error).__name__) from error
        await self._drop()
        raise StoreDown(error.sqlstate or type(error).__name__) from error

    async def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()


async def _end(task: asyncio.Task[Any], link: Link | None) -> None:
    """Cancel a statement that hung, and close its connection whenever that is done."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if link is not None:
        await link.close()
