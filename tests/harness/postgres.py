"""A PostgreSQL of our own: fresh, on a free port of the loopback, run by an unprivileged user, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.processes import HarnessError, end_group

NAME = "iwrouting"
START_S = 30.0
LONGEST_SOCKET_FOLDER = 90
"""A socket's path may have 107 bytes with its file name; in a deeper folder the server listens on TCP alone."""

# Durability stays as in production (fsync and synchronous_commit on); only sizes are small.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "64MB",
    "max_connections": "300",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "10min",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Account:
    """Who runs the server, as the arguments of a child process; empty: we are no root, so we do."""

    identity: Mapping[str, Any]
    uid: int
    gid: int


def account() -> Account:
    """An unprivileged account: our own, or where we are root `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return Account({}, os.geteuid(), os.getegid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account({"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}, entry.pw_uid, entry.pw_gid)
    raise HarnessError("PostgreSQL refuses to run as root, and there is no user postgres or nobody: add one.")


class Cluster:
    """A server with a data folder of its own in `work`, which the server's account must be able to pass through.

    bin_folder: where initdb and postgres are. It keeps its port over `stop` and `start`.
    """

    def __init__(self, bin_folder: Path, work: Path) -> None:
        self.bin_folder = bin_folder
        self.owner = account()
        self.folder = work / "postgres"
        self.password = secrets.token_hex(16)
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        _initialise(bin_folder, self.folder, self.password, self.owner)

    def start(self) -> None:
        """Start it, and wait until it answers. Raises HarnessError with the server's own last words."""
        self.process = self._spawn()
        until = time.monotonic() + START_S
        command: list[str | Path] = [self.bin_folder / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(command, env=_client_env()).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > until:
                raise HarnessError(f"PostgreSQL did not start on port {self.port}: {_last_words(self.folder)}")
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it. SIGINT is the fast shutdown, which ends the sessions that are open; SIGQUIT a crash."""
        process, self.process = self.process, None
        if process is not None:
            end_group(process, number)

    def url(self, database: str = NAME) -> str:
        """The DATABASE_URL of a superuser."""
        return f"postgres://{NAME}:{self.password}@127.0.0.1:{self.port}/{database}"

    def psql(self, statement: str) -> None:
        """One statement in the database `postgres`. Raises HarnessError."""
        _psql(self.bin_folder, self.port, self.password, statement)

    def _spawn(self) -> subprocess.Popen[bytes]:
        socket_folder = str(self.folder) if len(os.fsencode(self.folder)) <= LONGEST_SOCKET_FOLDER else ""
        settings = SERVER_SETTINGS | {"port": str(self.port), "unix_socket_directories": socket_folder}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self.bin_folder / "postgres", "-D", self.folder / "data", *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                **self.owner.identity,
            )


@contextmanager
def server(bin_folder: Path, work: Path) -> Iterator[str]:
    """Run a server within the block; gives its DATABASE_URL (a superuser and an empty database).

    Raises HarnessError with the server's own last words when it does not start.
    """
    cluster = Cluster(bin_folder, work)
    try:
        cluster.start()
        cluster.psql(f"CREATE DATABASE {NAME}")
        yield cluster.url()
    finally:
        cluster.stop()


def _initialise(bin_folder: Path, folder: Path, password: str, owner: Account) -> None:
    folder.mkdir(mode=0o700)
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    for path in (folder, secret):
        os.chown(path, owner.uid, owner.gid)
    command: list[str | Path] = [
        bin_folder / "initdb",
        "-D",
        folder / "data",
        "-U",
        NAME,
        "-A",
        "scram-sha-256",
        f"--pwfile={secret}",
    ]
    command += ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **owner.identity)
    if done.returncode != 0:
        raise HarnessError(f"initdb failed in {folder}: {done.stderr.strip()[-1000:]}")


def _last_words(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace").strip()[-1000:]


def _psql(bin_folder: Path, port: int, password: str, statement: str) -> None:
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", NAME, "-d", "postgres"]
    command: list[str | Path] = [bin_folder / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *where, "-c", statement]
    done = subprocess.run(command, env=_client_env() | {"PGPASSWORD": password}, capture_output=True, text=True)
    if done.returncode != 0:
        raise HarnessError(f"PostgreSQL refused {statement}: {done.stderr.strip()}")


def _client_env() -> dict[str, str]:
    """Our environment without PGHOST, PGSSLMODE and the like, which may point elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
