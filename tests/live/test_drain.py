"""SIGTERM with calls that outlast the drain: whatever they waited for, each leaves its attempts and its outcome."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.live.ledger import eventually, records_of_run
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
WAITING = {
    "held stream": (CHAT, hello("fast", stream=True), {"no_answer": True}),
    "early stream": (CHAT, hello("fast", stream=True), {"first_event_delay_ms": 60_000}),
    "embeddings": (EMBEDDINGS, {"model": "embedding", "input": ["a"] * 20}, {"no_answer": True}),
}


@pytest.fixture
def hasty(live: Live) -> Iterator[ServiceProcess]:
    """A service that drains for a second and holds streams for a fifth of one."""
    assert live.home.key
    env = {**live.world.env, "IW_DRAIN_S": "1", "IW_STREAM_HOLD_S": "0.2"}
    process = ServiceProcess(env, live.world.folder / f"{live.run}.log").start()
    yield process
    process.stop()


@pytest.mark.parametrize("waiting", WAITING)
def test_call_that_outlasts_the_drain__is_recorded_as_interrupted(
    live: Live, hasty: ServiceProcess, waiting: str
) -> None:
    path, body, fault = WAITING[waiting]
    live.sandbox.plan([{"fault": fault}])
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}

    def call() -> None:
        with suppress(OSError):
            raw.post(hasty.url, path, body, 15, **headers)

    caller = threading.Thread(target=call)
    caller.start()
    eventually(lambda: records_of_run(live.run), "the decision")
    assert hasty.process is not None
    hasty.process.send_signal(signal.SIGTERM)
    assert hasty.process.wait(15) == 0
    caller.join()
    (record,) = records_of_run(live.run)
    assert [outcome.result for outcome in record.outcomes] == ["interrupted"]
    assert record.outcomes[0].calls == len(record.attempts)
