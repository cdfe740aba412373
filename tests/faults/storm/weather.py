"""What may go wrong in a storm: each fault begins when its context is entered, and is healed when it is left."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass

from tests.faults.storm.arena import DEAD_S, Arena
from tests.faults.storm.disk import no_writing
from tests.faults.storm.proxy import Way

Fault = Callable[[Arena], AbstractContextManager[None]]
FULL = """
CREATE FUNCTION storm_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no space left, says the storm' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER storm_full BEFORE INSERT ON iwrouting_decision EXECUTE FUNCTION storm_full();
CREATE TRIGGER storm_full BEFORE INSERT ON iwrouting_outcome EXECUTE FUNCTION storm_full();
"""
"""The stand-in where no small disk can be mounted: PostgreSQL says what it says on a full one."""


def way(how: Way) -> Fault:
    """The proxy passes bytes in this way."""

    @contextmanager
    def fault(arena: Arena) -> Iterator[None]:
        arena.postgresql.proxy.go(how)
        try:
            yield
        finally:
            arena.postgresql.proxy.heal()

    return fault


@contextmanager
def refused(arena: Arena) -> Iterator[None]:
    """Connections are refused."""
    arena.postgresql.proxy.refuse()
    try:
        yield
    finally:
        arena.postgresql.proxy.heal()


def cuts(*, reset: bool) -> Fault:
    """Every connection ends, again and again, for a second; then they may stay."""

    @contextmanager
    def fault(arena: Arena) -> Iterator[None]:
        for _ in range(5):
            arena.postgresql.proxy.cut(reset=reset)
            time.sleep(0.2)
        yield

    return fault


def stopped(number: signal.Signals) -> Fault:
    """The server stops by this signal, and is started again."""

    @contextmanager
    def fault(arena: Arena) -> Iterator[None]:
        arena.postgresql.cluster.stop(number)
        try:
            yield
        finally:
            arena.postgresql.cluster.start()

    return fault


@contextmanager
def read_only(arena: Arena) -> Iterator[None]:
    """As on a standby during a failover: every transaction is read-only."""
    arena.database.query("ALTER SYSTEM SET default_transaction_read_only = on")
    arena.database.query("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        arena.database.query("ALTER SYSTEM RESET default_transaction_read_only")
        arena.database.query("SELECT pg_reload_conf()")


@contextmanager
def out_of_space(arena: Arena) -> Iterator[None]:
    """The disk of the database is full: a small one of its own, else what says so."""
    disk = arena.database.disk
    if disk is not None:
        if arena.database.name == "SQLite":
            # The log keeps the space that it once had, and would be written from its beginning again.
            arena.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
        disk.fill()
        try:
            yield
        finally:
            disk.free()
    elif arena.database.name == "SQLite":
        with no_writing(arena.workers()):
            yield
    else:
        arena.postgresql.change(FULL)
        try:
            yield
        finally:
            arena.postgresql.change("DROP FUNCTION storm_full CASCADE")


@contextmanager
def table_locked(arena: Arena) -> Iterator[None]:
    """Somebody holds the tables, as a migration does; on SQLite the one lock for writing."""
    if arena.database.name == "SQLite":
        with closing(sqlite3.connect(arena.sqlite.path, timeout=30, isolation_level=None)) as link:
            link.execute("BEGIN IMMEDIATE")
            yield
            link.execute("ROLLBACK")
        return
    with arena.postgresql.transaction("LOCK TABLE iwrouting_decision, iwrouting_outcome IN EXCLUSIVE MODE"):
        yield


@contextmanager
def away(arena: Arena) -> Iterator[None]:
    """The way to the SQLite file is gone: what is open stays so, nothing new can be opened."""
    arena.sqlite.way.unlink()
    try:
        yield
    finally:
        arena.sqlite.way.symlink_to(arena.sqlite.folder)


@contextmanager
def journal_full(arena: Arena) -> Iterator[None]:
    """The disk of the journals is full."""
    disk = arena.journal_disk
    if disk is None:
        with no_writing(arena.workers()):
            yield
        return
    disk.fill()
    try:
        yield
    finally:
        disk.free()


def both(one: Fault, other: Fault) -> Fault:
    """Two faults at once."""

    @contextmanager
    def fault(arena: Arena) -> Iterator[None]:
        with one(arena), other(arena):
            yield

    return fault


@contextmanager
def worker_killed(arena: Arena) -> Iterator[None]:
    """kill -9 of one worker."""
    _signal(arena.workers()[:1], signal.SIGKILL)
    yield


@contextmanager
def group_killed(arena: Arena) -> Iterator[None]:
    """kill -9 of the parent and its workers, and a new start."""
    with arena.lock:
        arena.kill()
        arena.start()
    yield


@contextmanager
def terminated(arena: Arena) -> Iterator[None]:
    """SIGTERM, and a new start."""
    with arena.lock:
        code = arena.terminate()
        arena.start()
    assert code == 0, f"SIGTERM ended with {code}: {arena.words()[-2000:]}"
    yield


@contextmanager
def worker_stopped(arena: Arena) -> Iterator[None]:
    """SIGSTOP of one worker, for long enough to be taken for dead, then SIGCONT."""
    chosen = arena.workers()[-1:]
    _signal(chosen, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(chosen, signal.SIGCONT)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass(frozen=True)
class Kind:
    """A fault that may be drawn: how long it lasts, in seconds, and whether the database is away meanwhile."""

    name: str
    fault: Fault
    shortest: float
    longest: float
    away: bool = True

    def lasts(self, dice: random.Random) -> float:
        """A random length."""
        return dice.uniform(self.shortest, self.longest)


POSTGRESQL = (
    Kind("database stopped", stopped(signal.SIGINT), 0.5, 6),
    Kind("database crashed", stopped(signal.SIGQUIT), 0.2, 4),
    Kind("connections refused", refused, 0.5, 6),
    Kind("connections cut", cuts(reset=False), 0, 1, away=False),
    Kind("connections reset", cuts(reset=True), 0, 1, away=False),
    Kind("network silent", way(Way(silent=True)), 1, 7),
    Kind("network slow", way(Way(delay_s=0.4)), 1, 6),
    Kind("one byte a second", way(Way(drip=True)), 2, 6),
    Kind("cut mid-COMMIT, done", way(Way(cut_commit="unanswered")), 1, 5),
    Kind("cut mid-COMMIT, unknown", way(Way(cut_commit="unread")), 1, 5),
    Kind("read-only", read_only, 1, 6),
    Kind("out of space", out_of_space, 1, 6),
    Kind("tables locked", table_locked, 0.5, 5),
    Kind("away, journals full", both(refused, journal_full), 1, 4),
)
SQLITE = (
    Kind("tables locked", table_locked, 0.5, 6),
    Kind("file out of reach", away, 0.5, 4, away=False),
    Kind("out of space", out_of_space, 1, 6),
    Kind("locked, journals full", both(table_locked, journal_full), 1, 4),
)
PROCESS = (
    Kind("worker killed", worker_killed, 0, 0.5),
    Kind("group killed", group_killed, 0, 0.5),
    Kind("SIGTERM", terminated, 0, 0.5),
    Kind("worker stopped", worker_stopped, DEAD_S * 1.5, DEAD_S * 3),
)
