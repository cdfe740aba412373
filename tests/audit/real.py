"""The stores of both databases, and what stands in them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from iwrouting.audit.writing.postgresql import PostgreSQLStore
from iwrouting.audit.writing.sqlite import SQLiteStore
from iwrouting.audit.writing.storing import Store
from iwrouting.types import EnvironmentFacts
from tests.live.databases import IS_POSTGRESQL, statement

UNDER = EnvironmentFacts("e" * 16, {})
BOUND_S = 20.0


def store_of(url: str, **parameters: object) -> Store:
    """A store of the database at `url`, with a connection of its own; `parameters` are those of PostgreSQL's."""
    if IS_POSTGRESQL:
        return PostgreSQLStore({**conninfo_to_dict(url), **parameters}, UNDER)
    return SQLiteStore(urlsplit(url).path[1:], UNDER)


def with_store(url: str, work: Callable[[Any], Awaitable[None]], **parameters: object) -> None:
    """Do it with a store, which is closed afterwards."""

    async def whole() -> None:
        store = store_of(url, **parameters)
        try:
            await work(store)
        finally:
            await store.close()

    asyncio.run(whole())


@contextmanager
def busy(url: str) -> Iterator[None]:
    """Nobody else can write decisions within the block."""
    if IS_POSTGRESQL:
        with psycopg.connect(url) as link:
            link.execute("LOCK TABLE iwrouting_decision IN EXCLUSIVE MODE")
            yield
        return
    other = sqlite3.connect(urlsplit(url).path[1:], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


def stored(table: str, **where: object) -> list[dict[str, Any]]:
    """The rows of a table, in the order of their numbers."""
    conditions = " AND ".join(f"{name} = %s" for name in where) or "true"
    sql = f"SELECT * FROM {table} WHERE {conditions} ORDER BY writer_seq"  # noqa: S608 - names of the tests
    return statement(sql, *(str(value) for value in where.values()))
