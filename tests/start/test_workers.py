"""A worker that dies is replaced, and the others go on serving meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import httpx2
import pytest

from tests.api.exposition import parse
from tests.start import web
from tests.start.folder import Running, eventually


@pytest.fixture(scope="module")
def serving(first: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`manage.py serve` with two workers, both ready."""
    folder = first.folder.copy(tmp_path_factory.mktemp("serving"))
    try:
        running = folder.start("serve", "--port", "0", "--workers", "2", IW_ENV="development")
        running.wait_for("listening on http://")
        running.wait_until(lambda: is_ready(running))
        yield running
    finally:
        folder.kill_all()


def is_ready(running: Running) -> bool:
    with web.browser(running.url) as client:
        return client.get("/readyz").status_code == 200


def names_models(running: Running, first: Running) -> bool:
    key = first.word(r"API key +(iw_\w+)")
    with web.browser(running.url) as client:
        answer = client.get("/v1/models", headers={"authorization": f"Bearer {key}"})
    return bool(answer.status_code == 200 and answer.json()["data"])


def test_it_says_what_serves_and_what_is_missing(serving: Running) -> None:
    assert "2 workers, SQLite, development" in serving.err
    assert "OPENAI_API_KEY: not set, so calls will be answered 502 upstream_auth" in serving.err


def test_a_killed_worker_is_replaced_while_the_other_serves(serving: Running, first: Running) -> None:
    workers = serving.folder.process("server.worker")
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    serving.wait_for("worker 0 ended (signal SIGKILL); a new one starts in")
    assert serving.folder.process("server.worker") == [workers[1]]
    for _ in range(20):
        assert names_models(serving, first)
    serving.wait_until(lambda: len(serving.folder.process("server.worker")) == 2)
    os.kill(workers[1], signal.SIGKILL)
    assert eventually(lambda: workers[1] not in serving.folder.process("server.worker"), 5)
    assert names_models(serving, first), "the new one serves alone"


def turned_away(client: httpx2.Client, key: str) -> float:
    """How many requests without a key were counted, by whichever worker answers."""
    found = parse(client.get("/metrics", headers={"authorization": f"Bearer {key}"}).text)
    [count] = [
        value
        for (name, labels), value in found.items()
        if name == "iwrouting_turned_away_total" and ("status", "401") in labels
    ]
    return count


def test_counters__where_a_worker_is_killed_and_replaced__never_fall_and_lose_nothing(
    serving: Running, first: Running
) -> None:
    key = first.word(r"API key +(iw_\w+)")
    serving.wait_until(lambda: len(serving.folder.process("server.worker")) == 2)
    with web.browser(serving.url) as client:
        seen = [turned_away(client, key)]
        for _ in range(20):
            # A connection of its own for each: both workers shall have some.
            assert httpx2.get(f"{serving.url}/v1/models", trust_env=False).status_code == 401
            seen.append(turned_away(client, key))
        workers = serving.folder.process("server.worker")
        os.kill(workers[0], signal.SIGKILL)
        serving.wait_until(lambda: replaced(serving, workers))
        seen.append(turned_away(client, key))
    assert seen == sorted(seen)
    assert seen[-1] == seen[0] + 20


def replaced(running: Running, before: list[int]) -> bool:
    """Whether there are two workers, one of them new."""
    now = running.folder.process("server.worker")
    return len(now) == 2 and set(now) != set(before) and is_ready(running)


def test_stopped_it_leaves_nothing(serving: Running) -> None:
    assert serving.terminate() == 0
    assert serving.folder.is_left(within_s=0)
    assert "Traceback" not in serving.err
