"""Finds PostgreSQL, Chromium and Prometheus on this machine, or installs them where that is allowed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.harness.processes import HarnessError

POSTGRES_FLOOR = 15
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Programs:
    """The outside programs of a run. None: not asked for."""

    postgres_bin: Path | None = None
    chromium: Path | None = None
    prometheus: Path | None = None


def provide(*, postgres: bool, chromium: bool, prometheus: bool = False) -> Programs:
    """Find what is asked for, installing it where this is a Debian machine and we are root.

    Raises HarnessError that names the command to run, where it may not or that did not help.
    """
    missing = _missing(postgres, chromium, prometheus)
    if missing:
        _install(missing)
        missing = _missing(postgres, chromium, prometheus)
    if missing:
        raise HarnessError(f"Still not found after installing: {', '.join(missing)}. See its output above.")
    return Programs(
        find_postgres() if postgres else None,
        find_chromium() if chromium else None,
        find_prometheus() if prometheus else None,
    )


def _missing(postgres: bool, chromium: bool, prometheus: bool) -> list[str]:
    wanted = {
        "postgresql": postgres and find_postgres() is None,
        "chromium": chromium and find_chromium() is None,
        "prometheus": prometheus and find_prometheus() is None,
    }
    return [package for package, lacking in wanted.items() if lacking]


def find_postgres() -> Path | None:
    """The folder of the newest PostgreSQL server programs of version 15 or later; PG_BIN names one outright."""
    named = os.environ.get("PG_BIN")
    if named:
        if postgres_version(Path(named)) < POSTGRES_FLOOR:
            raise HarnessError(f"PG_BIN={named} holds no postgres of version {POSTGRES_FLOOR} or later.")
        return Path(named)
    best = max(_postgres_folders(), key=postgres_version, default=None)
    return best if best and postgres_version(best) >= POSTGRES_FLOOR else None


def _postgres_folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def postgres_version(folder: Path) -> int:
    """The major version of a folder's server, or 0 where server and initdb do not both run."""
    try:
        subprocess.run([folder / "initdb", "--version"], capture_output=True, check=True)
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"(\d+)", done.stdout)
    return int(found[1]) if found else 0


def find_chromium() -> Path | None:
    """The system's Chromium or Chrome; IW_TEST_CHROMIUM names one outright."""
    named = os.environ.get("IW_TEST_CHROMIUM")
    if named and not os.access(named, os.X_OK):
        raise HarnessError(f"IW_TEST_CHROMIUM={named} is no program.")
    found = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Path(found) if found else None


def find_prometheus() -> Path | None:
    """The server; promtool, which comes with it, stands beside it."""
    found = shutil.which("prometheus")
    return Path(found) if found and Path(found).with_name("promtool").exists() else None


def _install(packages: list[str]) -> None:
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    spelled = f"apt-get update && {' '.join(install)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise HarnessError(f"Not found: {', '.join(packages)}. On Debian or Ubuntu, as root: {spelled}")
    print(f"Not found: {', '.join(packages)}. Running: {spelled}", flush=True)
    patient = ["apt-get", "-o", "DPkg::Lock::Timeout=120", *install[1:]]
    for command in (["apt-get", "update"], patient):
        _quietly(command, spelled)


def _quietly(command: list[str], spelled: str) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        raise HarnessError(f"{done.stdout[-2000:]}\nThis failed: {' '.join(command)}. Try by hand: {spelled}")
