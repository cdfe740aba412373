"""`.ci/venv.sh`: what it asks of the machine, and when it installs. A stand-in for Python keeps it offline."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "venv.sh"
# Answers what the script asks of a Python, and writes down what else it was called for.
PYTHON = """#!/bin/sh
case "$*" in
    *version_info\\ \\<*) exit $OLD ;;
    *'import venv'*) exit $NO_VENV ;;
    *'import pip'*) exit 0 ;;
    *'%d.%d'*) echo 3.12 ;;
    *python_version*) echo "python3 is 3.9.2" ;;
    '-m venv .venv') mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo venv >> calls ;;
    '-m pip install'*) echo "$*" >> calls; exit $PIP ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""
GOOD = {"OLD": "0", "NO_VENV": "0", "PIP": "0"}


class Machine:
    """A folder with the script's requirements files, and a Python that says what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("requirements.txt", "requirements-dev.txt"):
            (folder / name).write_text(f"{name} of today\n")

    def add_python(self, name: str = "python3") -> None:
        (self.bin / name).write_text(PYTHON)
        (self.bin / name).chmod(0o755)

    def run(self, what: str = "run", **settings: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.bin}:{os.defpath}", **GOOD, **settings}
        return subprocess.run(["/bin/sh", SCRIPT, what], cwd=self.folder, env=env, capture_output=True, text=True)

    def calls(self) -> list[str]:
        """What was called since the last time."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.add_python()
    return made


def pip(file: str) -> str:
    return f"-m pip install -qq --no-input --disable-pip-version-check --require-hashes -r {file}"


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()[-1]


def test_it_installs_once(machine: Machine) -> None:
    assert machine.run().returncode == 0
    assert machine.calls() == ["venv", pip("requirements.txt")]
    again = machine.run()
    assert (again.returncode, again.stderr, machine.calls()) == (0, "", [])


def test_changed_requirements_are_installed(machine: Machine) -> None:
    machine.run()
    machine.calls()
    (machine.folder / "requirements.txt").write_text("of tomorrow\n")
    assert machine.run().returncode == 0
    assert machine.calls() == [pip("requirements.txt")]


def test_what_the_tests_need_covers_what_a_run_needs(machine: Machine) -> None:
    assert machine.run("dev").returncode == 0
    assert machine.calls() == ["venv", pip("requirements-dev.txt")]
    assert machine.run("run").returncode == 0
    assert machine.calls() == []


def test_a_failed_installation_is_said_and_made_afresh(machine: Machine) -> None:
    done = machine.run(PIP="1")
    assert said(done) == "pip could not install requirements.txt: its message stands above; the next run starts afresh."
    machine.calls()
    assert machine.run().returncode == 0
    assert machine.calls() == ["venv", pip("requirements.txt")]


def test_no_python_at_all(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    line = said(machine.run(PATH=str(machine.bin)))
    assert line.startswith("Python 3.11 or later is needed, and there is no python3 here: install one, or name it: ")


def test_an_old_python(machine: Machine) -> None:
    line = said(machine.run(PATH=str(machine.bin), OLD="1"))
    assert line.startswith("Python 3.11 or later is needed, and python3 is 3.9.2 here: install one, or name it: ")


def test_a_newer_one_beside_an_old_one_is_found(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add_python("python3.12")
    (machine.bin / "python3").write_text("#!/bin/sh\nexit 1\n")
    (machine.bin / "python3").chmod(0o755)
    assert machine.run().returncode == 0


def test_a_named_python_that_does_not_do(machine: Machine) -> None:
    line = said(machine.run(PYTHON="/nonexistent/python"))
    assert line == "PYTHON=/nonexistent/python does not run, or is older than 3.11: name a Python 3.11 or later."


def test_a_missing_venv_module(machine: Machine) -> None:
    line = said(machine.run(NO_VENV="1"))
    assert line.startswith("python3 has no venv module: on Debian or Ubuntu run 'apt-get install python3.12-venv', ")
    assert not (machine.folder / ".venv").exists()
