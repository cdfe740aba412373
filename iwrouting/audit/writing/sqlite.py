"""Rows to SQLite: one writer thread, WAL, synchronous=FULL, BEGIN IMMEDIATE; the very values Django would store."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from django.db import models

from iwrouting.audit.rows import BLANK, IDS, MODELS, NUMBERED, ORDER, QUARANTINE, TIMES, Row
from iwrouting.audit.writing.budget import Booking, Claim, Verdict, booking, hexed
from iwrouting.audit.writing.quarantine import DUPLICATE, quarantined
from iwrouting.audit.writing.statements import NAMED, TOLD
from iwrouting.audit.writing.storing import Rows, RowsOf, RowsRefused, StoreDown
from iwrouting.models import EnvironmentSnapshot, Writer
from iwrouting.types import EnvironmentFacts

T = TypeVar("T")
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


def _insert(table: str) -> str:
    names = list(BLANK[table])
    columns = ", ".join(f'"{column}"' for column in names)
    values = ", ".join(f"?{index}" for index in range(1, len(names) + 1))
    # The insert-only triggers refuse a second row of one key, so a repeated batch has to look first.
    there = " OR ".join(
        " AND ".join(f'"{column}" = ?{names.index(column) + 1}' for column in key) for key in _keys(MODELS[table])
    )
    return f'INSERT INTO "{table}" ({columns}) SELECT {values} WHERE NOT EXISTS (SELECT 1 FROM "{table}" WHERE {there})'  # noqa: S608


def _keys(model: type[models.Model]) -> list[list[str]]:
    """The columns of its primary key, and of its unique constraints."""
    unique = [each.fields for each in model._meta.constraints if isinstance(each, models.UniqueConstraint)]
    return [["id"], *([str(model._meta.get_field(name).column) for name in fields] for fields in unique)]  # type: ignore[union-attr] # a constraint has columns


def _beat() -> str:
    names = (*NAMED, *TOLD, "started_at", "heartbeat_at", "ended_at")
    changes = ", ".join(f"{name} = excluded.{name}" for name in (*TOLD, "heartbeat_at", "ended_at"))
    values = ", ".join(f":{name}" for name in names)
    return (
        f'INSERT INTO "{Writer._meta.db_table}" ({", ".join(names)}) VALUES ({values}) '  # noqa: S608 - our own names
        f"ON CONFLICT (id) DO UPDATE SET {changes}, swept_at = NULL"
    )


INSERTS = {table: _insert(table) for table in ORDER}
BEAT = _beat()
_ENVIRONMENTS = EnvironmentSnapshot._meta.db_table
INSERT_ENVIRONMENT = (
    f'INSERT INTO "{_ENVIRONMENTS}" (id, first_seen_at, "values") SELECT ?1, ?2, ?3 '  # noqa: S608 - our own names
    f'WHERE NOT EXISTS (SELECT 1 FROM "{_ENVIRONMENTS}" WHERE id = ?1)'
)


class SQLiteStore:
    """All use of the connection happens in one thread of its own.

    What does not end in time goes on there, and the next use waits for it first.
    """

    lock = ""

    def __init__(self, path: str, environment: EnvironmentFacts) -> None:
        self._path = path
        self._environment = environment
        self._thread = ThreadPoolExecutor(1, "iw-audit-sqlite")
        self._link: sqlite3.Connection | None = None
        self._late: asyncio.Future[Any] | None = None
        self.not_durable = ""
        self.duplicates = 0

    async def beat(self, told: Row, bound_s: float) -> None:
        """Insert or update this process's Writer row, by this process's clock. Raises StoreDown."""
        now = datetime.now(UTC)
        times = {"started_at": now, "heartbeat_at": now, "ended_at": now if told["ended"] else None}
        values = {**told, **times}
        row = {name: as_django_time(each) if isinstance(each, datetime) else each for name, each in values.items()}
        try:
            await self._bounded(lambda link: link.execute(BEAT, row), bound_s)
        except RowsRefused as error:
            raise StoreDown(str(error)) from error

    async def insert(self, rows: Rows, bound_s: float) -> None:
        """Commit the rows. Raises StoreDown or RowsRefused."""
        await self._bounded(lambda link: self._write(link, rows), bound_s)

    async def book(
        self, claims: Sequence[Claim], repeated: Sequence[Claim], rows_of: RowsOf, bound_s: float
    ) -> list[Verdict]:
        """Book the claims and commit the rows that their verdicts make. Raises StoreDown or RowsRefused."""

        def work(link: sqlite3.Connection) -> list[Verdict]:
            verdicts = _drive(link, booking(claims, repeated, datetime.now(UTC), self))
            self._write(link, rows_of(verdicts))
            return verdicts

        return await self._bounded(work, bound_s)

    def ident(self, hexadecimal: str) -> str:
        """An id as a parameter."""
        return hexadecimal

    def moment(self, moment: datetime) -> str:
        """A time as a parameter."""
        return as_django_time(moment)

    async def close(self) -> None:
        """Close the connection and end the thread; what hangs there is not waited for."""
        if self._late is None or self._late.done():
            await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown(wait=False)

    async def _bounded(self, work: Callable[[sqlite3.Connection], T], bound_s: float) -> T:
        if self._late is not None and not self._late.done():
            await asyncio.wait({self._late}, timeout=bound_s)
            if not self._late.done():
                raise StoreDown("an earlier statement hangs")
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._kept, work, bound_s)
        self._late = future
        await asyncio.wait({future}, timeout=bound_s)
        if not future.done():
            # Nobody asks for it any more: what it raises must not be told as never retrieved.
            future.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise StoreDown("no answer in time")
        return future.result()

    def _kept(self, work: Callable[[sqlite3.Connection], T], bound_s: float) -> T:
        """Do it in a transaction. Raises StoreDown or RowsRefused."""
        try:
            link = self._link or self._connect()
            link.execute(f"PRAGMA busy_timeout = {int(bound_s * 900)}")
            return _committed(link, work)
        except (sqlite3.DataError, sqlite3.IntegrityError, OverflowError, UnicodeEncodeError, _BadValue) as error:
            raise RowsRefused(f"{type(error).__name__.lstrip('_')} {_place(error)}".strip()) from error
        except sqlite3.Error as error:
            if "binding parameter" in str(error):
                raise RowsRefused(type(error).__name__) from error
            self._drop()
            raise StoreDown(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        link = sqlite3.connect(
            f"file:{self._path}?mode=rw", uri=True, timeout=0.3, isolation_level=None, check_same_thread=False
        )
        try:
            link.execute("PRAGMA synchronous=FULL")
            values = orjson.dumps(dict(self._environment.values), option=orjson.OPT_SORT_KEYS).decode()
            link.execute(INSERT_ENVIRONMENT, (self._environment.id, as_django_time(datetime.now(UTC)), values))
        except sqlite3.Error:
            link.close()
            raise
        self._link = link
        return link

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _write(self, link: sqlite3.Connection, rows: Rows) -> None:
        """Insert the rows; what a unique constraint keeps out, and is not stored as it is, goes to quarantine."""
        by_table: dict[str, list[Row]] = {}
        for table, row in rows:
            by_table.setdefault(table, []).append(row)
        for table, found in by_table.items():
            done = link.executemany(INSERTS[table], [as_sqlite(table, row) for row in found])
            if done.rowcount < len(found) and table in NUMBERED:
                aside = [quarantined(table, row, DUPLICATE) for row in found if not _stands(link, table, row)]
                link.executemany(INSERTS[QUARANTINE], [as_sqlite(*each) for each in aside])
                self.duplicates += len(aside)


def _stands(link: sqlite3.Connection, table: str, row: Row) -> bool:
    found = link.execute(
        f'SELECT 1 FROM "{table}" WHERE id = ? AND writer_id = ? AND writer_seq = ?',  # noqa: S608 - our own names
        (hexed(row["id"]), row["writer_id"], row["writer_seq"]),
    )
    return found.fetchone() is not None


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


class _BadValue(Exception):
    """A value that SQLite would store, and Django could not read."""


def _place(error: Exception) -> str:
    """The column or constraint that it names, never a value."""
    return str(error) if isinstance(error, sqlite3.IntegrityError | _BadValue) else ""


def as_sqlite(table: str, row: Row) -> tuple[Any, ...]:
    """A row as Django stores it on SQLite: UUIDs as 32 hex digits, times as naive UTC text. Raises _BadValue."""
    converted = dict(row)
    for column in IDS[table]:
        converted[column] = None if row[column] is None else _hex(column, row[column])
    for column in TIMES[table]:
        converted[column] = None if row[column] is None else as_django_time(row[column])
    return tuple(converted.values())


def _hex(column: str, text: str) -> str:
    if not UUID_TEXT.fullmatch(text):
        raise _BadValue(f"{column} is no UUID")
    return text.replace("-", "").lower()


def as_django_time(moment: datetime) -> str:
    """A UTC time as Django's SQLite backend writes it."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))
