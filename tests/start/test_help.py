"""Help needs no settings and makes nothing; the sandbox runs before Django is set up."""

from __future__ import annotations

import json

import pytest

from tests.start import web
from tests.start.folder import Folder

OURS = [
    "audit_seal",
    "audit_verify",
    "keys_create",
    "lifecycle_check",
    "matrix_load",
    "models_check",
    "prices_sync",
    "routing_environment",
    "routing_override",
    "routing_whatif",
    "run_raise",
    "run_show",
    "serve",
    "tokenizers",
    "up",
]


@pytest.mark.parametrize("command", OURS)
def test_help_shows_examples(new: Folder, command: str) -> None:
    done = new.manage(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "examples:\n" in done.stdout
    assert done.stdout.count(f"\n  manage.py {command}") >= 2
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
