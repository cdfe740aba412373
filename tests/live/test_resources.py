"""A service that may open no more files, and one whose words nobody takes: it refuses or keeps silent, and recovers."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.processes import ROOT
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"


def ask(live: Live, url: str) -> Raw:
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    with suppress(OSError):
        return raw.post(url, CHAT, hello("fast"), 5, **headers)
    return Raw()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in found.split()]


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_worker_out_of_files__refuses_new_work_and_recovers(live: Live) -> None:
    service = live.world.other_service("few-files")
    assert service.process is not None
    [pid] = children(service.process.pid)
    live.introduce(live.home.key, service.url)
    assert ask(live, service.url).status == 200
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    try:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(pid) + 8, hard))
        with ExitStack() as stack:
            for _ in range(40):
                with suppress(OSError):
                    stack.enter_context(raw.connect(service.url))
            refused = ask(live, service.url)
            assert refused.status in (0, 502, 503)
            assert children(service.process.pid) == [pid], "it lives"
        eventually(lambda: ask(live, service.url).status == 200, "its recovery, with the connections gone")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert children(service.process.pid) == [pid]
    for record in live.records():
        assert len(record.outcomes) == 1


@pytest.fixture
def nowhere() -> Iterator[tuple[int, int]]:
    """A pipe that nobody reads, and a full disk: they take nothing."""
    full = os.open("/dev/full", os.O_WRONLY)
    reader, pipe = os.pipe()
    os.close(reader)
    yield pipe, full
    os.close(pipe)
    os.close(full)


def test_service_whose_words_nobody_takes__serves_restarts_workers_and_ends_with_0(
    live: Live, nowhere: tuple[int, int]
) -> None:
    assert live.home.key
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(live.world.env), stdin=subprocess.DEVNULL, stdout=nowhere[0], stderr=nowhere[1]
    ) as process:
        try:
            eventually(lambda: ask(live, url).status == 200, "the service", 15)
            [worker] = children(process.pid)
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: children(process.pid) not in ([], [worker]), "the next worker", 10)
            eventually(lambda: ask(live, url).status == 200, "its answer", 15)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
