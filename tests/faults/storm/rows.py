"""The rows D and P of the matrix (faults.md 4) that are driven one by one, and the tests that prove the others."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import psycopg

from tests.faults.storm.arena import Arena
from tests.faults.storm.disk import no_opening, no_writing
from tests.faults.storm.outage import ANSWERED, NO_ANSWER, Row
from tests.faults.storm.proxy import Way
from tests.faults.storm.weather import (
    Fault,
    both,
    out_of_space,
    read_only,
    refused,
    stopped,
    table_locked,
    way,
)

UNAVAILABLE = "503 audit_unavailable"
CONFLICT = """
CREATE SEQUENCE storm_turn;
GRANT USAGE ON SEQUENCE storm_turn TO PUBLIC;
CREATE FUNCTION storm_conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('storm_turn') % 4 = 0 THEN RAISE EXCEPTION 'says the storm' USING ERRCODE = '{code}'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER storm_conflict BEFORE INSERT ON iwrouting_decision EXECUTE FUNCTION storm_conflict();
"""


@contextmanager
def at_start(arena: Arena) -> Iterator[None]:
    """The database is away, and the service starts anew meanwhile."""
    with refused(arena):
        arena.kill()
        arena.start()
        yield


@contextmanager
def at_start_sqlite(arena: Arena) -> Iterator[None]:
    """The file is out of reach, and the service starts anew meanwhile."""
    arena.sqlite.way.unlink()
    try:
        arena.kill()
        arena.start()
        yield
    finally:
        arena.sqlite.way.symlink_to(arena.sqlite.folder)


@contextmanager
def connections_full(arena: Arena) -> Iterator[None]:
    """Somebody else has every connection that the service may have, which loses its own."""
    with ExitStack() as stack:
        take_all(arena, stack)
        arena.postgresql.proxy.cut(reset=True)
        take_all(arena, stack)
        yield


def take_all(arena: Arena, stack: ExitStack) -> None:
    """Connect until no more is to be had."""
    with suppress(psycopg.OperationalError):
        while True:
            stack.enter_context(closing(psycopg.connect(arena.database.direct_url, connect_timeout=5)))


def conflicts(code: str) -> Fault:
    """Every fourth statement that stores decisions fails with this SQLSTATE."""

    @contextmanager
    def fault(arena: Arena) -> Iterator[None]:
        arena.postgresql.change(CONFLICT.format(code=code))
        try:
            yield
        finally:
            arena.postgresql.change("DROP FUNCTION storm_conflict CASCADE")
            arena.database.query("DROP SEQUENCE storm_turn")

    return fault


@contextmanager
def descriptors_gone(arena: Arena) -> Iterator[None]:
    """No worker can open one more file or connection."""
    with no_opening(arena.workers()):
        yield


@contextmanager
def files_full(arena: Arena) -> Iterator[None]:
    """No worker can write to any file: its log, its journal, what is temporary."""
    with no_writing(arena.workers()):
        yield


POSTGRESQL = (
    Row("D1", "away at the start", at_start, budget=UNAVAILABLE),
    Row("D2", "refuses connections before the decision", refused, budget=UNAVAILABLE),
    Row("D2", "goes away while the provider works", refused, under_way=True),
    Row("D2", "stopped while the provider works", stopped(signal.SIGQUIT), under_way=True),
    Row("D3", "every packet a second late", way(Way(delay_s=1.0)), budget=UNAVAILABLE),
    Row("D3", "accepts and is silent", way(Way(silent=True)), budget=UNAVAILABLE),
    Row("D3", "a byte a second", way(Way(drip=True)), budget=UNAVAILABLE),
    Row("D4", "no connection left", connections_full, budget=UNAVAILABLE),
    Row("D5", "disk full", out_of_space, budget=f"{UNAVAILABLE} or {ANSWERED}"),
    Row("D6", "away, journals take nothing", both(refused, files_full), UNAVAILABLE, UNAVAILABLE, "database"),
    Row("D7", "read-only, as in a failover", read_only, budget=UNAVAILABLE),
    Row("D9", "serialization failures", conflicts("serialization_failure"), audit="database"),
    Row("D9", "deadlocks", conflicts("deadlock_detected"), audit="database"),
    Row("D10", "every COMMIT done, its answer lost", way(Way(cut_commit="unanswered")), budget=UNAVAILABLE),
    Row("D10", "every COMMIT cut", way(Way(cut_commit="unread")), budget=UNAVAILABLE),
    Row("D12", "tables locked by a migration", table_locked, budget=UNAVAILABLE),
    Row("P5", "no file descriptor left", descriptors_gone, NO_ANSWER, NO_ANSWER, "database"),
    Row("P6", "no file can be written", files_full, audit="database"),
)
SQLITE = (
    Row("D1", "out of reach at the start", at_start_sqlite, budget=UNAVAILABLE),
    Row("D2", "locked while the provider works", table_locked, under_way=True),
    Row("D5", "disk full", out_of_space, budget=f"{UNAVAILABLE} or {ANSWERED}"),
    Row("D6", "locked, journals take nothing", both(table_locked, files_full), UNAVAILABLE, UNAVAILABLE, "database"),
    Row("D12", "locked", table_locked, budget=UNAVAILABLE),
)
