"""Each invariant holds of right rows, and gives the row that breaks it and no other."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from iwrouting.models import Decision, HeldResponse, QuarantinedRow, Run, RunReservation, Writer
from iwrouting.reports.invariants import FILE, Broken, Invariant, NotChecked, all_broken, broken, invariants
from tests.audit_tables.databases import IS_POSTGRESQL
from tests.audit_tables.rows import attempt, decision, outcome, uuid7
from tests.harness.programs import find_postgres

NOW = datetime.now(UTC).replace(microsecond=0)
SERVED = {"model_served": "gpt-4.1", "upstream_served": "openai"}
HASHED = {"chain_hash": "ab" * 32}


@pytest.fixture(autouse=True)
def right(db: None) -> Decision:
    """A writer that lives and one that was swept, and what is right of each: served, refused, open, interrupted."""
    _writer("tests")
    _writer("swept", swept_at=NOW)
    served = _served()
    _served(writer_id="older-release", chain_hash="")
    refused = decision(NOW, **HASHED)
    outcome(refused, "refused", **HASHED)
    decision(NOW + timedelta(seconds=1), **HASHED)
    interrupted = decision(NOW + timedelta(seconds=2), writer_id="swept", **HASHED)
    outcome(interrupted, "interrupted", origin="sweeper", cost_state="unpriced", **HASHED)
    run = Run.objects.create(project="atlas", run_id="run-1", first_seen_at=NOW, last_seen_at=NOW)
    open_call = decision(NOW + timedelta(seconds=3), **HASHED)
    RunReservation.objects.create(decision_id=open_call.id, run=run, tokens=5, expires_at=NOW + timedelta(hours=1))
    _held(served.id)
    HeldResponse.objects.create(**_holding(uuid4(), created_at=NOW - timedelta(days=900)))
    return served


def _writer(ident: str, **values: Any) -> None:
    told = {"host": "h", "pid": 1, "key_id": "k", "app_version": "a", "mode": "database"}
    Writer.objects.create(id=ident, started_at=NOW, heartbeat_at=NOW, **told | values)


def _served(at: datetime = NOW, **values: Any) -> Decision:
    of = decision(at, **HASHED | values)
    attempt(of, 1, 0, kind="skip", **HASHED | values)
    attempt(of, 2, 1, sent_at=of.decision_at + timedelta(milliseconds=1), **HASHED | values)
    cost = {"cost_state": "exact", "cost_pico": 5, "price_version": "p1"}
    outcome(of, "ok", calls=1, **SERVED, **cost, **HASHED | values)
    return of


def _holding(decision_id: Any, **values: Any) -> dict[str, Any]:
    named = {"id": uuid4(), "response_id": "resp", "created_at": NOW + timedelta(days=1), "upstream": "openai"}
    return {**named, "model": "gpt-4.1", "decision_id": decision_id, **values}


def _held(decision_id: Any) -> None:
    HeldResponse.objects.create(**_holding(decision_id))


def _of_nothing() -> Decision:
    """A decision that is not stored."""
    return Decision(id=uuid7(NOW), decision_at=NOW)


def _open(**values: Any) -> Decision:
    return decision(NOW + timedelta(seconds=9), **HASHED | values)


def _closed(result: str, **values: Any) -> None:
    outcome(_open(), result, **HASHED | values)


def _two_outcomes() -> None:
    of = _served()
    _unguard()
    outcome(of, "ok", calls=1, **SERVED | HASHED | {"decision_at": of.decision_at + timedelta(seconds=1)})


def _unguard() -> None:
    """SQLite's triggers take no second outcome: within the test's transaction they are gone."""
    if not IS_POSTGRESQL:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'iwrouting_outcome'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')


def _reservation(of: Decision) -> None:
    run = Run.objects.get()
    RunReservation.objects.create(decision_id=of.id, run=run, tokens=7, expires_at=NOW + timedelta(days=1))


def _attempts(*numbers: int) -> None:
    of = _open()
    for number in numbers:
        attempt(of, number, 0, kind="skip", **HASHED)
    outcome(of, "error", **HASHED)


def _sent(seconds: float) -> None:
    of = _open()
    attempt(of, 1, 0, sent_at=of.decision_at + timedelta(seconds=seconds), **HASHED)
    outcome(of, "error", calls=1, cost_state="unpriced", **HASHED)


def _moved(what: Callable[..., Any], *arguments: Any, **values: Any) -> None:
    of = _open()
    what(of, *arguments, **HASHED | values | {"decision_at": of.decision_at + timedelta(milliseconds=1)})
    if what is attempt:
        outcome(of, "error", **HASHED)


def _out_of_order() -> None:
    decision(NOW - timedelta(days=1), id=uuid7(NOW + timedelta(minutes=1)), **HASHED)


BREAKING: dict[str, Callable[[], object]] = {
    "open_after_its_writer": lambda: _open(writer_id="swept"),
    "two_server_outcomes": _two_outcomes,
    "outcome_without_decision": lambda: outcome(_of_nothing(), "error", **HASHED),
    "attempt_without_decision": lambda: attempt(_of_nothing(), 1, 0, **HASHED),
    "attempt_without_outcome": lambda: attempt(_open(), 1, 0, **HASHED),
    "attempts_not_numbered_through": lambda: _attempts(1, 3),
    "calls_differ_from_attempts": lambda: _closed("error", calls=2, cost_state="unpriced"),
    "ok_without_model": lambda: _closed("ok", model_served="gpt-4.1"),
    "refused_with_calls": lambda: _closed("refused", calls=1),
    "sweeper_says_more": lambda: _closed("error", origin="sweeper"),
    "decision_at_differs": lambda: _moved(outcome, "error"),
    "decision_at_not_of_its_id": _out_of_order,
    "number_twice": lambda: _open(writer_seq=Decision.objects.filter(writer_id="tests").first().writer_seq),  # type: ignore[union-attr]
    "hash_missing": lambda: _open(chain_hash=""),
    "cost_without_ground": lambda: _closed("error", cost_state="exact", cost_pico=3),
    "counts_below_zero": lambda: _closed("error", prompt_tokens=-1),
    "times_out_of_order": lambda: _closed("error", ended_at=NOW - timedelta(hours=1)),
    "reservation_of_a_closed_call": lambda: _reservation(_served()),
    "reservation_without_decision": lambda: _reservation(_of_nothing()),
    "held_response_without_decision": lambda: _held(uuid4()),
}
ALSO: dict[str, Callable[[], object]] = {
    "attempts_not_numbered_through": lambda: _attempts(2, 3),
    "ok_without_model": lambda: _closed("ok_after_fallback", upstream_served="openai"),
    "decision_at_differs": lambda: _moved(attempt, 1, 0),
    "cost_without_ground": lambda: _closed("error", cost_state="none", cost_pico=0),
    "counts_below_zero": lambda: Run.objects.update(used_tokens=-1),
    "times_out_of_order": lambda: _sent(-1),
    "hash_missing": lambda: outcome(_open(), "error"),
}


def found() -> set[str]:
    return {each.invariant for each in all_broken()}


def test_right_rows__break_none() -> None:
    assert list(all_broken()) == []


def test_each_invariant__has_an_example_that_breaks_it() -> None:
    names = [each.name for each in invariants()]
    assert set(BREAKING) == set(names)
    assert len(names) == len(set(names)) == FILE.read_text().count("-- name:")
    assert all(each.meaning.endswith(".") for each in invariants())


# Some rows are wrong in two ways: what stands alone has no number of calls either.
BESIDES = {
    "two_server_outcomes": {"decision_at_differs", "cost_without_ground"},
    "attempt_without_decision": {"attempt_without_outcome"},
    "outcome_without_decision": set[str](),
    "refused_with_calls": {"calls_differ_from_attempts"},
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_row_that_breaks_it__is_given(name: str) -> None:
    BREAKING[name]()
    assert name in found()
    assert found() <= {name} | BESIDES.get(name, set())


@pytest.mark.parametrize("name", ALSO)
def test_another_that_breaks_it__is_given(name: str) -> None:
    ALSO[name]()
    assert found() == {name}


def test_a_row_of_a_writer_that_nobody_knows__must_be_closed_by_the_next_day() -> None:
    decision(NOW, writer_id="older-release")
    assert found() == set()
    decision(NOW - timedelta(days=2), writer_id="older-release")
    assert found() == {"open_after_its_writer"}


def test_what_lacks_because_it_is_in_quarantine__is_no_finding() -> None:
    of = _of_nothing()
    outcome(of, "error", calls=1, cost_state="unpriced", **HASHED)
    attempt(of, 2, 0, **HASHED)
    assert found() > {"outcome_without_decision", "attempts_not_numbered_through"}
    QuarantinedRow.objects.create(
        id=uuid4(), at=NOW, writer_id="tests", writer_seq=10**9, table_name="iwrouting_decision", decision_id=of.id
    )
    assert found() == set()


def test_many_that_break_it__are_cut_off() -> None:
    for _ in range(5):
        _open(chain_hash="")
    [invariant] = [each for each in invariants() if each.name == "hash_missing"]
    rows = broken(invariant, most=3)
    assert len(rows) == 3
    assert isinstance(rows[0], Broken)
    assert rows[0].detail == "in decisions"


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has no time limit for statements")
def test_one_that_takes_too_long__is_given_up_and_the_next_is_asked() -> None:
    slow = Invariant("slow", "Sleeps.", "SELECT 'slow' AS invariant, '1' AS id, CAST(pg_sleep(30) AS text) AS detail")
    with pytest.raises(NotChecked, match=r"slow: not checked within 0\.05 s"):
        broken(slow, patience_s=0.05)
    assert broken(invariants()[0]) == []


def test_the_file__runs_as_it_stands_in_the_clients_of_both_databases(tmp_path: Path) -> None:
    """As `sqlite3 < file` and `psql --file` read it: statement by statement, comments and all."""
    if not IS_POSTGRESQL:
        connection.ensure_connection()
        text = ""
        given = []
        for line in FILE.read_text().splitlines(keepends=True):
            text += line
            if sqlite3.complete_statement(text):
                given.append(connection.connection.execute(text).fetchall())
                text = ""
        assert (len(given), any(given), text.strip()) == (len(invariants()), False, "")
        return
    programs = find_postgres()
    assert programs is not None
    named = connection.get_connection_params()
    address = {
        "PGHOST": named["host"],
        "PGPORT": str(named["port"]),
        "PGUSER": named["user"],
        "PGDATABASE": named["dbname"],
        "PGPASSWORD": named.get("password", ""),
    }
    options = ["--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--file", str(FILE)]
    done = subprocess.run(
        [programs / "psql", *options],
        env=address,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
