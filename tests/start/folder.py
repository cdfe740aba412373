"""The project's folder as a new user has it: a copy, with its own `var`, and the commands that run in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tests.harness import environment, forking

ROOT = Path(__file__).resolve().parents[2]
PARTS = (".ci", "Makefile", "config", "iwrouting", "manage.py", "requirements.txt", "requirements-dev.txt")
OURS = ("IW_ENV", "IW_ENV_FILE", "IW_SECRET_KEY")
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "HOST", "PORT")
PATIENCE_S = 30.0
READY = "Ctrl-C stops everything."

T = TypeVar("T")


class Folder:
    """One copy of the project at `path`; `work` is for what is no part of it, such as logs."""

    def __init__(self, path: Path, work: Path) -> None:
        self.path = path
        self.work = work
        self._started: list[Running] = []

    @classmethod
    def fresh(cls, at: Path, source: Path = ROOT, more: Sequence[str] = ()) -> Folder:
        """The project as it is checked out, copied from `source` to `at`/project. more: what else is copied."""
        folder, work = at / "project", at / "work"
        work.mkdir(parents=True)
        folder.mkdir()
        for name in (*PARTS, *more):
            if (source / name).is_dir():
                shutil.copytree(source / name, folder / name)
            else:
                shutil.copy2(source / name, folder / name)
        return cls(folder, work)

    def copy(self, at: Path, *, var: bool = True) -> Folder:
        """A copy of this folder, with its bytecode and, unless told otherwise, what its starts have made."""
        return Folder.fresh(at, self.path, ["var"] if var else [])

    def env(self, **settings: str) -> dict[str, str]:
        """The environment of somebody who has set nothing but `settings`."""
        base = environment.for_tests(self.work, None)
        return {name: value for name, value in base.items() if name not in OURS + OF_MAKE} | settings

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one command of manage.py to its end, with no terminal."""
        code, out, err = forking.finished(arguments, self.path, self.env(**settings), PATIENCE_S)
        return subprocess.CompletedProcess(arguments, code, out, err)

    def run(self, command: Sequence[str | Path], **settings: str) -> subprocess.CompletedProcess[str]:
        """Run another command in the folder to its end, with no terminal."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.env(**settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )

    def start(self, *arguments: str, **settings: str) -> Running:
        """Start one command of manage.py."""
        return self.launch([sys.executable, "manage.py", *arguments], **settings)

    def launch(self, command: Sequence[str | Path], **settings: str) -> Running:
        """Start one command."""
        self._started.append(Running(self, command, self.env(**settings)))
        return self._started[-1]

    def up(self, *arguments: str, **settings: str) -> Running:
        """`manage.py up` on a free port, ready."""
        running = self.start("up", "--port", "0", *arguments, **settings)
        running.wait_for(READY)
        return running

    def processes(self) -> dict[int, str]:
        """What runs in this folder, whoever started it: command lines by process id."""
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and (entry / "cwd").readlink() == self.path and not _ended(entry):
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ").strip()
        return found

    def process(self, part: str) -> list[int]:
        """The ids of the processes in whose command line `part` stands."""
        return [pid for pid, line in self.processes().items() if part in line]

    def is_left(self, within_s: float) -> bool:
        """Whether nothing runs here any more, at the latest after `within_s` seconds."""
        return bool(eventually(lambda: not self.processes(), within_s))

    def kill_all(self) -> None:
        """End whatever still runs here."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for running in self._started:
            running.kill()


class Running:
    """A command that goes on: the leader of its process group, as a shell would start it."""

    def __init__(self, folder: Folder, command: Sequence[str | Path], env: dict[str, str]) -> None:
        self.folder = folder
        self._files = [folder.work / f"{name}-{time.monotonic_ns()}" for name in ("out", "err")]
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = forking.begun(command, folder.path, env, out.fileno(), err.fileno())

    @property
    def out(self) -> str:
        """What it has said on stdout."""
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        """What it has said on stderr."""
        return self._files[1].read_text()

    def wait_for(self, text: str) -> None:
        """Wait until `text` has been said on either. AssertionError where the process ends before."""
        self.wait_until(lambda: text in self.out + self.err)

    def wait_until(self, condition: Callable[[], T]) -> T:
        """Wait for a condition; what it gave. AssertionError where the process ends before."""
        found = eventually(lambda: condition() or self.process.poll() is not None, PATIENCE_S)
        assert found, f"not within {PATIENCE_S} s: {self.out}{self.err}"
        held = condition()
        assert held, f"it ended with {self.process.poll()}: {self.out}{self.err}"
        return held

    @property
    def url(self) -> str:
        """Where it serves, as it said itself."""
        found = re.search(r"http://[^\s/]+", self.out) or re.search(r"listening on (http://\S+)", self.err)
        assert found, self.out + self.err
        return found[found.re.groups]

    def word(self, pattern: str) -> str:
        """The first group of a pattern in what was said."""
        found = re.search(pattern, self.out + self.err)
        assert found, f"{pattern} is not in: {self.out}{self.err}"
        return found[1]

    def interrupt(self) -> int:
        """Ctrl-C: SIGINT to the whole group; its exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE_S)

    def terminate(self) -> int:
        """SIGTERM to the process itself; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL to the process itself."""
        self.process.kill()
        self.process.wait(PATIENCE_S)


def eventually(condition: Callable[[], T], within_s: float) -> T:
    """What the condition gives as soon as that is true, or at the end of `within_s` seconds."""
    until = time.monotonic() + within_s
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _ended(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
