"""The service as its own process: `manage.py serve` on a free port, its words in a file."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.harness import forking

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0
STOP_S = 15.0
LISTENING = re.compile(r"listening on (http://\S+)")


PREPARE = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
call_command("matrix_load")
"""
"""Both commands in one process: half of what each takes is starting it."""


_prepared: list[bytes] = []


def prepare(env: Mapping[str, str]) -> None:
    """Make the tables and fill the matrix, of which no setting is a part: on SQLite they are made once and then copied.

    AssertionError with the command's stderr where it fails.
    """
    kind, _, path = env["DATABASE_URL"].partition(":///")
    if kind == "sqlite" and _prepared:
        Path(path).write_bytes(_prepared[0])
        return
    given = {**env, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", PREPARE]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    if kind == "sqlite":
        assert not Path(f"{path}-wal").exists(), "something is still at work in it"
        _prepared.append(Path(path).read_bytes())


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """Run one command of manage.py; its stdout. AssertionError with its stderr where it fails."""
    code, out, err = forking.finished(arguments, ROOT, env, 60)
    assert code == 0, err
    return out


class ServiceProcess:
    """`manage.py serve`: `url` has no path, `log` is the file that takes stdout and stderr."""

    def __init__(self, env: Mapping[str, str], log: Path, *, workers: int = 1) -> None:
        self.env = dict(env)
        self.log = log
        self.workers = workers
        self.url = ""
        self.process: forking.Forked | None = None

    def start(self, *, ready: bool = True, patience_s: float = START_S) -> ServiceProcess:
        """Start it, and wait until it answers (`ready`: until it says 200 at /readyz)."""
        options = ["--host", "127.0.0.1", "--port", "0", "--workers", str(self.workers)]
        with self.log.open("wb") as words:
            self.process = forking.Forked(["serve", *options], ROOT, self.env, words.fileno(), words.fileno())
        self._wait(lambda: self._listening() and self.status("/healthz") == 200, patience_s)
        if ready:
            self._wait(lambda: self.status("/readyz") == 200, patience_s)
        return self

    def stop(self) -> int:
        """SIGTERM to the parent, then nothing of its group is left; the parent's exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def words(self) -> str:
        """All that it has said."""
        return self.log.read_text(errors="replace")

    def get(self, path: str) -> tuple[int, Any]:
        """One GET without a key: status and JSON."""
        address = urlsplit(self.url)
        link = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def status(self, path: str) -> int:
        """The status of one GET; 0 where nobody answers."""
        try:
            return self.get(path)[0]
        except OSError:
            return 0

    def children(self) -> list[int]:
        """The process ids of its workers."""
        assert self.process is not None
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def _listening(self) -> bool:
        found = LISTENING.search(self.words)
        self.url = found[1] if found else ""
        return bool(found)

    def _wait(self, condition: Any, patience_s: float) -> None:
        until = time.monotonic() + patience_s
        while not condition():
            ended = self.process is None or self.process.poll() is not None
            assert not ended, f"the service ended ({self.process and self.process.returncode}): {self.words[-2000:]}"
            assert time.monotonic() < until, f"the service does not answer: {self.words[-2000:]}"
            time.sleep(0.05)
