"""The command: its one line, how it ends, and what it says when it can't start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sandbox import raw
from tests.sandbox.process import ROOT, SandboxProcess

COMMAND = [sys.executable, "-m", "iwrouting.sandbox"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_and_a_signal_ends_it_with_0(signum: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("sandbox: listening on http://127.0.0.1:")
    assert line.endswith("/v1 (key sk-sandbox)\n")
    assert raw.get(line.split(" on ")[1].split(" ")[0], "/v1/models").status == 200
    process.send_signal(signum)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_it_stops_at_once_with_streams_open_and_logs_them(tmp_path: Path) -> None:
    sandbox = SandboxProcess(log_path=tmp_path / "log.jsonl")
    sandbox.start()
    sandbox.plan([{"fault": "stall"}])
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(raw.request_bytes(raw.CHAT, raw.hello(stream=True)))
        sock.recv(100)
        started = time.monotonic()
        assert sandbox.stop() == 0
        assert time.monotonic() - started < 5
    records = [json.loads(line) for line in sandbox.log_path.read_text().splitlines()]
    assert [(record["status"], record["ended"]) for record in records] == [(200, "stopped")]


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"sandbox: port {port} on 127.0.0.1 is already in use; choose another with --port (0 picks a free one)\n"
    )


def test_a_wrong_address_a_wrong_log_and_a_wrong_plan_are_one_clear_line(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"fault": {"statsu": 500}}]}')
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    rows = [
        (["--port", "0", "--host", "192.0.2.1"], "192.0.2.1"),
        (["--port", "0", "--log", str(tmp_path / "no" / "log")], "can't write the log"),
        (["--port", "0", "--plan", str(plan)], "rules[0].fault.statsu: unknown; did you mean 'status'?"),
        (["--port", "0", "--plan", str(broken)], "is not JSON"),
        (["--port", "0", "--plan", str(tmp_path / "none.json")], "can't read the plan"),
    ]
    for arguments, text in rows:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert text in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_wrong_day_is_refused_and_help_has_examples() -> None:
    done = run("--port", "0", "--as-of", "yesterday")
    assert done.returncode == 2
    assert "'yesterday' is no date; write it as YYYY-MM-DD" in done.stderr
    assert "'70000' is no port" in run("--port", "70000").stderr
    shown = run("--help")
    assert shown.returncode == 0
    assert "python -m iwrouting.sandbox --port 8900" in shown.stdout


def test_a_plan_file_is_in_force_from_the_start(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"fault": "overloaded"}]}')
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--plan", str(plan)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    base_url = process.stdout.readline().split(" on ")[1].split(" ")[0]
    assert raw.post(base_url, raw.CHAT, raw.hello()).status == 503
    process.terminate()
    process.communicate(timeout=10)


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    for count in (1, 2):
        with SandboxProcess(log_path=tmp_path / "log.jsonl") as sandbox:
            raw.post(sandbox.base_url, raw.CHAT, raw.hello())
        assert len((tmp_path / "log.jsonl").read_text().splitlines()) == count


def test_it_goes_when_its_parent_is_gone() -> None:
    program = (
        "import os, subprocess, sys; "
        "p = subprocess.Popen([sys.executable, '-m', 'iwrouting.sandbox', '--port', '0', '--parent-pid', "
        "str(os.getpid())], stdout=subprocess.PIPE, text=True); "
        "print(p.pid, p.stdout.readline(), flush=True); os._exit(0)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline().split(" ")[0])
    parent.wait(timeout=10)
    parent.stdout.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and running(pid):
        time.sleep(0.05)
    assert not running(pid)


def running(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet collected does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_it_needs_no_django_and_no_pydantic() -> None:
    program = (
        "import sys, iwrouting.sandbox.__main__; print(sorted(set(sys.modules) & {'django', 'pydantic', 'openai'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
