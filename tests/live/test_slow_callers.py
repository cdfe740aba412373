"""Callers that do not take their answer, or do not send their request (faults C2, C3, C12)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.ledger import Record, eventually
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"
MODEL = "gpt-4.1-mini"
ENDLESS = {"endless": True}
MEGABYTE = 2**20
PATIENCE_S = 20.0
"""Filling what the kernel buffers takes some seconds of a busy machine."""


@pytest.fixture
def service(live: Live) -> ServiceProcess:
    """A service that waits half a second for callers, on which the test's tenant is known."""
    found = live.world.other_service("slow callers", IW_CLIENT_STALL_S="0.5", IW_REQUEST_TIMEOUT_S="0.5")
    live.introduce(live.home.key, found.url)
    return found


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection with a small window: what is not read soon waits at the other side."""
    address = urlsplit(url)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        sock.settimeout(10)
        sock.connect((str(address.hostname), address.port or 80))
        yield sock


def request(live: Live, **more: object) -> bytes:
    head = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    return raw.request_bytes(CHAT, hello(MODEL, **more), "POST", **head)


def ended(live: Live) -> list[Record]:
    """The calls that have their outcome."""
    return [record for record in live.records() if record.outcomes]


def resident(service: ServiceProcess) -> int:
    """The memory of the service's worker in bytes."""
    (worker,) = service.children()
    [line] = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


def test_reader_that_takes_nothing__is_cut_and_the_reason_recorded(live: Live, service: ServiceProcess) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": ENDLESS}])
    with connected(service.url) as sock:
        sock.sendall(request(live, stream=True))
        eventually(lambda: ended(live), "the outcome", PATIENCE_S)
        got = raw.receive(sock, 5)
    assert (got.whole, got.ended in ("closed", "reset")) == (False, True)
    record = live.the_record()
    outcome = record.outcome
    assert (outcome.result, outcome.error_code, outcome.status) == ("client_closed", "client_too_slow", 200)
    assert [a.error_code for a in record.attempts] == ["client_too_slow"]
    assert (outcome.cost_state, outcome.tokens_source) == ("estimated", "bytes")
    eventually(lambda: live.sandbox.state()["open_requests"] == 1, "the close at the provider", 1.0)
    assert "ASGI" not in service.words


def test_slow_reader__holds_up_the_provider_and_not_our_memory(live: Live, service: ServiceProcess) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": ENDLESS}])
    before = resident(service)
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(connected(service.url)).sendall(request(live, stream=True))
        found = eventually(lambda: ended(live)[1:] and ended(live), "both outcomes", PATIENCE_S)
    assert resident(service) - before < 10 * MEGABYTE
    taken = [record.attempts[0].bytes_received or 0 for record in found]
    assert max(taken) < 8 * MEGABYTE
    assert {record.outcome.error_code for record in found} == {"client_too_slow"}


def test_reader_that_pauses__gets_everything_after_all(live: Live, service: ServiceProcess) -> None:
    message = [{"role": "user", "content": "write 20000 words"}]
    with connected(service.url) as sock:
        sock.sendall(request(live, stream=True, messages=message))
        got = b""
        while not got.endswith(b"0\r\n\r\n"):
            if len(got) % 7 == 0:
                time.sleep(0.002)
            got += sock.recv(65536)
    assert b"data: [DONE]" in got[-100:]
    assert live.the_record().served() == ("ok", MODEL, 200)


@pytest.mark.parametrize("path", [CHAT, "/api/v1/aliases"])
@pytest.mark.parametrize("sent", [20, -40])
def test_request_that_does_not_come__is_a_408_and_leaves_no_rows(
    live: Live, service: ServiceProcess, sent: int, path: str
) -> None:
    with connected(service.url) as sock:
        sock.sendall(request(live).replace(CHAT.encode(), path.encode())[:sent])
        got = raw.receive(sock, 5)
    assert (got.status, got.ended, got.headers["connection"]) == (408, "closed", "close")
    assert (got.error["code"], got.error["type"]) == ("request_timeout", "invalid_request_error")
    assert live.records() == []
    assert service.status("/healthz") == 200
    assert "ASGI" not in service.words


def test_drip_of_a_request__is_timed_as_a_whole(live: Live, service: ServiceProcess) -> None:
    data = request(live)
    started = time.monotonic()
    with connected(service.url) as sock, contextlib.suppress(OSError):
        for at in range(len(data)):
            sock.sendall(data[at : at + 1])
            time.sleep(0.05)
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                assert sock.recv(4096).startswith(b"HTTP/1.1 408")
                break
            sock.setblocking(True)
    assert time.monotonic() - started < 3
    assert live.records() == []


def test_connection_that_says_nothing__is_closed(live: Live, service: ServiceProcess) -> None:
    with connected(service.url) as sock:
        assert sock.recv(100) == b""


def test_second_request_that_does_not_come__is_a_408_of_its_own(live: Live, service: ServiceProcess) -> None:
    with connected(service.url) as sock:
        sock.sendall(request(live))
        first = raw.receive(sock, 0.3)
        assert (first.status, first.whole) == (200, True)
        sock.sendall(request(live)[:30])
        assert raw.receive(sock, 5).status == 408
    assert live.the_record().served() == ("ok", MODEL, 200)


def test_request_behind_a_long_stream__does_not_end_the_stream(live: Live, service: ServiceProcess) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"event_delay_ms": 80}}])
    with connected(service.url) as sock:
        sock.sendall(request(live, stream=True) + request(live)[:-30])
        got = raw.receive(sock, 10)
    assert b"data: [DONE]\n\n" in got.data
    assert live.records()[0].served() == ("ok", MODEL, 200)


def test_connection_after_an_error__serves_the_next_request(live: Live) -> None:
    with connected(live.service.url) as sock:
        for _ in range(3):
            sock.sendall(request(live, temperature="hot"))
            refused = raw.receive(sock, 0.3)
            assert (refused.status, refused.whole) == (400, True)
            sock.sendall(request(live))
            answered = raw.receive(sock, 0.3)
            assert (answered.status, answered.whole) == (200, True)
    assert [record.outcome.status for record in live.records()] == [400, 200] * 3


def test_requests_sent_at_once__are_answered_in_order(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"delay_ms": 50}, "times": 1}])
    with connected(live.service.url) as sock:
        sock.sendall(request(live) + request(live, stream=True) + request(live, temperature="hot"))
        data = b""
        while data.count(b"HTTP/1.1 ") < 3:
            data += sock.recv(65536)
    assert [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]] == [200, 200, 400]
