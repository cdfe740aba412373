"""A cursor for statements that may only take so long each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

CANCELED = "57014"
"""PostgreSQL's code for a statement that took longer than its limit."""

INSTRUCTIONS = 50_000
"""So often, in steps of its machine, SQLite looks at the clock: about every millisecond."""


class OutOfTime(Exception):
    """A statement took longer than it might."""


@contextmanager
def cursor_for(seconds: float | None, hints: str = "") -> Iterator[CursorWrapper]:
    """A cursor whose statements, and all others of the connection, end by OutOfTime after so many seconds; None:
    whenever they end. `hints`: statements for PostgreSQL that go before, each with its semicolon."""
    if connection.vendor == "postgresql":
        with _on_postgresql(seconds, hints) as cursor:
            yield cursor
    else:
        with _on_sqlite(seconds) as cursor:
            yield cursor


@contextmanager
def _on_postgresql(seconds: float | None, hints: str) -> Iterator[CursorWrapper]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            milliseconds = 0 if seconds is None else max(1, int(seconds * 1000))
            cursor.execute(f"{hints}SET LOCAL statement_timeout = {milliseconds}")
            yield cursor
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == CANCELED:
            raise OutOfTime from None
        raise


@contextmanager
def _on_sqlite(seconds: float | None) -> Iterator[CursorWrapper]:
    """Outside of any transaction: one would hold the lock for writing."""
    end = None if seconds is None else time.monotonic() + seconds

    def is_late() -> bool:
        return end is not None and time.monotonic() > end

    with connection.cursor() as cursor:
        connection.connection.set_progress_handler(is_late, INSTRUCTIONS)
        try:
            yield cursor
        except OperationalError:
            if is_late():
                raise OutOfTime from None
            raise
        finally:
            connection.connection.set_progress_handler(None, 0)
