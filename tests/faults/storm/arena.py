"""Where a storm rages: a fresh database, the service with two workers, the sandbox, and a folder for the journals."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.storm.databases import Database, PostgreSQL, SQLite, postgresql, sqlite
from tests.faults.storm.disk import SmallDisk, small_disk
from tests.harness import environment
from tests.live.processes import ROOT, ServiceProcess
from tests.live.world import SETTINGS
from tests.sandbox.process import SandboxProcess

WORKERS = 2
START_S = 120.0
"""A start may take so long on a machine that other tests keep busy."""

DEAD_S = 3.0
JOURNAL_MB = 64
TIMERS = {
    "IW_WRITER_DEAD_S": str(DEAD_S),
    "IW_DEADLINE_S": "15",
    "IW_FIRST_BYTE_TIMEOUT_S": "4",
    "IW_IDLE_TIMEOUT_S": "4",
    "IW_DRAIN_S": "2",
    "IW_LOG_LEVEL": "warning",
    "IW_AUDIT_KEY": "the-audit-key-of-the-storms-and-of-no-other-use",
}


@dataclass
class Arena:
    """All that one round works with. `folder` holds logs and journals.

    `calm` is held while a process is at fault, and while a recovery is waited for, so that it can end at all.
    """

    folder: Path
    database: Database
    sandbox: SandboxProcess
    journal_disk: SmallDisk | None
    service: ServiceProcess
    env: dict[str, str]
    lock: threading.RLock = field(default_factory=threading.RLock)
    calm: threading.Lock = field(default_factory=threading.Lock)
    starts: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def postgresql(self) -> PostgreSQL:
        """The database, where it is one."""
        assert isinstance(self.database, PostgreSQL)
        return self.database

    @property
    def sqlite(self) -> SQLite:
        """The database, where it is one."""
        assert isinstance(self.database, SQLite)
        return self.database

    @property
    def journals(self) -> Path:
        """The folder of the journals."""
        return Path(self.env["IW_JOURNAL_DIR"])

    @property
    def client_log(self) -> Path:
        """The log of those who call."""
        return self.folder / "client.jsonl"

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py on the database, by a way that no fault touches."""
        env = {**self.env, "DATABASE_URL": self.database.direct_url}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)

    def start(self, **settings: str) -> None:
        """Start the service, whatever the state of its database."""
        with self.lock:
            log = self.folder / f"service-{next(self.starts)}.log"
            self.service = ServiceProcess({**self.env, **settings}, log, workers=WORKERS)
            self.service.start(ready=False, patience_s=START_S)

    def terminate(self) -> int:
        """SIGTERM, and wait; the exit code."""
        with self.lock:
            return self.service.stop()

    def kill(self) -> None:
        """kill -9 of the whole group."""
        with self.lock:
            process, self.service.process = self.service.process, None
            if process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def workers(self) -> list[int]:
        """The process ids of the workers that run."""
        with self.lock:
            return self.service.children() if self.service.process is not None else []

    def words(self) -> str:
        """All that the services of this round have said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("service-*.log")))

    def readyz(self) -> dict[str, Any]:
        """What one of the workers says of itself; empty where none answers."""
        try:
            found: dict[str, Any] = self.service.get("/readyz")[1]
        except (OSError, ValueError):
            return {}
        return found


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder that the database's own account may pass through, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="iw-storm-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextmanager
def a_database(kind: str, work: Path) -> Iterator[Database]:
    """The database of that kind: `postgresql` or `sqlite`."""
    with postgresql(work) if kind == "postgresql" else sqlite(work) as made:
        yield made


@contextmanager
def arena(database: Database, work: Path, name: str, **settings: str) -> Iterator[Arena]:
    """A fresh arena on this database; the service runs."""
    with ExitStack() as stack:
        folder = work / name
        folder.mkdir()
        journal_disk = stack.enter_context(small_disk(folder / "journals", JOURNAL_MB))
        sandbox = stack.enter_context(SandboxProcess(log_path=folder / "sandbox.jsonl"))
        database.fresh(name)
        env = {**environment.for_tests(folder, None), **SETTINGS, **TIMERS, **settings}
        env |= {"DATABASE_URL": database.url, "IW_UPSTREAM_BASE_URL": sandbox.base_url}
        env["IW_JOURNAL_DIR"] = str(folder / "journals" / "own")
        unstarted = ServiceProcess(env, folder / "none")
        made = Arena(folder, database, sandbox, journal_disk, unstarted, env)
        stack.callback(made.kill)
        made.start()
        _wait_for_the_keys(made)
        yield made


def _wait_for_the_keys(made: Arena) -> None:
    until = time.monotonic() + START_S
    while made.readyz().get("status") != "ready":
        assert time.monotonic() < until, made.readyz()
        time.sleep(0.05)
