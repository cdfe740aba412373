"""A caller that leaves: the provider sees it within a second, and the audit has one outcome that says so."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.ledger import Record, eventually
from tests.live.live import Live
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
MODEL, RESPONSES_ONLY = "gpt-4.1-mini", "gpt-5.1-codex"
SLOW: dict[str, Any] = {"delay_ms": 5000}


@contextlib.contextmanager
def calling(live: Live, path: str, body: object) -> Iterator[socket.socket]:
    """A request on its way; leaving the block closes the connection."""
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    data = raw.request_bytes(path, body, "POST", **headers)
    with raw.connect(live.base_url) as sock:
        sock.sendall(data)
        yield sock


def at_the_provider(live: Live, number: int = 1) -> None:
    """Wait until the provider has that many of this test's requests open."""
    eventually(lambda: live.sandbox.state()["open_requests"] >= number + 1, "the request at the provider")


def closed_soon(live: Live, *, cost: str = "unpriced") -> Record:
    """Assert that the provider saw the close within a second; the record of the call, its cost in state `cost`."""
    started = time.monotonic()
    eventually(lambda: live.sandbox.state()["open_requests"] == 1, "the close at the provider", 1.0)
    assert time.monotonic() - started < 1.0
    record = live.the_record()
    assert record.outcome.result == "client_closed"
    assert record.outcome.cost_state == cost
    return record


def reading(sock: socket.socket, events: int) -> bytes:
    """What came until so many events were there."""
    got = b""
    while got.count(b"data: ") < events:
        got += sock.recv(65536)
    return got


def test_leaving_while_waiting__closes_the_call(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": SLOW}])
    with calling(live, CHAT, hello("fast")):
        at_the_provider(live)
    record = closed_soon(live)
    assert record.tried == [(1, "call", 0, 1, MODEL, None, "client_closed")]
    assert record.outcome.status is None
    assert live.sent()[-1]["ended"] == "client_closed"


def test_leaving_while_a_stream_is_opened__closes_the_call(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"first_event_delay_ms": 5000}}])
    with calling(live, CHAT, hello("fast", stream=True)):
        at_the_provider(live)
    record = closed_soon(live)
    assert [(a.error_code, a.model) for a in record.attempts] == [("client_closed", MODEL)]


LONG = [{"role": "user", "content": "write 300 words"}]


@pytest.mark.parametrize("events", [1, 2, 20])
@pytest.mark.parametrize("model", [MODEL, RESPONSES_ONLY])
def test_leaving_mid_stream__counts_what_was_delivered_and_estimates_what_was_used(
    live: Live, events: int, model: str
) -> None:
    live.sandbox.plan([{"match": {"model": model}, "fault": {"event_delay_ms": 20}}])
    with calling(live, CHAT, hello(model, stream=True, messages=LONG)) as sock:
        got = reading(sock, events)
    record = closed_soon(live, cost="estimated")
    outcome = record.outcome
    assert (outcome.status, outcome.finish_reason, outcome.model_served) == (200, "", model)
    assert outcome.bytes_delivered is not None
    assert outcome.bytes_delivered >= len(raw.dechunked(got.partition(b"\r\n\r\n")[2])[0]) > 0
    assert [a.error_code for a in record.attempts] == ["client_closed"]
    assert live.sent()[-1]["events"] < 200
    assert outcome.tokens_source == "bytes"
    assert outcome.prompt_tokens == record.decision.estimate_tokens
    text = b"".join(re.findall(rb'"content":"([^"]*)"', got))
    assert (outcome.completion_tokens or 0) >= len(text) // 4
    assert outcome.cost_pico
    assert outcome.usage == "{}"


def test_leaving_a_responses_stream__is_estimated_too(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"event_delay_ms": 10}}])
    with calling(live, "/v1/responses", {"model": MODEL, "stream": True, "input": "write 300 words"}) as sock:
        reading(sock, 30)
    record = closed_soon(live, cost="estimated")
    assert (record.outcome.tokens_source, bool(record.outcome.completion_tokens)) == ("bytes", True)


def test_leaving_between_the_end_and_the_usage__is_estimated(live: Live) -> None:
    body = live.post(CHAT, hello(MODEL, stream=True), x_iw_run_id="elsewhere").body.decode()
    halted = {"raw_body": body.replace("data: [DONE]\n\n", ": over\n\n"), "content_type": "text/event-stream"}
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {**halted, "stall_after_bytes": len(body) - 10}}])
    with calling(live, CHAT, hello(MODEL, stream=True)) as sock:
        while b'"finish_reason":"stop"' not in sock.recv(65536):
            pass
    record = closed_soon(live, cost="estimated")
    assert (record.outcome.finish_reason, record.outcome.tokens_source) == ("stop", "bytes")


@pytest.mark.parametrize("stream", [True, False])
def test_leaving_while_the_body_comes__closes_the_call(live: Live, stream: bool) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"stall_after_bytes": 40}}])
    with calling(live, CHAT, hello(MODEL, stream=stream)):
        at_the_provider(live)
    record = closed_soon(live)
    assert [(a.error_code, a.status) for a in record.attempts] == [("client_closed", 200)]


def test_leaving_between_tries__ends_the_walk(live: Live) -> None:
    wait = {"status": 503, "headers": {"retry-after-ms": "900"}}
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": wait}])
    with calling(live, CHAT, hello("fast")):
        eventually(lambda: live.sent(), "the first try")
        time.sleep(0.1)
    record = closed_soon(live)
    assert [(a.seq, a.status) for a in record.attempts] == [(1, 503)]
    time.sleep(1)
    assert len(live.sent()) == 1


def test_leaving_while_embedding__closes_every_batch(live: Live) -> None:
    live.sandbox.plan([{"fault": SLOW}])
    with calling(live, EMBEDDINGS, {"model": "embedding", "input": [f"text {n}" for n in range(20)]}):
        at_the_provider(live, 3)
    record = closed_soon(live)
    assert sorted((a.batch, a.error_code) for a in record.attempts) == [(n, "client_closed") for n in range(3)]


def test_leaving_after_the_answer__changes_nothing(live: Live) -> None:
    with calling(live, CHAT, hello("fast", stream=True)) as sock:
        got = b""
        while b"[DONE]" not in got:
            got += sock.recv(65536)
    time.sleep(0.2)
    assert live.the_record().served() == ("ok", MODEL, 200)


def test_leaving_before_the_body_is_whole__leaves_no_rows(live: Live) -> None:
    head = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run, "content-length": "500"}
    with raw.connect(live.base_url) as sock:
        sock.sendall(raw.request_bytes(CHAT, b'{"model": "fast"', "POST", **head))
    time.sleep(0.3)
    assert live.records() == []


def test_many_leaving_at_once__leave_nothing_open(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": SLOW}])
    with contextlib.ExitStack() as stack:
        for number in range(20):
            stack.enter_context(calling(live, CHAT, hello("fast", stream=number % 2 == 0)))
        at_the_provider(live, 20)
    eventually(lambda: live.sandbox.state()["open_requests"] == 1, "every close", 2.0)
    found = eventually(lambda: [r for r in live.records() if r.outcomes][19:] and live.records(), "every outcome")
    assert {record.outcome.result for record in found} == {"client_closed"}
    assert live.chat("deep").answer


def test_slow_reader__gets_the_whole_stream(live: Live) -> None:
    text = "write 6000 words"
    wanted = live.chat("fast", text).answer.choices[0].message.content
    parts: list[bytes] = []
    with calling(live, CHAT, hello("fast", stream=True, messages=[{"role": "user", "content": text}])) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        time.sleep(0.5)
        sock.settimeout(10)
        while not parts or b"0\r\n\r\n" not in parts[-1][-16:]:
            parts.append(sock.recv(65536))
    body = raw.dechunked(b"".join(parts).partition(b"\r\n\r\n")[2])[0]
    data = [json.loads(frame[6:]) for frame in body.split(b"\n\n")[:-2]]
    assert "".join(choice["delta"].get("content") or "" for event in data for choice in event["choices"]) == wanted


@pytest.mark.parametrize("count", [12])
def test_answers_of_others__go_on_while_one_leaves(live: Live, count: int) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-4.1"}, "fault": SLOW}, {"fault": {"delay_ms": 50}}])
    found: list[str] = []
    client = live.client()

    def call() -> None:
        answer = client.chat.completions.create(model="fast", messages=[{"role": "user", "content": "Hi"}])
        found.append(answer.model)

    threads = [threading.Thread(target=call) for _ in range(count)]
    with calling(live, CHAT, hello("gpt-4.1")):
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert found == [MODEL] * count
