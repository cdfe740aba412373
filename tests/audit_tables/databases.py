"""A second, empty database beside the one of the tests, for what a test's transaction can't hold: migrations."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, connections

IS_POSTGRESQL = connection.vendor == "postgresql"
ALIAS = "own"


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """An empty database of the same kind as the tests' own; gives its alias. folder: where a SQLite file may be."""
    settings = copy.deepcopy(connections["default"].settings_dict)
    settings["NAME"] = f"iw_{secrets.token_hex(6)}" if IS_POSTGRESQL else str(folder / "own.sqlite3")
    settings["OPTIONS"].pop("pool", None)
    if IS_POSTGRESQL:
        _on_server(f"CREATE DATABASE {settings['NAME']}")
    connections.databases[ALIAS] = settings
    try:
        yield ALIAS
    finally:
        connections[ALIAS].close()
        del connections[ALIAS], connections.databases[ALIAS]
        if IS_POSTGRESQL:
            _on_server(f"DROP DATABASE {settings['NAME']}")


def _on_server(statement: str) -> None:
    where: dict[str, Any] = connections["default"].settings_dict
    with psycopg.connect(
        host=where["HOST"],
        port=where["PORT"],
        user=where["USER"],
        password=where["PASSWORD"],
        dbname=where["NAME"],
        autocommit=True,
    ) as server:
        server.execute(statement.encode())
