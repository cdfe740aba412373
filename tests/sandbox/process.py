"""A sandbox as its own process, for tests: starts on a free port, takes plans, hands out its log."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

KEY = "sk-sandbox"
ROOT = Path(__file__).resolve().parents[2]


class SandboxProcess:
    """Starts `python -m iwrouting.sandbox`; `with SandboxProcess() as sandbox` starts and stops it.

    `base_url` ends in /v1, as the SDK wants it; `log_path` is the log's file.
    """

    def __init__(self, *, as_of: str | None = None, log_path: Path | None = None) -> None:
        self.as_of = as_of
        self.base_url = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if log_path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="iw-sandbox-")
            log_path = Path(self._folder.name) / "sandbox.jsonl"
        self.log_path = log_path
        self._process: subprocess.Popen[str] | None = None

    def start(self, port: int = 0, as_of: str | None = None) -> str:
        """Starts the process and returns the base URL. RuntimeError: it ended instead of listening."""
        command = [sys.executable, "-m", "iwrouting.sandbox", "--port", str(port), "--log", str(self.log_path)]
        command += ["--parent-pid", str(os.getpid())]
        day = as_of or self.as_of
        command += ["--as-of", day] if day else []
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox ended with {self._process.wait()}")
        self.base_url = line.split("listening on ")[1].split(" ")[0]
        return self.base_url

    def stop(self) -> int:
        """Stops the process with SIGTERM; its exit code. Called again, it does nothing more."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.terminate()
        code = process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
        if self._folder is not None:
            self._folder.cleanup()
        return code

    def plan(self, rules: list[dict[str, Any]]) -> dict[str, Any]:
        """Puts a plan in force, counters at zero; the plan as the sandbox has it."""
        return self.control("PUT", "plan", {"rules": rules})

    def clear(self) -> None:
        """Drops the plan."""
        self.control("DELETE", "plan")

    def counters(self) -> list[dict[str, Any]]:
        """The plan's rules with `matched` and `applied`."""
        rules: list[dict[str, Any]] = self.control("GET", "plan")["rules"]
        return rules

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """The ended requests numbered above `since`, as logged."""
        found: list[dict[str, Any]] = self.control("GET", f"requests?since={since}")["requests"]
        return found

    def state(self) -> dict[str, Any]:
        """What is open now, and the counts since the start."""
        return self.control("GET", "state")

    def control(self, method: str, name: str, body: object = None) -> dict[str, Any]:
        """One control request. AssertionError: the sandbox refused it."""
        data = None if body is None else json.dumps(body)
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        try:
            connection.request(method, f"/_sandbox/{name}", body=data)
            answer = connection.getresponse()
            found: dict[str, Any] = json.load(answer)
        finally:
            connection.close()
        assert answer.status == 200, found
        return found

    def __enter__(self) -> SandboxProcess:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
