"""The processes of `manage.py serve`: a killed worker comes back, a killed parent leaves nobody, SIGTERM drains."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.ledger import eventually, records_of_run
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"


@pytest.fixture
def pair(live: Live) -> Iterator[ServiceProcess]:
    """A service of two workers, and a tenant: made here, as the tests' threads have no database."""
    world = live.world
    assert live.home.key
    process = ServiceProcess(world.env, world.folder / f"{live.run}.log", workers=2).start()
    eventually(lambda: len(process.children()) == 2, "the second worker")
    yield process
    process.stop()


def ask(live: Live, service: ServiceProcess, **more: object) -> Raw:
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    return raw.post(service.url, CHAT, hello("fast", **more), 10, **headers)


def is_refused(service: ServiceProcess) -> bool:
    try:
        raw.connect(service.url).close()
    except ConnectionRefusedError:
        return True
    return False


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for does not."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_killed_worker__comes_back_and_no_answered_call_is_lost(live: Live, pair: ServiceProcess) -> None:
    live.sandbox.plan([{"fault": {"delay_ms": 20}}])
    before = pair.children()
    stop = threading.Event()
    answered: list[str] = []

    def caller() -> None:
        while not stop.is_set():
            with suppress(OSError):
                got = ask(live, pair)
                if got.status == 200 and got.whole:
                    answered.append(got.headers["x-iw-decision-id"])

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(caller)
        try:
            eventually(lambda: len(answered) > 10, "the first answers", 15)
            os.kill(before[0], signal.SIGKILL)
            eventually(lambda: len(set(pair.children()) - set(before)) == 1, "a new worker", 10)
            until = len(answered) + 10
            eventually(lambda: len(answered) > until, "more answers", 15)
        finally:
            stop.set()
    assert before[1] in pair.children()
    found = {str(record.decision.id): record for record in live.records()}
    assert set(answered) <= set(found)
    assert all([each.result for each in found[ident].outcomes] == ["ok"] for ident in answered)
    assert all(len(record.outcomes) <= 1 for record in found.values())
    assert "ended (signal SIGKILL)" in pair.words
    assert ask(live, pair).status == 200


def test_killed_parent__leaves_no_worker_and_frees_the_port(live: Live, pair: ServiceProcess) -> None:
    assert pair.process is not None
    workers = pair.children()
    live.sandbox.plan([{"fault": {"delay_ms": 3000}}])
    with suppress(OSError), ThreadPoolExecutor(1) as pool:
        pool.submit(ask, live, pair)
        eventually(lambda: live.sandbox.state()["open_requests"] > 1, "the request at the provider")
        pair.process.kill()
        eventually(lambda: not any(map(alive, workers)), "the end of the workers", 1.5)
    # A thread that the disk keeps waiting holds the socket a moment longer than its process seems to live.
    eventually(lambda: is_refused(pair), "the end of the listening socket")
    [record] = records_of_run(live.run)
    assert {outcome.result for outcome in record.outcomes} <= {"interrupted", "client_closed"}


def test_sigterm__lets_open_calls_end_and_takes_no_new_ones(live: Live, pair: ServiceProcess) -> None:
    assert pair.process is not None
    live.sandbox.plan([{"fault": {"delay_ms": 700}}])
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(ask, live, pair, stream=number % 2 == 0) for number in range(6)]
        eventually(lambda: live.sandbox.state()["open_requests"] == 7, "every request at the provider")
        pair.process.send_signal(signal.SIGTERM)
        answers = [call.result() for call in calls]
    assert [(got.status, got.whole) for got in answers] == [(200, True)] * 6
    assert pair.process.wait(10) == 0
    assert [record.outcome.result for record in live.records()] == ["ok"] * 6


def test_sigterm__cuts_what_outlasts_the_drain_and_records_it(live: Live, pair: ServiceProcess) -> None:
    assert pair.process is not None
    live.sandbox.plan([{"fault": {"delay_ms": 15_000}}])
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(ask, live, pair)
        eventually(lambda: live.sandbox.state()["open_requests"] == 2, "the request at the provider")
        pair.process.send_signal(signal.SIGTERM)
        assert pair.process.wait(10) == 0
        got = call.result()
    assert got.status != 200
    assert live.the_record().outcome.result == "interrupted"
