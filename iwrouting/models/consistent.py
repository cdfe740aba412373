"""Reading several tables as they stood at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction that sees one moment and waits for nobody; inside another one, that."""
    database: Any = connection
    if database.in_atomic_block:
        yield
        return
    database.ensure_connection()  # a new one would set its mode anew
    usual = getattr(database, "transaction_mode", None)
    try:
        if database.vendor == "sqlite":
            database.transaction_mode = None  # the usual IMMEDIATE waits for the one writer
        with transaction.atomic():
            database.transaction_mode = usual
            if database.vendor == "postgresql":
                with database.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    finally:
        database.transaction_mode = usual
