"""Rows to PostgreSQL: one statement a batch on a dedicated autocommit connection, outside Django's pool."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
import psycopg
from psycopg.rows import tuple_row

from iwrouting.audit.rows import Row
from iwrouting.audit.writing import statements
from iwrouting.audit.writing.budget import Booking, Claim, Verdict, booking
from iwrouting.audit.writing.quarantine import DUPLICATE, quarantined
from iwrouting.audit.writing.storing import Rows, RowsOf, RowsRefused, StoreDown
from iwrouting.types import EnvironmentFacts

T = TypeVar("T")
Link = psycopg.AsyncConnection[tuple[Any, ...]]
STATEMENT_S = 2.0
END_S = 1.0
MOST_HUNG = 2
TRIES = 3
CONFLICTS = ("40P01", "40001")
HARMLESS = (*CONFLICTS, "55P03", "57014", "53100", "53200")
"""Errors after which the session is as good as before: a conflict, a lock, a statement's time, the server's disk."""

NO_CONNECTION = (
    "Connection refused",
    "password authentication failed",
    "does not exist",
    "too many clients",
    "connection slots are reserved",
    "is starting up",
    "is shutting down",
    "not yet accepting connections",
    "failed to resolve host",
    "timeout expired",
    "closed the connection unexpectedly",
)
"""What is repeated of the words of server and network where there is no SQLSTATE: others hold names and addresses."""


class PostgreSQLStore:
    """Connects when it is first used; a lost or hung connection is dropped and made again at the next use.

    What does not end in time goes on, and the next use waits for it first: a slow database keeps its one connection.
    Only where it has not ended by then either it is hung, and is closed; no more than MOST_HUNG are open at once.
    """

    lock = " FOR UPDATE"

    def __init__(self, parameters: dict[str, Any], environment: EnvironmentFacts) -> None:
        django_only = ("cursor_factory", "context", "server_side_binding")
        self._parameters = {name: value for name, value in parameters.items() if name not in django_only}
        self._environment = environment
        self._link: Link | None = None
        self._bounds_told = (0, 0)
        self._late: asyncio.Task[Any] | None = None
        self._hung: set[asyncio.Task[None]] = set()
        self.not_durable = ""
        self.duplicates = 0

    async def beat(self, told: Row, bound_s: float) -> None:
        """Insert or update this process's Writer row. Raises StoreDown."""
        try:
            await self._kept(lambda link: self._beat(link, told), bound_s)
        except RowsRefused as error:
            raise StoreDown(str(error)) from error

    async def insert(self, rows: Rows, bound_s: float) -> None:
        """Commit the rows, in one round trip where none is there already. Raises StoreDown or RowsRefused."""
        if rows:
            await self._kept(lambda link: self._insert(link, rows), bound_s)

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        """Book the claims and commit the rows that their verdicts make. Raises StoreDown or RowsRefused."""

        def work(link: Link) -> Coroutine[Any, Any, list[Verdict]]:
            return self._book(link, booking(claims, repeated, datetime.now(UTC), self), rows_of)

        return await self._kept(work, bound_s)

    def ident(self, hexadecimal: str) -> str:
        """An id as a parameter."""
        return hexadecimal

    def moment(self, moment: datetime) -> datetime:
        """A time as a parameter."""
        return moment

    async def close(self) -> None:
        """Close the connection."""
        if self._late is not None:
            await self._end_late()
        await self._drop()

    async def _kept(self, work: Callable[[Link], Coroutine[Any, Any, T]], bound_s: float) -> T:
        """Do it within the bound. Raises StoreDown or RowsRefused."""
        try:
            return await self._bounded(self._tried(work, bound_s), bound_s)
        except psycopg.Error as error:
            if _is_the_rows_fault(error):
                raise RowsRefused(_reason(error)) from error
            if error.sqlstate not in HARMLESS:
                await self._drop()
            raise StoreDown(_reason(error)) from error
        except OSError as error:
            await self._drop()
            raise StoreDown(type(error).__name__) from error

    async def _tried(self, work: Callable[[Link], Coroutine[Any, Any, T]], bound_s: float) -> T:
        """Do it, again where it collided with another transaction."""
        for left in reversed(range(TRIES)):
            try:
                return await work(await self._linked(bound_s))
            except psycopg.Error as error:
                if error.sqlstate not in CONFLICTS or not left:
                    raise
                await asyncio.sleep(random.uniform(0.005, 0.05))  # noqa: S311 - so that two do not collide again
        raise AssertionError("the last try returns or raises")

    async def _bounded(self, work: Coroutine[Any, Any, T], bound_s: float) -> T:
        if self._late is not None and not await self._is_over(self._late, bound_s):
            work.close()
            raise StoreDown("an earlier statement hangs")
        self._late = task = asyncio.create_task(work)
        done, _ = await asyncio.wait({task}, timeout=bound_s)
        if not done:
            raise StoreDown("no answer in time")
        self._late = None
        return task.result()

    async def _is_over(self, late: asyncio.Task[Any], bound_s: float) -> bool:
        """Whether what was late has ended, within another bound; else it is given up, at once while it connects."""
        done, _ = await asyncio.wait({late}, timeout=bound_s if self._link else 0)
        if not done:
            await self._end_late()
            return False
        self._late = None
        if late.cancelled() or late.exception() is not None:
            # What it left the connection in is not known.
            await self._drop()
        return True

    async def _end_late(self) -> None:
        """Give up what hangs. A cancelled psycopg call waits for the server to confirm: nobody here waits for that."""
        late, self._late = self._late, None
        link, self._link = self._link, None
        if late is not None:
            hung = asyncio.create_task(_end(late, link))
            self._hung.add(hung)
            hung.add_done_callback(self._hung.discard)

    async def _linked(self, bound_s: float) -> Link:
        link = self._link or await self._connect()
        told = (int(max(STATEMENT_S, bound_s) * 1000), int(bound_s * 800))
        if told != self._bounds_told:
            await link.execute(statements.SET_BOUNDS, [str(each) for each in told])
            self._bounds_told = told
        return link

    async def _connect(self) -> Link:
        if len(self._hung) >= MOST_HUNG:
            raise psycopg.OperationalError("connections that hang are still being closed")
        link = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True, row_factory=tuple_row)
        try:
            await self._set_up(link)
        except BaseException:
            await link.close()
            raise
        self._link, self._bounds_told = link, (0, 0)
        return link

    async def _set_up(self, link: Link) -> None:
        row = await (await link.execute(statements.DURABILITY)).fetchone()
        self.not_durable = next((f"{name} is off on the server" for name in row or () if name), "")
        await link.execute("SET synchronous_commit = on")
        values = orjson.dumps(dict(self._environment.values), option=orjson.OPT_SORT_KEYS).decode()
        await link.execute(statements.INSERT_ENVIRONMENT, [self._environment.id, datetime.now(UTC), values])

    async def _beat(self, link: Link, told: Row) -> None:
        await link.execute(statements.BEAT, told)

    async def _insert(self, link: Link, rows: Rows) -> None:
        statement, parameters = statements.insertion(rows, strict=True)
        try:
            await link.execute(statement, parameters)
        except psycopg.errors.InvalidTextRepresentation as error:
            if statements.KEPT_OUT not in str(error.diag.message_primary):
                raise
            async with link.transaction():
                await self._insert_what_fits(link, rows)

    async def _insert_what_fits(self, link: Link, rows: Rows) -> None:
        """Insert in a transaction; what is kept out goes to quarantine, unless it is there as it is."""
        if not rows:
            return
        statement, parameters = statements.insertion(rows, strict=False)
        found = await (await link.execute(statement, parameters)).fetchone()
        if found is not None and found[0]:
            return
        stored: set[tuple[str, str, int]] = set()
        for statement, parameters in statements.lookups(rows):
            stored.update(await (await link.execute(statement, parameters)).fetchall())
        aside = [quarantined(table, row, DUPLICATE) for table, row in statements.missing(rows, stored)]
        if aside:
            await link.execute(*statements.insertion(aside, strict=False))
            self.duplicates += len(aside)

    async def _book(self, link: Link, steps: Booking, rows_of: RowsOf) -> list[Verdict]:
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
            await self._insert_what_fits(link, rows_of(verdicts))
        return verdicts

    async def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()


def _is_the_rows_fault(error: psycopg.Error) -> bool:
    """Whether it would fail for ever; a read-only, full or half-migrated database may come back."""
    if isinstance(error, psycopg.errors.CheckViolation) and not error.diag.constraint_name:
        # No partition for the row: the default one is being drained, or a month made.
        return False
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError) or (error.sqlstate or "").startswith("54")


def _reason(error: psycopg.Error) -> str:
    """Its SQLSTATE and the column or constraint, never a value; without a state why there is no connection."""
    if error.sqlstate is None:
        words = str(error)
        return ": ".join([type(error).__name__, *(each for each in NO_CONNECTION if each in words)][:2])
    return f"{error.sqlstate} {error.diag.constraint_name or error.diag.column_name or ''}".strip()


async def _end(task: asyncio.Task[Any], link: Link | None) -> None:
    """Cancel a statement that hung, for good after END_S, and close its connection."""
    for _ in range(2):
        task.cancel()
        await asyncio.wait({task}, timeout=END_S)
    with suppress(asyncio.CancelledError, Exception):
        await _closed(link)


async def _closed(link: Link | None) -> None:
    if link is not None:
        await link.close()
