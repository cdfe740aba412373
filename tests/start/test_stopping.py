"""However it ends, nothing that it started stays, and no traceback is left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.sandbox.process import SandboxProcess
from tests.start import web
from tests.start.conftest import Make
from tests.start.folder import Folder, Running

GONE_S = 2.0
"""Workers look for their parent every 0.2 s and take 0.6 s to leave; the rest is for a busy machine."""


def key(first: Running) -> str:
    return first.word(r"API key +(iw_\w+)")


def sandbox_of(running: Running) -> SandboxProcess:
    """The controls of the sandbox that was started along."""
    sandbox = SandboxProcess(log_path=running.folder.work / "not-logged")
    sandbox.base_url = running.word(r"upstream 'sandbox': (\S+)")
    return sandbox


@pytest.mark.parametrize("stop", [Running.interrupt, Running.terminate])
def test_a_signal_stops_everything(prepared: Folder, stop: Callable[[Running], int]) -> None:
    running = prepared.up()
    assert len(prepared.processes()) == 3
    assert stop(running) == 0
    assert prepared.is_left(within_s=0)
    assert "Traceback" not in running.err


def test_ctrl_c_lets_an_open_call_end(prepared: Folder, first: Running) -> None:
    running = prepared.up()
    sandbox = sandbox_of(running)
    sandbox.plan([{"fault": {"delay_ms": 1000}}])
    answers: list[httpx2.Response] = []
    caller = threading.Thread(target=lambda: answers.append(web.call(running.url, key(first))))
    caller.start()
    running.wait_until(lambda: sandbox.counters()[0]["applied"] == 1)
    assert running.interrupt() == 0
    caller.join()
    assert answers[0].status_code == 200
    assert prepared.is_left(within_s=0)


@pytest.mark.parametrize(
    ("part", "stop"),
    [
        ("iwrouting.sandbox", Running.interrupt),
        ("iwrouting.sandbox", Running.terminate),
        ("server.worker", Running.interrupt),
    ],
)
def test_stopped_while_it_starts_it_leaves_nothing(folders: Make, part: str, stop: Callable[[Running], int]) -> None:
    folder = folders()
    running = folder.start("up", "--port", "0")
    running.wait_until(lambda: folder.process(part))
    assert stop(running) in (0, 130, 128 + signal.SIGTERM, -signal.SIGTERM)
    assert folder.is_left(GONE_S)
    assert "Traceback" not in running.err


@pytest.mark.parametrize("stop", [Running.interrupt, Running.terminate])
def test_stopped_while_a_worker_imports_it_leaves_nothing(prepared: Folder, stop: Callable[[Running], int]) -> None:
    running = prepared.start("serve", "--port", "0", IW_ENV="development")
    [worker] = running.wait_until(lambda: prepared.process("server.worker"))
    # uvicorn loads its event loop, takes the signals over, and only then imports the application.
    running.wait_until(lambda: "uvloop" in Path(f"/proc/{worker}/maps").read_text())
    time.sleep(0.1)
    assert stop(running) == 0
    assert prepared.is_left(within_s=0)
    assert "Traceback" not in running.err


def test_a_killed_parent_takes_everything_with_it(prepared: Folder) -> None:
    running = prepared.up()
    assert len(prepared.processes()) == 3
    running.kill()
    assert prepared.is_left(GONE_S)


def test_a_parent_killed_while_its_workers_start_takes_them_with_it(prepared: Folder) -> None:
    running = prepared.start("serve", "--port", "0", "--workers", "2", IW_ENV="development")
    running.wait_until(lambda: prepared.process("server.worker"))
    running.kill()
    assert prepared.is_left(GONE_S)


def test_a_closed_terminal_stops_everything(prepared: Folder) -> None:
    running = prepared.up()
    os.killpg(running.process.pid, signal.SIGHUP)
    running.process.wait(GONE_S)
    assert prepared.is_left(GONE_S)
