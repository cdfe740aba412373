"""A database of our own for the service that the tests start, and the way to read it back by the ORM."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from iwrouting.conf import settings

ALIAS = "live"
IS_POSTGRESQL = connection.vendor == "postgresql"


@contextmanager
def own_database(folder: Path, worker: str) -> Iterator[str]:
    """An empty database beside the one of DATABASE_URL, gone afterwards; gives its URL.

    folder: where a SQLite file may be. worker: makes the name one of this test process.
    """
    if not IS_POSTGRESQL:
        yield f"sqlite:///{folder / 'live.sqlite3'}"
        return
    parts = urlsplit(settings().database_url)
    name = f"{parts.path.lstrip('/')}_live_{worker}"
    _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _on_server(f'CREATE DATABASE "{name}"')
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    with psycopg.connect(settings().database_url, autocommit=True) as server:
        server.execute(statement.encode())


@contextmanager
def readable(url: str) -> Iterator[str]:
    """Within it the database is known to Django as `live`; gives that alias. The connection stays open for the next.

    A block inside another one takes its place, and gives it back.
    """
    outer = (connections.databases[ALIAS], connections[ALIAS]) if ALIAS in connections.databases else None
    connections.databases[ALIAS] = _settings(url)
    if url in _kept:
        connections[ALIAS] = _kept[url]
    elif outer:
        del connections[ALIAS]
    try:
        yield ALIAS
    finally:
        _kept[url] = connections[ALIAS]
        del connections[ALIAS], connections.databases[ALIAS]
        if outer:
            connections.databases[ALIAS], connections[ALIAS] = outer


_kept: dict[str, BaseDatabaseWrapper] = {}


def forget(url: str) -> None:
    """Close the connection to a database that is about to go."""
    if url in _kept:
        _kept.pop(url).close()


def _settings(url: str) -> dict[str, Any]:
    found = copy.deepcopy(connections["default"].settings_dict)
    found["OPTIONS"].pop("pool", None)
    path = urlsplit(url).path
    return {**found, "NAME": path.lstrip("/") if IS_POSTGRESQL else path[1:]}


def statement(sql: str, *parameters: str) -> list[dict[str, Any]]:
    """The rows of one SQL statement on the live database, each by column name."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(sql, parameters)
        if cursor.description is None:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
