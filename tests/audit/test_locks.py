"""One of all processes at a time, on both databases; free again when its holder dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from iwrouting.audit.locks import DJANGO_ONLY, LockFault, only_one
from iwrouting.conf import settings
from iwrouting.server.upkeep import Job, run_job
from tests.live.ledger import eventually

# No rows and no transaction of a test: each lock has a connection of its own, to the tests' database.
pytestmark = pytest.mark.usefixtures("django_db_setup")
ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import sys, time, django
django.setup()
from django.conf import settings
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from iwrouting.audit.locks import only_one
with only_one("sweeping") as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


def test_lock__that_a_thread_has__is_no_other_ones_until_it_lets_go() -> None:
    answers = []

    def ask(name: str) -> None:
        with only_one(name) as ours:
            answers.append(ours)

    with only_one("sweeping") as ours:
        assert ours
        for name in ("sweeping", "sealing"):
            asker = threading.Thread(target=ask, args=(name,))
            asker.start()
            asker.join()
    assert answers == [False, True]
    with only_one("sweeping") as again:
        assert again


def test_lock__of_a_process_that_is_killed__is_free() -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", HOLDER, str(connection.settings_dict["NAME"])]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with only_one("sweeping") as ours:
            assert not ours
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    if connection.vendor == "postgresql":
        wait_for_the_server_to_see_it()
    with only_one("sweeping") as ours:
        assert ours


def wait_for_the_server_to_see_it() -> None:
    """A killed process's session ends as soon as the server notices its closed socket."""
    given = {name: value for name, value in connection.get_connection_params().items() if name not in DJANGO_ONLY}
    with psycopg.connect(**given, autocommit=True) as link:
        held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'iwrouting sweeping'"
        eventually(lambda: link.execute(held).fetchone() == (0,), "the end of the killed process's session")


def test_job__that_another_is_at__is_passed_over() -> None:
    ran = []
    job = Job("seal", 60, lambda: ran.append(1))
    with only_one("upkeep.seal"):
        assert not run_job(job)
    assert ran == []
    assert run_job(job)
    assert ran == [1]


@pytest.mark.skipif(connection.vendor == "postgresql", reason="locks are files on SQLite alone")
def test_lock__in_a_folder_that_takes_no_file__is_a_fault_that_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sweeping.lock").mkdir()
    monkeypatch.setattr(
        "iwrouting.audit.locks.settings", lambda: settings().model_copy(update={"journal_dir": tmp_path})
    )
    with pytest.raises(LockFault, match=r"sweeping\.lock can't be opened"), only_one("sweeping"):
        raise AssertionError("not reached")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="locks are the server's on PostgreSQL alone")
def test_lock__where_no_connection_is_to_be_had__is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "get_connection_params", lambda: {"host": "127.0.0.1", "port": 9})
    with pytest.raises(LockFault, match="gives no connection"), only_one("sweeping"):
        raise AssertionError("not reached")
