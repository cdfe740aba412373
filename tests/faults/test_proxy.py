"""The fault proxy itself: what it promises to break, it breaks, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.faults.storm.proxy import FaultProxy, Way
from tests.live.ledger import eventually


class Echo:
    """Answers every chunk with itself; `heard` is all that came."""

    def __init__(self) -> None:
        self.heard = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link, suppress(OSError):
            while chunk := link.recv(4096):
                self.heard += chunk
                link.sendall(chunk)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.listener.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(echo.port) as made:
        yield made


@pytest.fixture
def link(proxy: FaultProxy) -> Iterator[socket.socket]:
    with connect(proxy) as made:
        yield made


def connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def ask(link: socket.socket, data: bytes = b"hello") -> bytes:
    link.sendall(data)
    return link.recv(4096)


def test_healthy__passes_both_ways(proxy: FaultProxy, link: socket.socket) -> None:
    assert ask(link) == b"hello"
    assert (proxy.open, proxy.most) == (1, 1)


def test_cut__ends_connections_and_lets_new_ones_in(proxy: FaultProxy, link: socket.socket) -> None:
    assert ask(link) == b"hello"
    proxy.cut()
    assert link.recv(10) == b""
    with connect(proxy) as other:
        assert ask(other) == b"hello"
        proxy.cut(reset=True)
        with pytest.raises(ConnectionResetError):
            other.recv(10)


def test_refuse__refuses_until_healed(proxy: FaultProxy, link: socket.socket) -> None:
    assert ask(link) == b"hello"
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    eventually(lambda: proxy.open == 0, "the end of the open connection")
    proxy.heal()
    with connect(proxy) as other:
        assert ask(other) == b"hello"


def test_refuse__as_somebody_is_accepted__resets_that_connection_too(proxy: FaultProxy) -> None:
    async def accept_and_refuse(link: socket.socket) -> None:
        link.connect(("127.0.0.1", proxy.port))
        for _ in range(2):
            await asyncio.sleep(0)
        await proxy._refuse()

    with socket.socket() as link:
        asyncio.run_coroutine_threadsafe(accept_and_refuse(link), proxy._loop).result(5)
        link.settimeout(5)
        with pytest.raises(ConnectionResetError):
            link.recv(1)
        assert proxy.open == 0
    gc.collect()


def test_silence__holds_everything_back_until_healed(proxy: FaultProxy, echo: Echo, link: socket.socket) -> None:
    assert ask(link, b"one") == b"one"
    proxy.go(Way(silent=True))
    link.sendall(b"two")
    link.settimeout(0.2)
    with pytest.raises(TimeoutError):
        link.recv(10)
    assert echo.heard == b"one"
    link.settimeout(5)
    proxy.heal()
    assert link.recv(10) == b"two"


def test_drip__passes_byte_by_byte(proxy: FaultProxy, link: socket.socket) -> None:
    assert ask(link, b"one") == b"one"
    proxy.go(Way(drip=True))
    link.sendall(b"two")
    assert link.recv(10) == b"t"
    proxy.heal()
    rest = b""
    while len(rest) < 2:
        rest += link.recv(10)
    assert rest == b"wo"


def test_delay__holds_each_chunk_back(proxy: FaultProxy, link: socket.socket) -> None:
    proxy.go(Way(delay_s=0.15))
    before = time.monotonic()
    assert ask(link) == b"hello"
    assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize("how", ["unanswered", "unread"])
def test_cut_commit__resets_who_stores_rows_and_nobody_else(proxy: FaultProxy, echo: Echo, how: str) -> None:
    with ExitStack() as stack:
        reader, writer = (stack.enter_context(connect(proxy)) for _ in range(2))
        proxy.go(Way(cut_commit=how))
        assert ask(reader, b"SELECT 1") == b"SELECT 1"
        writer.sendall(b'[{"writer_seq": 1}]')
        with pytest.raises(ConnectionResetError):
            writer.recv(100)
        if how == "unanswered":
            eventually(lambda: b"writer_seq" in echo.heard, "what the server got")
        assert ask(reader, b"SELECT 1") == b"SELECT 1"
        assert proxy.cut_commits == 1
