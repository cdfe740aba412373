"""The databases of a storm: a PostgreSQL of our own behind the fault proxy, or a SQLite file; each on a small disk.

`url` is how the service gets there, `query` our own way that no fault touches, `fresh` makes a new database with
nothing but the stage's rows, `keys` are the callers'.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.faults.storm.disk import SmallDisk, small_disk
from tests.faults.storm.proxy import FaultProxy
from tests.harness import environment, postgres, programs
from tests.live.world import SETTINGS

ROOT = Path(__file__).resolve().parents[3]
DISK_MB = 512
Row = dict[str, Any]
APP = "storm"
"""Whom the service is to the server: no superuser, so that it can not take the connections reserved for those."""

HARNESS = "storm-harness"
"""The application name of our own connections, which are counted for nobody."""


def staged(work: Path, url: str) -> dict[str, str]:
    """Set the stage in the database of a URL; the keys."""
    env = {**environment.for_tests(work, None), **SETTINGS, "DATABASE_URL": url}
    env["DJANGO_SETTINGS_MODULE"] = "config.settings"
    command = [sys.executable, "-m", "tests.faults.storm.stage"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    keys: dict[str, str] = json.loads(done.stdout.partition("keys: ")[2])
    return keys


class PostgreSQL:
    """A server of our own, a proxy before it, and a tablespace that can run full."""

    name = "PostgreSQL"
    TEMPLATE = "storm_template"

    def __init__(self, cluster: postgres.Cluster, proxy: FaultProxy, disk: SmallDisk | None, work: Path) -> None:
        self.cluster = cluster
        self.proxy = proxy
        self.disk = disk
        self.url = ""
        self._direct = ""
        cluster.psql(f"CREATE ROLE {APP} LOGIN PASSWORD '{cluster.password}'")
        cluster.psql(f"CREATE DATABASE {self.TEMPLATE} OWNER {APP}")
        if disk is not None:
            folder = disk.path / "tablespace"
            folder.mkdir(mode=0o700)
            os.chown(folder, cluster.owner.uid, cluster.owner.gid)
            cluster.psql(f"CREATE TABLESPACE storm_small LOCATION '{folder}'")
        self.keys = staged(work, self._as_app(cluster.url(self.TEMPLATE)))

    def fresh(self, name: str) -> None:
        """A copy of the stage, on the small disk."""
        place = "" if self.disk is None else " TABLESPACE storm_small"
        if self._direct:
            self.cluster.psql(f"DROP DATABASE {self._direct.rpartition('/')[2]} WITH (FORCE)")
        self.cluster.psql(f"CREATE DATABASE {name} OWNER {APP} TEMPLATE {self.TEMPLATE}{place}")
        self._direct = self.cluster.url(name)
        self.url = self._as_app(self._direct).replace(f":{self.cluster.port}/", f":{self.proxy.port}/")

    def change(self, sql: str) -> None:
        """A change of the tables, again where it collides with those who write."""
        for left in reversed(range(20)):
            try:
                self.query(sql)
                return
            except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
                if not left:
                    raise

    @property
    def direct_url(self) -> str:
        """How a command gets there, not through the proxy."""
        return self._as_app(self._direct)

    def query(self, sql: str) -> list[Row]:
        """Rows, not through the proxy, and also while the server says that it is read-only."""
        with self._connect() as link:
            link.autocommit = True
            cursor = link.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def _as_app(self, url: str) -> str:
        return url.replace(f"//{postgres.NAME}:", f"//{APP}:")

    @contextmanager
    def transaction(self, sql: str) -> Iterator[None]:
        """Hold a transaction open that began with this statement, within the block."""
        with self._connect() as link:
            link.execute(sql.encode())
            yield
            link.rollback()

    def _connect(self) -> psycopg.Connection[Row]:
        options = "-c default_transaction_read_only=off"
        return psycopg.connect(
            self._direct, application_name=HARNESS, options=options, connect_timeout=10, row_factory=dict_row
        )


class SQLite:
    """A file, reached through a link that can be taken away."""

    name = "SQLite"

    def __init__(self, folder: Path, disk: SmallDisk | None, work: Path) -> None:
        self.folder = folder
        self.disk = disk
        self.way = work / "way"
        self.url = ""
        self.path = folder
        self._template = work / "template.sqlite3"
        self.way.symlink_to(folder)
        self.keys = staged(work, f"sqlite:///{self._template}")

    def fresh(self, name: str) -> None:
        """A copy of the stage."""
        for old in self.folder.glob("*.sqlite3*"):
            old.unlink()
        self.path = self.folder / f"{name}.sqlite3"
        shutil.copy2(self._template, self.path)
        self.url = f"sqlite:///{self.way / self.path.name}"

    @property
    def direct_url(self) -> str:
        """How a command gets there."""
        return f"sqlite:///{self.path}"

    def query(self, sql: str) -> list[Row]:
        """Rows."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=rw", uri=True, timeout=30, isolation_level=None)) as link:
            link.row_factory = sqlite3.Row
            return [dict(row) for row in link.execute(sql).fetchall()]


Database = PostgreSQL | SQLite


@contextmanager
def postgresql(work: Path) -> Iterator[PostgreSQL]:
    """Start one. work: a folder that every account may pass through."""
    folder = programs.find_postgres()
    assert folder is not None, "no PostgreSQL here: make test installs it"
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(work / "disk", DISK_MB))
        cluster = postgres.Cluster(folder, work)
        stack.callback(cluster.stop)
        cluster.start()
        proxy = stack.enter_context(FaultProxy(cluster.port))
        yield PostgreSQL(cluster, proxy, disk, work)


@contextmanager
def sqlite(work: Path) -> Iterator[SQLite]:
    """Make one."""
    with small_disk(work / "disk", DISK_MB) as disk:
        yield SQLite(work / "disk", disk, work)
