"""docs/backup.md is followed to the letter: a service under load, with rows in its journal, comes back elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connections, transaction

from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.reports import guards
from iwrouting.reports.invariants import all_broken
from iwrouting.reports.reconcile import Ledgers, Span, Wanted, provider_lines, reconcile
from tests.harness.programs import find_postgres
from tests.live.databases import ALIAS, IS_POSTGRESQL, forget, own_database, readable, statement
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.locking import audit_locked, wait_until_drained
from tests.live.processes import ROOT, ServiceProcess
from tests.sandbox.raw import hello

KIND = "postgresql" if IS_POSTGRESQL else "sqlite"
PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
CHAT = "/v1/chat/completions"
pytestmark = pytest.mark.timeout(180)
"""It starts a service of its own and runs seven commands, which a busy machine does slowly."""

COLUMNS = ("id", "writer_id", "writer_seq", "chain_hash")


def commands(purpose: str) -> str:
    """The page's commands for this database."""
    [found] = re.findall(rf"```sh (?:{KIND}|both) {purpose}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def run(purpose: str, env: Mapping[str, str]) -> None:
    """Run the page's commands in a shell; any that fails fails the test."""
    found = find_postgres()
    path = os.pathsep.join([str(Path(sys.executable).parent), str(found or ""), os.environ["PATH"]])
    given = {**env, "PATH": path}
    command = ["sh", "-ec", commands(purpose)]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


class Load:
    """Calls one after the other, until it is stopped; `answered` are the ids of decisions whose answers came."""

    def __init__(self, live: Live) -> None:
        self.answered: list[str] = []
        self._live = live
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(3)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        while not self._ended.is_set():
            got = self._live.post(CHAT, hello("fast"))
            if got.status == 200:
                self.answered.append(got.headers["x-iw-decision-id"])


@contextmanager
def other_place(live: Live, folder: Path, worker: str) -> Iterator[dict[str, str]]:
    """The settings of an empty place, with the keys of the live service."""
    with own_database(folder, f"restored_{worker}") as url:
        file = urlsplit(url).path[1:]
        changed = {"DATABASE_URL": url, "DATABASE": file, "IW_JOURNAL_DIR": str(folder / "journal")}
        yield {**live.world.env, **changed, "BACKUP": str(folder / "backup"), "IW_WRITER_DEAD_S": "1"}
        forget(url)


def rows_of(decisions: list[str]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of these decisions: ids, numbers and hashes."""
    found: dict[str, list[tuple[object, ...]]] = {}
    # Outcomes first: whoever sees one must see all that was stored before it.
    for model, key in ((Outcome, "decision_id__in"), (Attempt, "decision_id__in"), (Decision, "id__in")):
        rows = model._default_manager.using(ALIAS).filter(**{key: decisions}).order_by("id")
        found[model.__name__] = list(rows.values_list(*COLUMNS))
    return found


def test_backup_under_load__comes_back_whole_elsewhere(live: Live, tmp_path: Path, worker_id: str) -> None:
    stored = [str(live.chat("fast").headers["x-iw-decision-id"]) for _ in range(3)]
    with ExitStack() as stack:
        there = stack.enter_context(other_place(live, tmp_path, worker_id))
        with audit_locked(), Load(live) as load:
            journaled = eventually(lambda: load.answered[4:] and list(load.answered), "answers by the journal", 20)
            run("backup", {**live.world.env, "BACKUP": there["BACKUP"]})
        wait_until_drained(live)
        expected = whole(stored + journaled)
        assert expected
        run("restore", there)
        with readable(there["DATABASE_URL"]):
            assert set(rows_of(stored + journaled)["Decision"]) == set(rows_of(stored)["Decision"]) != set()
            service = ServiceProcess(there, tmp_path / "restored.log")
            stack.callback(service.stop)
            service.start()
            found = eventually(lambda: whole(stored + journaled), "the rows of the restored journal", 30)
            assert found == expected
            dead, own = str(expected["Decision"][0][1]), serves(live, service).writer_id
            eventually(lambda: not left_open(dead), "the sweeper's outcomes", 30)
            is_sound(there, own)
            lost = failed_over(live, service)
            assert service.stop() == 0
            names_what_is_lost(live, there, lost)


def whole(decisions: list[str]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of these decisions once each has its outcome; nothing before."""
    found = rows_of(decisions)
    return found if len(found["Outcome"]) == len(decisions) else {}


def left_open(writer: str) -> bool:
    """Whether a decision of this writer has no outcome yet."""
    return Decision.objects.using(ALIAS).filter(outcomes=None, writer_id=writer).exists()


def serves(live: Live, service: ServiceProcess) -> Decision:
    """The restored service takes the keys that it knew, calls, and records; the decision."""
    called = live.chat("fast", client=live.client(url=service.url))
    assert called.record.outcome.result == "ok"
    return called.record.decision


def is_sound(env: dict[str, str], own: str) -> None:
    """Only the running writer has a journal, nothing can be changed, and every check of the page agrees."""
    journals = Path(env["IW_JOURNAL_DIR"])
    eventually(lambda: not [path for path in journals.glob("*.journal") if own not in path.name], "adoption of all", 30)
    for change in ("UPDATE iwrouting_decision SET project = 'x'", "DELETE FROM iwrouting_outcome"):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(using=ALIAS):
            statement(change)
    assert list(all_broken(using=ALIAS)) == []
    run("check", env)


def failed_over(live: Live, service: ServiceProcess) -> Decision:
    """What a promoted standby lacks (faults.md D8): the rows of one call, gone while the service goes on; it."""
    lost = serves(live, service)
    with transaction.atomic(using=ALIAS):
        for model, key in ((Outcome, "decision_id"), (Attempt, "decision_id"), (Decision, "id")):
            with unguarded(model._meta.db_table):
                # A queryset of decisions would look for what hangs on them.
                ident = lost.id if IS_POSTGRESQL else lost.id.hex
                statement(f"DELETE FROM {model._meta.db_table} WHERE {key} = %s", str(ident))  # noqa: S608 - ours
    serves(live, service)
    return lost


@contextmanager
def unguarded(table: str) -> Iterator[None]:
    """The owner of a table may delete from it within the block."""
    if IS_POSTGRESQL:
        statement(f"ALTER TABLE {table} DISABLE TRIGGER iw_audit_no_change")
        yield
        statement(f"ALTER TABLE {table} ENABLE TRIGGER iw_audit_no_change")
    else:
        statement(f"DROP TRIGGER {table}_no_delete")
        yield
        guards.restore(connections[ALIAS])


def names_what_is_lost(live: Live, env: dict[str, str], lost: Decision) -> None:
    """The chain has a gap at the call's numbers, and the provider's log names the call."""
    command = [sys.executable, "manage.py", "audit_verify", "--writer", lost.writer_id, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    found = [(each["kind"], each["writer"]) for each in json.loads(done.stdout)["findings"]]
    assert found == [("removed", lost.writer_id)]
    sent = [line for line in live.sent() if str(line["client_request_id"]).startswith(str(lost.id))]
    report = reconcile(Ledgers(provider=provider_lines(sent)), Wanted(Span(using=ALIAS)))
    assert [(each.code, each.decision) for each in report.findings] == [("missing_decision", str(lost.id))]
