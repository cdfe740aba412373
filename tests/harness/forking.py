"""Commands of manage.py as processes of their own, each forked from one that has imported others' code (forked.py)."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.harness import forked
from tests.harness.processes import HarnessError

COMMAND = [sys.executable, "manage.py"]


class Forked:
    """A command that runs: as much of `subprocess.Popen` as the tests use. It leads a process group of its own."""

    def __init__(self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], out: int, err: int) -> None:
        self.args = ["manage.py", *arguments]
        self.returncode: int | None = None
        self._lock = threading.Lock()
        asked = {"arguments": self.args, "cwd": str(cwd), "env": dict(env)}
        self._report, report = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            self.pid = _source.fork(asked, [nothing, out, err, report])
        finally:
            os.close(nothing)
            os.close(report)

    def __del__(self) -> None:
        if self.returncode is None:
            os.close(self._report)

    def poll(self) -> int | None:
        """Its exit code, below 0 where a signal ended it; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """A signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, within_s: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._report], [], [], within_s)[0]:
                told = os.read(self._report, forked.STATUS.size)
                self.returncode = forked.STATUS.unpack(told)[0]
                os.close(self._report)
            return self.returncode


Process = subprocess.Popen[bytes] | Forked


def begun(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str], out: int, err: int) -> Process:
    """A command as a process that leads its group, without input: forked where it is one of manage.py's."""
    if list(command[:2]) == COMMAND:
        return Forked([str(each) for each in command[2:]], cwd, env, out, err)
    return subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0
    )


def finished(arguments: Sequence[str], cwd: Path, env: Mapping[str, str], within_s: float) -> tuple[int, str, str]:
    """Run a command of manage.py to its end: exit code, stdout, stderr. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = Forked(arguments, cwd, env, out.fileno(), err.fileno())
        try:
            code = process.wait(within_s)
        finally:
            process.kill()
        for each in (out, err):
            each.seek(0)
        return code, out.read().decode(), err.read().decode()


class _Source:
    """The process that forks, started with the first command that is asked of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._link: socket.socket | None = None

    def fork(self, asked: forked.Asked, files: Sequence[int]) -> int:
        with self._lock:
            if self._link is None:
                self._link = self._started()
            socket.send_fds(self._link, [json.dumps(asked).encode()], files)
            told = self._link.recv(forked.STATUS.size)
        if not told:
            raise HarnessError("The process that forks commands has ended; its last words are above.")
        return int(forked.STATUS.unpack(told)[0])

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, forked.__file__, str(theirs.fileno())]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        return ours


_source = _Source()
