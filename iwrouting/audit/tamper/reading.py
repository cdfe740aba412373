"""Rows of the chain as they stand in the database, by writer and in the order of their numbers (design.md 6).

Every statement is bounded: it goes along an index and takes at most CHUNK rows. Values come as `chain.canonical` needs
them. What no writer could have stored comes as it is, so that one spoilt row neither stops nor escapes a verification.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import DataError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.datetime import TimestamptzLoader

from iwrouting.audit.rows import LATE_USAGE
from iwrouting.audit.tamper.chain import HASH
from iwrouting.audit.tamper.placed import AUDITED, CHAINED, DECISION, Placed, Values

CHUNK = 1000
LOWEST, HIGHEST = -(2**63), 2**63 - 1
NO_ID = "00000000-0000-0000-0000-000000000000"


class Reader:
    """Reads one database. All its methods block."""

    def __init__(self, using: str = "default") -> None:
        self._connection = connections[using]
        self._is_sqlite = self._connection.vendor == "sqlite"
        self._known: dict[str, tuple[str, Callable[[Sequence[Any]], Values]]] = {}

    def writers(self) -> Iterator[str]:
        """Every writer id that a row of the chain names, some twice; one step along the index each."""
        for table in CHAINED:
            yield from self._writers_of(table)

    def head(self, writer: str) -> tuple[int, str] | None:
        """Number and hash of the last row that a writer has in its chain; None where it has none."""
        found = [
            row
            for table in CHAINED
            for row in self._ask(
                f"SELECT writer_seq, chain_hash FROM {table} WHERE writer_id = %s AND chain_hash <> '' "  # noqa: S608
                f"AND writer_seq <= {HIGHEST} ORDER BY writer_seq DESC LIMIT 1",
                [writer],
            )
        ]
        return max(((number, _clean_hash(text)) for number, text in found), default=None)

    def last_number(self, writer: str) -> int:
        """The highest number of its rows, with or without a hash; 0 where it has none."""
        found = [
            row[0]
            for table in CHAINED
            for row in self._ask(
                f"SELECT writer_seq FROM {table} WHERE writer_id = %s AND writer_seq <= {HIGHEST} "  # noqa: S608
                "ORDER BY writer_seq DESC LIMIT 1",
                [writer],
            )
        ]
        return max(found, default=0)

    def first_number(self, writer: str, since: datetime) -> int | None:
        """The number of its first decision at or after a time; None where it has none.

        By halving: decisions are numbered in the order of their times, but for those that waited together, and for
        usage that was told later, which is passed over.
        """
        moment: Any = str(since.astimezone(UTC).replace(tzinfo=None)) if self._is_sqlite else since
        low, high = 1, self.last_number(writer)
        found = None
        while low <= high:
            middle = (low + high) // 2
            decision = self._next_decision(writer, middle)
            if decision is None or decision[0] > high:
                high = middle - 1
            elif isinstance(decision[1], type(moment)) and decision[1] < moment:
                low = decision[0] + 1
            else:
                found, high = decision[0], middle - 1
        return found

    def hash_at(self, writer: str, number: int) -> str | None:
        """The hash of the row with this number; None where there is none."""
        for table in CHAINED:
            for (found,) in self._ask(
                f"SELECT chain_hash FROM {table} WHERE writer_id = %s AND writer_seq = %s LIMIT 1",  # noqa: S608
                [writer, number],
            ):
                return _clean_hash(found)
        return None

    def rows(self, writer: str, *, after: int = LOWEST, to: int = HIGHEST) -> Iterator[Placed]:
        """Its rows of all tables with numbers above `after` up to `to`, in the order of their numbers."""
        return heapq.merge(*(self._rows_of(table, writer, after, to) for table in CHAINED), key=_place)

    def not_numbered(self, writer: str) -> Iterator[Placed]:
        """Its rows whose number is no number at all, which only SQLite lets stand; they come under the number 0."""
        return self._odd(f"writer_id = %s AND writer_seq > {HIGHEST}", [writer])

    def strangers(self) -> Iterator[Placed]:
        """Rows whose writer's id is no text, which only SQLite lets stand; they come under the number 0."""
        return self._odd("writer_id >= X''", [])

    def _odd(self, condition: str, parameters: Sequence[Any]) -> Iterator[Placed]:
        for table in AUDITED if self._is_sqlite else ():
            names, read = self._columns(table)
            statement = f"SELECT {names} FROM {table} WHERE {condition} LIMIT {CHUNK}"  # noqa: S608
            for row in self._ask(statement, parameters):
                yield Placed(0, table, read(row))

    def _writers_of(self, table: str) -> Iterator[str]:
        statement = f"SELECT writer_id FROM {table} WHERE writer_id {{}} %s ORDER BY writer_id LIMIT 1"  # noqa: S608
        found = self._ask(statement.format(">="), [""])
        while found and isinstance(found[0][0], str):
            [(last,)] = found
            yield last
            found = self._ask(statement.format(">"), [last])

    def _next_decision(self, writer: str, number: int) -> tuple[int, Any] | None:
        column = '+"decision_at"' if self._is_sqlite else "decision_at"
        found = self._ask(
            f"SELECT writer_seq, {column} FROM {DECISION} WHERE writer_id = %s AND writer_seq >= %s "  # noqa: S608
            "AND endpoint <> %s ORDER BY writer_seq LIMIT 1",
            [writer, number, LATE_USAGE],
        )
        return next(iter(found), None)

    def _rows_of(self, table: str, writer: str, after: int, to: int) -> Iterator[Placed]:
        names, read = self._columns(table)
        # Two rows with one number are a finding: the id takes part, so that none of them falls between two chunks.
        statement = (
            f"SELECT {names} FROM {table} WHERE writer_id = %s AND writer_seq >= %s AND writer_seq <= %s "  # noqa: S608
            f"AND (writer_seq > %s OR id > %s) ORDER BY writer_seq, id LIMIT {CHUNK}"
        )
        number: Any = after + 1
        last_id: Any = NO_ID.replace("-", "") if self._is_sqlite else NO_ID
        while True:
            found = self._ask(statement, [writer, number, to, number, last_id])
            for row in found:
                values = read(row)
                number = values["writer_seq"]
                # SQLite lets a fraction stand here; the chain has no such place.
                yield Placed(number if isinstance(number, int) else 0, table, values)
            if len(found) < CHUNK:
                return
            # The id as it stands there: it is the first column of all these tables.
            last_id = found[-1][0]

    def _columns(self, table: str) -> tuple[str, Callable[[Sequence[Any]], Values]]:
        """What to select of a table, and how to read a row of it."""
        if table not in self._known:
            columns = _columns_of(self._connection, table)
            # As an expression a column has no declared type: Django's converters would fail at a spoilt value.
            selected = (f'+"{name}" AS "{name}"' if self._is_sqlite else f'"{name}"' for name in columns)
            self._known[table] = ", ".join(selected), _reader_of(columns)
        return self._known[table]

    def _ask(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        try:
            return self._fetch(statement, parameters)
        except (DataError, OperationalError) as error:
            if not _is_spoilt(error):
                raise
            return self._fetch_spoilt(statement, parameters)

    def _fetch(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _fetch_spoilt(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        """The same, with what can't be read as the type of its column as text."""
        if not self._is_sqlite:
            with self._connection.cursor() as cursor:
                cursor.cursor.adapters.register_loader("timestamptz", _AnyTime)
                cursor.execute(statement, parameters)
                return list(cursor.fetchall())
        link = self._connection.connection
        kept, link.text_factory = link.text_factory, _any_text
        try:
            return self._fetch(statement, parameters)
        finally:
            link.text_factory = kept


class _AnyTime(TimestamptzLoader):
    """A time, or the text of one that Python has no value for, such as infinity."""

    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except Exception:  # psycopg's own DataError, for every such value
            return bytes(data).decode()


def _any_text(data: bytes) -> str:
    """A text of SQLite; one that is no UTF-8 gets surrogates, which no writer stores."""
    return data.decode("utf-8", "surrogateescape")


def _is_spoilt(error: Exception) -> bool:
    return isinstance(error, DataError) or "Could not decode to UTF-8" in str(error)


def _place(row: Placed) -> int:
    return row.number


def _columns_of(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    """The columns that a table has in the database, where a newer release may have added some; SQLite: their types."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA table_info({table})")
            return {name: kind for _, name, kind, *_ in cursor.fetchall()}
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608
        return {column.name: "" for column in cursor.description}


def _reader_of(columns: dict[str, str]) -> Callable[[Sequence[Any]], Values]:
    """How to read a row; on SQLite by declared types: ids without dashes, naive times as text, truth as 0 and 1."""
    names = tuple(columns)
    readers = [(name, _SQLITE[kind]) for name, kind in columns.items() if kind in _SQLITE]
    readers += [(HASH, _clean_hash)] if readers else []

    def read(row: Sequence[Any]) -> Values:
        values = dict(zip(names, row, strict=True))
        for name, as_written in readers:
            if values[name] is not None:
                values[name] = as_written(values[name])
        return values

    return read


def _clean_hash(value: Any) -> str:
    """A hash, or something else as text that can be hashed on, where SQLite lets that stand."""
    return value if isinstance(value, str) and value.isascii() else ascii(value)


def _sqlite_id(value: Any) -> Any:
    if not isinstance(value, str) or len(value) != 32:
        return value
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _sqlite_time(value: Any) -> Any:
    return f"{value.replace(' ', 'T', 1)}Z" if isinstance(value, str) else value


def _sqlite_truth(value: Any) -> Any:
    return bool(value) if value in (0, 1) else value


_SQLITE: dict[str, Callable[[Any], Any]] = {"char(32)": _sqlite_id, "datetime": _sqlite_time, "bool": _sqlite_truth}
