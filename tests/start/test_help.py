"""Help needs no settings and makes nothing; the sandbox runs before Django is set up."""

from __future__ import annotations

import json
import sys

import pytest

from tests.start import web
from tests.start.folder import ROOT, Folder

OURS = sorted(path.stem for path in (ROOT / "iwrouting/management/commands").glob("[!_]*.py"))


ONE_WAY = {"backup", "demo"}
"""There is but one example to give."""

EACH = """
import sys
from contextlib import suppress
import manage
for name in sys.argv[1:]:
    print(f"== {name}")
    with suppress(SystemExit):
        manage.main(["manage.py", name, "--help"])
"""
"""Many in one process: what takes its time is starting it."""


def examples(command: str, told: str) -> int:
    return told.partition("examples:\n")[2].count(f"  manage.py {command}")


def test_help_shows_examples(new: Folder) -> None:
    done = new.manage("keys_create", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert examples("keys_create", done.stdout) >= 2
    assert not (new.path / "var").exists()


def test_help_of_every_command_shows_examples(new: Folder) -> None:
    done = new.run([sys.executable, "-c", EACH, *OURS])
    assert (done.returncode, done.stderr) == (0, "")
    told = {text.partition("\n")[0]: text for text in done.stdout.split("== ")[1:]}
    assert list(told) == OURS
    assert {command for command in OURS if examples(command, told[command]) < 2} == ONE_WAY
    assert not (new.path / "var").exists()


@pytest.mark.parametrize("arguments", [["help"], ["--help"], []])
def test_the_commands_are_listed(new: Folder, arguments: list[str]) -> None:
    done = new.manage(*arguments)
    assert done.returncode == 0
    listed = [line.strip() for line in done.stdout.splitlines()]
    assert set(OURS) <= set(listed)
    assert not (new.path / "var").exists()


def test_a_key_may_be_called_help(prepared: Folder) -> None:
    done = prepared.manage("keys_create", "--project", "help", "--name", "help", IW_ENV="development")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("iw_")


def test_the_sandbox_shows_examples(new: Folder) -> None:
    done = new.manage("sandbox", "--help")
    assert done.returncode == 0
    assert "examples:\n" in done.stdout
    assert "iwrouting.sandbox --port" in done.stdout


def test_the_sandbox_needs_no_settings(new: Folder) -> None:
    log = new.work / "sandbox.jsonl"
    running = new.start("sandbox", "--port", "0", "--log", str(log), IW_MAX_BODY_MB="none", DATABASE_URL="none")
    running.wait_for("listening on")
    answer = web.call(running.word(r"listening on (\S+)/v1"), "sk-sandbox", model="gpt-4.1")
    assert answer.status_code == 200
    assert running.interrupt() == 0
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [200]
    assert running.err == ""
    assert not (new.path / "var").exists()
