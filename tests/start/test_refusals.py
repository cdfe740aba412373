"""What keeps it from starting is said in one line each, with no traceback and no value that may be secret."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from iwrouting.server.starting import leads_back
from tests.start.conftest import Make
from tests.start.folder import Folder

DEVELOPMENT = {"IW_ENV": "development"}
SECRET = "s3cret-value"


def refused(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Its exit code and what it said, which stands on stderr and is no traceback."""
    assert (done.stdout, "Traceback" in done.stderr) == ("", False), done.stdout + done.stderr
    return done.returncode, done.stderr.removeprefix("CommandError: ").rstrip("\n")


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_taken_port(prepared: Folder, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = refused(prepared.manage(command, "--port", str(port), **DEVELOPMENT))
    assert code == 4
    assert line.startswith(f"Port {port} on 127.0.0.1 is taken: stop what uses it, or choose another (")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "70000"], "Port 70000 does not exist: choose one from 1 to 65535."),
        (["--host", "192.0.2.1"], "192.0.2.1:8000 can't be listened on: Cannot assign requested address."),
    ],
)
def test_an_address_that_is_none(new: Folder, arguments: list[str], said: str) -> None:
    assert refused(new.manage("up", *arguments)) == (4, said)


@pytest.mark.parametrize("command", [["up"], ["serve"], ["keys_create", "--project", "a", "--name", "b"]])
def test_bad_settings_are_all_named_at_once(new: Folder, command: list[str]) -> None:
    bad = {"IW_MAX_BODY_MB": SECRET, "IW_DRAIN_S": "-1", "DATABASE_URL": f"sqlite:///{SECRET}", "IW_HTTPS": SECRET}
    code, lines = refused(new.manage(*command, **DEVELOPMENT, **bad))
    assert code == 1
    assert [line.split(": ")[0] for line in lines.splitlines()] == ["IW_DRAIN_S", "IW_HTTPS", "IW_MAX_BODY_MB"]
    assert SECRET not in lines


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:s3cret-value@h/d", "DATABASE_URL: must name PostgreSQL or SQLite"),
        ("s3cret-value", "DATABASE_URL: must be postgres://user:password@host:5432/name or sqlite:///path/to/file"),
    ],
)
def test_another_kind_of_database(new: Folder, url: str, said: str) -> None:
    assert refused(new.manage("serve", **DEVELOPMENT, DATABASE_URL=url)) == (1, said)


def test_production_asks_for_its_secret_key(new: Folder) -> None:
    code, lines = refused(new.manage("serve"))
    assert code == 1
    assert lines.startswith("IW_SECRET_KEY: must be set to at least 32 random characters in production")


def test_a_bad_routing_variable_before_anything_is_made(folders: Make) -> None:
    folder = folders()
    code, line = refused(folder.manage("up", "--port", "0", OPENAI_MODEL_FAST=f"no model {SECRET}"))
    assert code == 1
    assert line.startswith("OPENAI_MODEL_FAST: must be a model id such as ")
    assert SECRET not in line
    assert not (folder.path / "var" / "iwrouting.sqlite3").exists()


@pytest.mark.parametrize("command", [["serve"], ["keys_create", "--project", "a", "--name", "b"]])
def test_a_database_without_tables(new: Folder, command: list[str]) -> None:
    empty = f"sqlite:///{new.work / 'empty'}"
    code, line = refused(new.manage(*command, **DEVELOPMENT, DATABASE_URL=empty))
    assert code == 4
    assert line.startswith("The database ")
    assert line.endswith("run 'python manage.py migrate' first.")
    assert "\n" not in line


def test_a_database_that_does_not_answer(new: Folder) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgres://user:{SECRET}@127.0.0.1:{closed.getsockname()[1]}/name"
        code, lines = refused(new.manage("up", "--port", "0", DATABASE_URL=url))
    assert code == 4
    last = lines.splitlines()[-1]
    assert last.startswith("The database does not answer: ")
    assert "Connection refused" in last
    assert SECRET not in lines


@pytest.mark.parametrize("content", [None, b"this is no database, and is longer than the header of one" * 20])
def test_a_database_file_that_is_none(new: Folder, content: bytes | None) -> None:
    path = new.work / "nowhere" / "file" if content is None else new.work / "text"
    if content is not None:
        path.write_bytes(content)
    code, line = refused(new.manage("up", "--port", "0", DATABASE_URL=f"sqlite:///{path}"))
    assert code == 4
    last = line.splitlines()[-1]
    assert last.startswith(f"The database {path} can't be used: ")


def test_sqlite_takes_at_most_two_workers(prepared: Folder) -> None:
    code, line = refused(prepared.manage("serve", "--port", "0", "--workers", "3", **DEVELOPMENT))
    assert code == 4
    assert line.startswith("--workers 3: SQLite has one writer at a time, so at most 2 workers; use PostgreSQL")


@pytest.mark.parametrize(
    ("command", "name", "host"),
    [("serve", "OPENAI_BASE_URL", "localhost"), ("up", "IW_UPSTREAM_BASE_URL", "127.0.0.1")],
)
def test_a_base_url_that_leads_back_here(prepared: Folder, command: str, name: str, host: str) -> None:
    back = {name: f"http://{host}:8765/v1", "OPENAI_API_KEY": SECRET}
    code, line = refused(prepared.manage(command, "--port", "8765", **DEVELOPMENT, **back))
    said = f"{name}: leads back to this service (127.0.0.1:8765); set it to the provider's address."
    assert (code, line) == (4, said)


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("http://127.0.0.1:8000/v1", "127.0.0.1", True),
        ("http://localhost:8000", "127.0.0.1", True),
        ("http://[::1]:8000", "::", True),
        ("http://127.0.0.2:8000", "0.0.0.0", True),  # noqa: S104
        ("http://127.0.0.2:8000", "127.0.0.1", False),
        ("http://127.0.0.1:8001", "127.0.0.1", False),
        ("http://127.0.0.1", "127.0.0.1", False),
        ("https://api.openai.com/v1", "0.0.0.0", False),  # noqa: S104
    ],
)
def test_what_leads_back(url: str, host: str, expected: bool) -> None:
    assert leads_back(url, host, 8000) is expected


# Root may write anywhere, so these run as root would without that right: the kernel then asks the file's mode.
UNPRIVILEGED = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
    raise OSError(ctypes.get_errno(), "this root may not give up its right to write anywhere")
os.execvp(sys.argv[1], sys.argv[1:])
"""


def unprivileged(folder: Folder, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return folder.run([sys.executable, "-c", UNPRIVILEGED, *command], **settings)


def test_a_folder_that_is_not_writable(folders: Make) -> None:
    folder = folders()
    folder.path.chmod(0o555)
    code, line = refused(unprivileged(folder, sys.executable, "manage.py", "up", "--port", "0"))
    assert code == 1
    assert line == f"The folder {folder.path / 'var'} can't be made: Permission denied. Make it writable."


def test_a_var_that_is_not_writable(prepared: Folder) -> None:
    (prepared.path / "var").chmod(0o555)
    code, line = refused(unprivileged(prepared, sys.executable, "manage.py", "up", "--port", "0"))
    assert code == 1
    assert line.startswith(f"The folder {prepared.path / 'var'} is not writable: ")
    assert "\n" not in line


def test_a_database_file_that_is_not_writable(prepared: Folder) -> None:
    path = prepared.path / "var" / "iwrouting.sqlite3"
    path.chmod(0o444)
    make_key = ["manage.py", "keys_create", "--project", "a", "--name", "b"]
    code, line = refused(unprivileged(prepared, sys.executable, *make_key, **DEVELOPMENT))
    assert code == 4
    assert line.startswith(f"The database {path} can't be used: attempt to write a readonly database.")
    assert "\n" not in line


def test_venv_in_a_folder_that_is_not_writable(folders: Make) -> None:
    folder = folders()
    folder.path.chmod(0o555)
    code, line = refused(unprivileged(folder, "sh", ".ci/venv.sh", "run"))
    assert code == 1
    assert line.startswith(f"The folder {folder.path} is not writable, and .venv and var are made in it: ")
    assert "\n" not in line
