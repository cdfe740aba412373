"""Databases that are made, copied and dropped, and the way to have one as Django's default."""

from __future__ import annotations

import copy
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, connections

from iwrouting.conf import points

IS_POSTGRESQL = connection.vendor == "postgresql"


@contextmanager
def emptied(folder: Path) -> Iterator[str]:
    """A database with nothing in it; gives its name. folder: where a SQLite file may be."""
    with _made("", folder / "pattern.sqlite3") as name:
        yield name


@contextmanager
def copied(pattern: str, folder: Path) -> Iterator[str]:
    """A copy of a database that nobody is connected to; gives its name."""
    with _made(pattern, folder / "own.sqlite3") as name:
        yield name


@contextmanager
def _made(pattern: str, path: Path) -> Iterator[str]:
    if not IS_POSTGRESQL:
        if pattern:
            shutil.copy(pattern, path)
        yield str(path)
        return
    name = f"iw_upkeep_{secrets.token_hex(6)}"
    server = str(connections["default"].settings_dict["NAME"])
    _on_server(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {pattern}" if pattern else ""))
    try:
        yield name
    finally:
        _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving(name: str, **login: str) -> Iterator[None]:
    """Within it this database is the default one, in this thread and in those that begin. login: USER, PASSWORD."""
    before, settings = connections["default"], connections.databases["default"]
    connections.databases["default"] = {**_named(name), **login}
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.databases["default"] = settings
        connections["default"] = before


def _named(name: str) -> dict[str, Any]:
    settings = copy.deepcopy(connections.databases["default"])
    settings["OPTIONS"].pop("pool", None)
    return {**settings, "NAME": name}


def _on_server(database: str, statement: str) -> None:
    with link(database) as server:
        server.execute(statement.encode())


def link(name: str, **more: Any) -> psycopg.Connection:
    """A connection of its own to a database of the server; it commits each statement unless told otherwise."""
    where = connections["default"].settings_dict
    given = {"host": where["HOST"], "port": where["PORT"], "user": where["USER"], "password": where["PASSWORD"]}
    return psycopg.connect(**{**given, "dbname": name, "autocommit": True, **more})


def killed_at(point: str, work: Callable[[], object]) -> None:
    """Do the work in a process of its own, which ends by SIGKILL at this fault point. AssertionError otherwise."""
    kept = [connections["default"]]
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), f"{point} was not reached"
        assert os.WTERMSIG(status) == signal.SIGKILL
        return
    try:
        connections["default"] = connections.create_connection("default")
        points.arm(points.read_plan(f"{point}=kill"))
        work()
    finally:
        # Nothing is cleaned up: dropping what is in `kept` would end the parent's session.
        os._exit(len(kept))
