"""Rows to SQLite: one writer thread, WAL, synchronous=FULL, BEGIN IMMEDIATE; the very values Django would store."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from django.db import models

from iwrouting.audit.budget import Booking, Claim, Verdict, booking
from iwrouting.audit.rows import BLANK, MODELS, ORDER, Row
from iwrouting.audit.writer import Rows, RowsOf, RowsRefused, StoreDown
from iwrouting.models import EnvironmentSnapshot
from iwrouting.types import EnvironmentFacts

T = TypeVar("T")
BUSY_S = 1.5


def _insert(table: str) -> str:
    columns = ", ".join(f'"{column}"' for column in BLANK[table])
    values = ", ".join(f"?{index}" for index in range(1, len(BLANK[table]) + 1))
    # The insert-only triggers refuse a second row of one id, so a repeated batch has to look first.
    return f'INSERT INTO "{table}" ({columns}) SELECT {values} WHERE NOT EXISTS (SELECT 1 FROM "{table}" WHERE id = ?1)'  # noqa: S608


def _columns(model: type[models.Model], kind: type[models.Field[Any, Any]]) -> tuple[str, ...]:
    fields = model._meta.concrete_fields
    return tuple(str(field.column) for field in fields if isinstance(getattr(field, "target_field", field), kind))


INSERTS = {table: _insert(table) for table in ORDER}
IDS = {table: _columns(model, models.UUIDField) for table, model in MODELS.items()}
TIMES = {table: _columns(model, models.DateTimeField) for table, model in MODELS.items()}
_ENVIRONMENTS = EnvironmentSnapshot._meta.db_table
INSERT_ENVIRONMENT = (
    f'INSERT INTO "{_ENVIRONMENTS}" (id, first_seen_at, "values") SELECT ?1, ?2, ?3 '  # noqa: S608 - our own names
    f'WHERE NOT EXISTS (SELECT 1 FROM "{_ENVIRONMENTS}" WHERE id = ?1)'
)


class SQLiteStore:
    """All use of the connection happens in one thread of its own."""

    def __init__(self, path: str, environment: EnvironmentFacts) -> None:
        self._path = path
        self._environment = environment
        self._thread = ThreadPoolExecutor(1, "iw-audit-sqlite")
        self._link: sqlite3.Connection | None = None
        self.not_durable = ""

    async def ping(self) -> None:
        """Connect if need be. Raises StoreDown."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._ping)

    async def insert(self, rows: Rows) -> None:
        """Commit the rows. Raises StoreDown or RowsRefused."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._kept, lambda link: _write(link, rows))

    async def book(self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf) -> list[Verdict]:
        """Book the claims and commit the rows that their verdicts make. Raises StoreDown or RowsRefused."""

        def work(link: sqlite3.Connection) -> list[Verdict]:
            verdicts = _drive(link, booking(claims, repeated, datetime.now(UTC), self))
            _write(link, rows_of(verdicts))
            return verdicts

        return await asyncio.get_running_loop().run_in_executor(self._thread, self._kept, work)

    lock = ""

    def ident(self, hexadecimal: str) -> str:
        """An id as a parameter."""
        return hexadecimal

    def moment(self, moment: datetime) -> str:
        """A time as a parameter."""
        return as_django_time(moment)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown()

    def _kept(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it in a transaction. Raises StoreDown or RowsRefused."""
        try:
            return _committed(self._link or self._connect(), work)
        except (sqlite3.DataError, sqlite3.IntegrityError, OverflowError) as error:
            raise RowsRefused(type(error).__name__) from error
        except sqlite3.Error as error:
            self._drop()
            raise StoreDown(str(error)) from error

    def _ping(self) -> None:
        try:
            (self._link or self._connect()).execute("SELECT 1")
        except sqlite3.Error as error:
            self._drop()
            raise StoreDown(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        link = sqlite3.connect(
            f"file:{self._path}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        link.execute("PRAGMA synchronous=FULL")
        values = orjson.dumps(dict(self._environment.values), option=orjson.OPT_SORT_KEYS).decode()
        link.execute(INSERT_ENVIRONMENT, (self._environment.id, as_django_time(datetime.now(UTC)), values))
        self._link = link
        return link

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


def _committed(link: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    link.execute("BEGIN IMMEDIATE")
    try:
        done = work(link)
        link.execute("COMMIT")
    except BaseException:
        if link.in_transaction:
            link.execute("ROLLBACK")
        raise
    return done


def _write(link: sqlite3.Connection, rows: Rows) -> None:
    for table in ORDER:
        link.executemany(INSERTS[table], [as_sqlite(table, row) for name, row in rows if name == table])


def _drive(link: sqlite3.Connection, steps: Booking) -> list[Verdict]:
    """Execute what the booking asks for, and tell it what was found."""
    try:
        statement, parameters = next(steps)
        while True:
            found = link.execute(statement.replace("%s", "?"), parameters).fetchall()
            statement, parameters = steps.send(found)
    except StopIteration as end:
        verdicts: list[Verdict] = end.value
        return verdicts


def as_sqlite(table: str, row: Row) -> tuple[Any, ...]:
    """A row as Django stores it on SQLite: UUIDs as 32 hex digits, times as naive UTC text."""
    converted = dict(row)
    for column in IDS[table]:
        converted[column] = None if row[column] is None else row[column].replace("-", "")
    for column in TIMES[table]:
        converted[column] = None if row[column] is None else as_django_time(row[column])
    return tuple(converted.values())


def as_django_time(moment: datetime) -> str:
    """A UTC time as Django's SQLite backend writes it."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))
