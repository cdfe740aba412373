"""One at a time, over all processes on one database: for jobs that several workers and commands could do at once."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection

from iwrouting.audit.journal.journal import make_folder
from iwrouting.conf import settings

CONNECT_S = 3
DJANGO_ONLY = ("cursor_factory", "context", "server_side_binding")


class LockFault(Exception):
    """Whether another process has the lock can't be found out; the text says why."""


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Whether `name` is ours within the block, on this database; False at once where another process or thread has it.

    It is free again at the end of the block and when the process dies. PostgreSQL: an advisory lock on a connection of
    its own. SQLite: a locked file in the journals' folder. Raises LockFault.
    """
    is_server = connection.vendor == "postgresql"
    with _advisory(name) if is_server else locked_file(settings().journals / f"{name}.lock") as ours:
        yield ours


@contextmanager
def _advisory(name: str) -> Iterator[bool]:
    # The transaction's lock and not the session's, which a pooler in transaction mode would keep for ever. In READ
    # COMMITTED such an idle transaction has neither snapshot nor xid: it holds up no vacuum.
    given = {name: value for name, value in connection.get_connection_params().items() if name not in DJANGO_ONLY}
    given |= {"connect_timeout": CONNECT_S, "application_name": f"iwrouting {name}"[:63]}
    try:
        link = psycopg.connect(**given)
    except psycopg.Error as error:
        raise LockFault(f"the database gives no connection for the lock '{name}': {type(error).__name__}") from error
    try:
        yield _asked(link, name)
    finally:
        link.close()


def _asked(link: psycopg.Connection, name: str) -> bool:
    try:
        link.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        found = link.execute("SELECT pg_try_advisory_xact_lock(%s)", [number_of(name)]).fetchone()
    except psycopg.Error as error:
        raise LockFault(f"the database did not answer for the lock '{name}': {type(error).__name__}") from error
    return found is not None and bool(found[0])


def number_of(name: str) -> int:
    """The number under which PostgreSQL knows a lock: `pg_locks` has its upper half as classid, the lower as objid."""
    return int.from_bytes(hashlib.sha256(f"iwrouting.{name}".encode()).digest()[:8], signed=True)


@contextmanager
def locked_file(path: Path) -> Iterator[bool]:
    """Whether a file, made where it is missing, is locked by us within the block; False at once where another has it.

    Its folder is made too. Raises LockFault and JournalFault where that can't be.
    """
    handle = _open(path)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    make_folder(path.parent)
    try:
        return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LockFault(f"{path} can't be opened: {error.strerror} (IW_JOURNAL_DIR)") from error
