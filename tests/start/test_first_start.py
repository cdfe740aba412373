"""The first `manage.py up` in an empty folder: what it prints is true and works."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from iwrouting.conf import settings
from iwrouting.management.first_start import FirstThings
from iwrouting.management.welcome import Welcome
from tests.start import web
from tests.start.conftest import Make
from tests.start.folder import READY, Folder, Running

KEY = r"API key +(iw_\w+)"
PASSWORD = r"User +admin, password (\S+)"
CURL = f"""#!{sys.executable}
import argparse, urllib.request
parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-H", action="append")
parser.add_argument("-d")
given = parser.parse_args()
headers = dict(line.split(": ", 1) for line in given.H)
request = urllib.request.Request(given.url, given.d.encode(), headers)
print(urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(request).read().decode())
"""
"""Stands in for curl where the machine has none: the quoting of the printed line is put to the test all the same."""


@pytest.fixture(scope="module")
def started(first: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = first.folder.copy(tmp_path_factory.mktemp("started"), var=False)
    try:
        yield folder.up()
    finally:
        folder.kill_all()


def test_it_prints_where_the_admin_and_the_docs_are(started: Running) -> None:
    with web.browser("") as client:
        assert "Log in" in client.get(started.word(r"Admin +(\S+)")).text
        assert "swagger" in client.get(started.word(r"API docs +(\S+)")).text.lower()


def test_the_admins_icon_is_there(started: Running) -> None:
    with web.browser(started.url) as client:
        found = re.search(r'rel="icon" href="([^"]+)"', client.get("/admin/login/").text)
        assert found
        icon = client.get(found[1])
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")


def test_the_curl_line_works_when_pasted(started: Running, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        (tmp_path / "curl").write_text(CURL)
        (tmp_path / "curl").chmod(0o755)
    line = started.word(r"Try it:\n  (curl .*)\n")
    done = subprocess.run(
        ["sh", "-c", f"PATH=$PATH:{tmp_path}; {line}"], env=started.folder.env(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "choices" in answer, answer
    assert answer["choices"][0]["message"]["content"].startswith("sandbox: gpt-")


def test_the_password_opens_the_admin(started: Running) -> None:
    with web.browser(started.url) as client:
        page = web.log_in(client, "admin", started.word(PASSWORD))
    assert "Log out" in page
    assert "sandbox: no real provider is called" in page


def test_another_password_does_not(started: Running) -> None:
    with web.browser(started.url) as client:
        assert "Log out" not in web.log_in(client, "admin", "another")


def test_it_says_plainly_that_the_sandbox_answers(started: Running) -> None:
    assert "No provider key found: the SANDBOX answers, no real model is called." in started.out
    assert started.folder.process("iwrouting.sandbox")


def test_the_command_for_another_key_works_when_pasted(started: Running) -> None:
    line = started.word(r"make another: (.*)\n")
    done = started.folder.run(["sh", "-c", line])
    assert done.returncode == 0, done.stderr
    assert web.call(started.url, done.stdout.strip()).status_code == 200


def test_the_secrets_stand_in_the_welcome_alone(started: Running) -> None:
    for secret in (started.word(KEY), started.word(PASSWORD)):
        assert secret not in started.err
    assert not any(started.word(KEY) in line for line in started.folder.processes().values())


@pytest.mark.parametrize("name", ["secret_key", "iwrouting.sqlite3", "iwrouting.sqlite3-wal"])
def test_the_secret_key_and_the_database_are_their_owners_alone(started: Running, name: str) -> None:
    path = started.folder.path / "var" / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_on_another_address_the_admin_answers_too(prepared: Folder) -> None:
    running = prepared.up("--host", "127.0.0.2")
    with web.browser("") as client:
        assert client.get(running.word(r"Admin +(http://127\.0\.0\.2:\S+)")).status_code == 200


def test_on_every_address_it_prints_one_that_can_be_reached() -> None:
    things = FirstThings("admin")
    assert "http://127.0.0.1:80/admin/" in Welcome("0.0.0.0", 80, things, sandbox=False).text()  # noqa: S104
    assert "http://[::1]:80/admin/" in Welcome("::", 80, things, sandbox=False).text()


def test_what_is_shown_once_is_shown_though_it_is_stopped_before_it_is_ready(folders: Make) -> None:
    folder = folders()
    running = folder.start("up", "--port", "0")
    running.wait_until(lambda: folder.process("server.worker"))
    assert running.interrupt() == 0
    assert READY not in running.out
    assert running.word(PASSWORD)
    assert running.word(KEY)


@pytest.mark.parametrize(("env", "prefix"), [("development", "IW_ENV=development "), ("production", "")])
def test_the_commands_are_those_of_the_environment_that_runs(
    monkeypatch: pytest.MonkeyPatch, env: str, prefix: str
) -> None:
    running = settings().model_copy(update={"env": env})
    monkeypatch.setattr("iwrouting.management.welcome.settings", lambda: running)
    monkeypatch.setattr("sys.executable", "/opt/python")
    text = Welcome("127.0.0.1", 80, FirstThings("admin"), sandbox=False).text()
    for command in ("changepassword admin", "keys_create --project"):
        [line] = [line for line in text.splitlines() if f"manage.py {command}" in line]
        assert f": {prefix}/opt/python manage.py {command}" in line
