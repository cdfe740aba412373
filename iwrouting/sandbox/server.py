"""HTTP/1.1 on asyncio: connections, requests, and the hand-over to routing and delivery."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
import traceback
from collections import deque

import httptools

from iwrouting.sandbox.answer import Answer, refused_answer
from iwrouting.sandbox.control import PREFIX, controlled
from iwrouting.sandbox.delivery import deliver, head, is_plain
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.faults import Fault
from iwrouting.sandbox.refusals import Refused
from iwrouting.sandbox.routing import respond
from iwrouting.sandbox.state import Sandbox

MAX_BODY = 64 * 1024 * 1024
MAX_HEADERS = 256 * 1024
LINGER_OFF = struct.pack("ii", 1, 0)
RUN = f"{time.time_ns():x}{os.getpid():x}"
"""Makes request ids unlike those of an earlier run."""


class Received:
    """A request while its bytes come in."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.size = 0
        self.header_size = 0


class Connection(asyncio.Protocol):
    """One client connection. Requests on it are answered one after the other, also when they come pipelined."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.counters = sandbox.counters
        self.chunked = True
        self._parser = httptools.HttpRequestParser(self)
        self._received = Received()
        self._waiting: deque[tuple[Exchange, bool]] = deque()
        self._exchange: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio gives TCP servers no other
        self._transport = transport
        self.sandbox.connections.add(self)
        self.counters.connections += 1
        self.counters.open_connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.sandbox.connections.discard(self)
        self.counters.open_connections -= 1
        self._writable.set()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        if self._exchange is not None:
            self.counters.client_disconnects += 1
            self.finish(self._exchange.waiting)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._transport.is_closing():
                self.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                self._transport.close()
        self._next()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # the parser's side

    def on_message_begin(self) -> None:
        self._received = Received()

    def on_url(self, url: bytes) -> None:
        self._received.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._received.header_size += len(name) + len(value)
        if self._received.header_size > MAX_HEADERS:
            raise httptools.HttpParserError("headers too large")
        self._received.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._received.headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._received.size += len(body)
        if self._received.size <= MAX_BODY:
            self._received.body.append(body)

    def on_message_complete(self) -> None:
        exchange = self._new_exchange(self._received)
        keep = self._parser.should_keep_alive() and exchange.bytes_in <= MAX_BODY
        self._waiting.append((exchange, not keep))
        self.chunked = self._parser.get_http_version() != "1.0"

    # the exchange

    def _new_exchange(self, received: Received) -> Exchange:
        target = httptools.parse_url(received.url)
        path = (target.path or b"/").decode("latin-1")
        self.counters.requests += not path.startswith(PREFIX)
        return Exchange(
            n=self.counters.requests,
            method=self._parser.get_method().decode("latin-1"),
            path=path,
            query=(target.query or b"").decode("latin-1"),
            headers=received.headers,
            body=b"".join(received.body),
            bytes_in=received.size,
            request_id=f"req_sandbox{RUN}x{self.counters.requests:x}",
        )

    def _next(self) -> None:
        while self._waiting and self._exchange is None and not self._transport.is_closing():
            exchange, close = self._waiting.popleft()
            self._answer(exchange, close)

    def _answer(self, exchange: Exchange, close: bool) -> None:
        self._exchange = exchange
        self.counters.open_requests += 1
        answer, fault = self._respond(exchange)
        if is_plain(answer, fault):
            self._send_at_once(exchange, answer, close)
            return
        self.counters.open_streams += answer.events is not None
        self._task = asyncio.get_running_loop().create_task(self._deliver(exchange, answer, fault, close))

    def _respond(self, exchange: Exchange) -> tuple[Answer, Fault | None]:
        if exchange.path.startswith(PREFIX):
            return controlled(self.sandbox, exchange), None
        if exchange.bytes_in > MAX_BODY:
            return refused_answer(Refused(413, f"The request is over {MAX_BODY} bytes.")), None
        try:
            return respond(self.sandbox, exchange)
        except Exception:
            traceback.print_exc()
            return refused_answer(Refused(500, "The sandbox itself failed; see its stderr.", kind="sandbox_bug")), None

    def _send_at_once(self, exchange: Exchange, answer: Answer, close: bool) -> None:
        body = b"" if exchange.method == "HEAD" else answer.body()
        exchange.status = answer.status
        exchange.usage = answer.usage
        exchange.bytes_out = len(body)
        data = head(exchange, answer, chunked=False, close=close) + body
        self.finish("complete")
        self.write(data)
        if close:
            self._transport.close()

    async def _deliver(self, exchange: Exchange, answer: Answer, fault: Fault | None, close: bool) -> None:
        try:
            exchange.usage = answer.usage
            await deliver(self, exchange, answer, fault, close=close or not self.chunked)
        finally:
            self._task = None
            self.counters.open_streams -= answer.events is not None
        self._next()

    # what delivery asks for

    def write(self, data: bytes) -> None:
        """Queues bytes; a connection that is going away takes none."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Waits while the client reads too slowly."""
        await self._writable.wait()

    def finish(self, ended: str) -> None:
        """Ends the exchange: one line in the log. Control requests get none."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self.counters.open_requests -= 1
        exchange.ended = ended
        if not exchange.path.startswith(PREFIX):
            self.sandbox.log.append(exchange.record())

    def stop(self) -> None:
        """Ends the connection because the sandbox stops; an open request is logged as such."""
        if self._exchange is not None:
            self.finish("stopped")
        self._transport.abort()

    def close(self) -> None:
        """Closes after what is queued."""
        self._transport.close()

    def reset(self) -> None:
        """Breaks off with a TCP reset."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_OFF)
        self._transport.abort()
