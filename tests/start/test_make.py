"""The two commands in full: `make run` with a `.venv` that stands, so that nothing is installed."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.start import web
from tests.start.folder import READY, Folder, Running


@pytest.fixture
def installed(prepared: Folder) -> Folder:
    """A folder whose .venv leads to this interpreter, and whose packages count as installed."""
    python = prepared.path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    shutil.copy2(prepared.path / "requirements.txt", prepared.path / ".venv" / "installed-run.txt")
    return prepared


def make(folder: Folder, *arguments: str) -> Running:
    return folder.launch(["make", *arguments])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_make_run_serves_where_it_is_told(installed: Folder, first: Running) -> None:
    port = free_port()
    running = make(installed, "run", "HOST=127.0.0.2", f"PORT={port}")
    running.wait_for(READY)
    assert running.url == f"http://127.0.0.2:{port}"
    assert web.call(running.url, first.word(r"API key +(iw_\w+)")).status_code == 200
    running.interrupt()
    assert installed.is_left(within_s=1)
    assert "Traceback" not in running.err
    assert "Installing" not in running.err


def test_make_run_says_in_one_line_that_the_port_is_taken(installed: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = installed.run(["make", "run", f"PORT={taken.getsockname()[1]}"])
    ours = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(ours) == 1
    assert "is taken: stop what uses it, or choose another" in ours[0]
    assert done.returncode == 2


def test_make_alone_lists_the_targets(prepared: Folder) -> None:
    done = prepared.run(["make"])
    assert done.returncode == 0
    for target in ("run", "test", "lint", "format", "lock", "clean"):
        assert f"\n{target} " in f"\n{done.stdout}"


def test_a_removed_interpreter_is_noticed(installed: Folder, tmp_path: Path) -> None:
    (installed.path / ".venv" / "bin" / "python").unlink()
    done = installed.run(["make", "run", "PYTHON=/nonexistent/python"])
    assert done.returncode == 2
    assert "PYTHON=/nonexistent/python does not run, or is older than 3.11" in done.stderr
