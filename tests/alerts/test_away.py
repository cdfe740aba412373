"""A round while the database is gone, or takes the connection and says nothing more: told all the same, and noted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from iwrouting.alerts.findings import this_host
from iwrouting.audit.journal.journal import Journal, Place
from tests.alerts.servers import Receiver

ROOT = Path(__file__).resolve().parents[2]
ROUND = """
import sys, django
django.setup()
from iwrouting.alerts import look
for _ in range(int(sys.argv[1])):
    look(patience_s=0.5, again_s=0)
"""
WRITER = "0190d5e2-7b3c-7cc0-8f5e-0123456789ab"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a database that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


@pytest.fixture
def closed() -> int:
    """A port where no database listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def rounds(folder: Path, port: int, hook: str, times: int = 1) -> str:
    """What so many, in a process of their own whose database is at this port, say on stderr."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"postgres://iw@127.0.0.1:{port}/iw",
        "IW_JOURNAL_DIR": str(folder),
        "IW_ALERT_WEBHOOK_URL": hook,
        "IW_ALERT_OFF": "disk_low",
    }
    command = [sys.executable, "-c", ROUND, str(times)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_database_away__is_logged_once_and_not_at_each_try(tmp_path: Path, closed: int, receiver: Receiver) -> None:
    said = rounds(tmp_path, closed, receiver.url, times=3)
    assert said.count("alerts: the database is away") == 1


@pytest.mark.parametrize("database", ["closed", "silent"])
def test_journal_in_use_because_the_database_is_away__is_told_once_and_noted(
    tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest, database: str
) -> None:
    port = request.getfixturevalue(database)
    journal = Journal(Place(tmp_path, 10_000), WRITER)
    journal.append(b"a row")
    rounds(tmp_path, port, receiver.url, times=2)
    assert sorted(receiver.states) == [("raised", "database_away"), ("raised", "journal_in_use")]
    noted = json.loads((tmp_path / "alerts.json").read_text())
    assert sorted((row["rule"], row["subject"], row["told"]) for row in noted["rows"]) == [
        ("database_away", this_host(), "webhook"),
        ("journal_in_use", this_host(), "webhook"),
    ]
    assert (tmp_path / "alerts.json").stat().st_mode & 0o777 == 0o600
    journal.forget(journal.oldest() or pytest.fail("nothing in it"))
    rounds(tmp_path, port, receiver.url)
    assert receiver.states[2:] == [("cleared", "journal_in_use")], "a new process knows what was told"
    journal.close()


def test_folder_that_takes_no_notes__does_not_keep_it_from_being_told(
    tmp_path: Path, closed: int, receiver: Receiver
) -> None:
    folder = tmp_path / "journal"
    folder.write_text("a file where the folder should be")
    rounds(folder, closed, receiver.url, times=2)
    assert receiver.states == [("raised", "database_away")]
