"""One line for a database that a command can't work with."""

from __future__ import annotations

import psycopg
from django.db import Error, InterfaceError, OperationalError, ProgrammingError, connection

NOT_READY = 4
"""The exit code of a command that found the service or its database not ready."""

UNDEFINED = ("42P01", "42703")
"""PostgreSQL's states of a missing table and a missing column."""

DJANGO_ONLY = ("cursor_factory", "context", "server_side_binding")
ANSWER_S = 2
"""Seconds that PostgreSQL gets to say why it gives no connection."""

BROKEN_FILE = ("file is not a database", "database disk image is malformed")
"""What SQLite says of a file that it can't read."""


def what_to_do(error: Error) -> str:
    """What is wrong with the database and what to do, or an empty string for an error of our own making."""
    words = (str(error).strip() or type(error).__name__).splitlines()[0]
    if _undefined(error, words):
        return f"The database is not up to date ({words}): run 'python manage.py migrate' first."
    if not isinstance(error, OperationalError | InterfaceError) and words not in BROKEN_FILE:
        return ""
    if connection.vendor == "sqlite":
        where = connection.settings_dict["NAME"]
        return f"The database {where} can't be used: {words}. Make it and its folder writable, or set DATABASE_URL."
    words = _why_not_connected() or words
    return f"The database does not answer: {words}. Check that PostgreSQL runs and that DATABASE_URL names it."


def _why_not_connected() -> str:
    """What a connection of our own is told, as the pool says only that it got none; empty where it is made."""
    parameters = {name: value for name, value in connection.get_connection_params().items() if name not in DJANGO_ONLY}
    try:
        psycopg.connect(**{**parameters, "connect_timeout": ANSWER_S}).close()
    except psycopg.Error as error:
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        return told.removeprefix("connection failed: ").replace("failed: FATAL:  ", "says: ")
    return ""


def _undefined(error: Error, words: str) -> bool:
    if isinstance(error, ProgrammingError):
        return getattr(error.__cause__, "sqlstate", None) in UNDEFINED
    return isinstance(error, OperationalError) and words.startswith(("no such table", "no such column"))
