"""What runs the tests: it isolates them, counts them, and stops what it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness import counts, environment, offline, processes, programs, steps

ROOT = Path(__file__).resolve().parents[1]


def test_the_test_environment_holds_nothing_of_the_developers(tmp_path: Path) -> None:
    base = {
        "PATH": "/bin",
        "OPENAI_API_KEY": "sk-real",
        "IW_UPSTREAM_API_KEY": "sk-real",
        "MAX_EMBED_TOKENS_PER_BATCH": "1",
        "DATABASE_URL": "postgres://real",
        "PGHOST": "real",
        "https_proxy": "http://proxy",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    env = environment.for_tests(tmp_path, Path("/bin/chromium"), base)
    assert "sk-real" not in env.values()
    assert env.keys() & base.keys() == {"PATH"}
    assert env["PATH"] == "/bin"
    assert env["IW_ENV"] == "development"
    assert env["IW_TEST_CHROMIUM"] == "/bin/chromium"
    assert Path(env["IW_ENV_FILE"]).read_text() == ""


def test_no_browser_is_named_where_none_was_asked_for(tmp_path: Path) -> None:
    assert "IW_TEST_CHROMIUM" not in environment.for_tests(tmp_path, None, {"IW_TEST_CHROMIUM": "/bin/old"})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["ruff", "format", "mypy", "sqlite", "postgres"]),
        (["lint"], ["ruff", "format", "mypy"]),
        (["postgres,sqlite"], ["sqlite", "postgres"]),
        (["postgres", "ruff"], ["ruff", "postgres"]),
        (["prometheus"], ["prometheus"]),
    ],
)
def test_steps_run_in_one_order(names: list[str], expected: list[str]) -> None:
    assert steps.chosen(names) == expected


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(KeyError, match="mysql"):
        steps.chosen(["sqlite,mysql"])


def test_counts_are_summed_and_an_error_is_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "r.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="1"/></testsuites>')
    total = counts.read(report) + counts.read(report)
    assert str(total) == "10 passed, 6 failed, 2 skipped"


def test_a_run_without_a_report_counts_nothing(tmp_path: Path) -> None:
    assert str(counts.read(tmp_path / "none.xml")) == "0 passed, 0 failed"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"localhost", "", None, "0.0.0.0"])  # noqa: S104
def test_the_loopback_is_reachable(host: object) -> None:
    assert offline.is_local(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:db8::1", "example.org", b"example.org", "localhost.example.org"])
def test_another_host_is_not(host: object) -> None:
    assert not offline.is_local(host)


def test_connecting_elsewhere_fails_as_without_a_network() -> None:
    with socket.socket() as sock, pytest.raises(OSError, match=r"192\.0\.2\.1"):
        offline.refuse_the_network("socket.connect", (sock, ("192.0.2.1", 443)))


def test_looking_up_another_host_fails_as_without_a_network() -> None:
    with pytest.raises(socket.gaierror, match=r"example\.org"):
        offline.refuse_the_network("socket.getaddrinfo", ("example.org", 443, 0, 0, 0))


def test_an_address_is_looked_up_without_asking_anybody() -> None:
    offline.refuse_the_network("socket.getaddrinfo", ("192.0.2.1", 443, 0, 0, 0))


def test_a_folder_without_postgres_has_no_version(tmp_path: Path) -> None:
    assert programs.postgres_version(tmp_path) == 0


def test_a_named_folder_without_postgres_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(processes.HarnessError, match=str(tmp_path)):
        programs.find_postgres()


def test_a_step_leaves_no_process_behind(tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/pid; exit 3"
    assert processes.run(["/bin/sh", "-c", script], tmp_path, {"PATH": os.environ["PATH"]}) == 3
    assert ends((tmp_path / "pid").read_text().strip())


def test_a_stopped_run_stops_its_steps(tmp_path: Path) -> None:
    step = f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60"
    code = (
        "from pathlib import Path\nfrom tests.harness.processes import *\n"
        f"with terminable():\n    run(['/bin/sh', '-c', {step!r}], Path('/'), {{'PATH': {os.environ['PATH']!r}}})\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    assert eventually((tmp_path / "pid").exists)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(15) == 128 + signal.SIGTERM
    assert ends((tmp_path / "pid").read_text().strip())


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def ends(pid: str) -> bool:
    return eventually(lambda: not is_running(int(pid)))


def is_running(pid: int) -> bool:
    if not Path("/proc/self").exists():
        return subprocess.run(["ps", "-p", str(pid)], stdout=subprocess.DEVNULL).returncode == 0
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
