"""A closed loop of keep-alive connections against one URL: how many answers a second, and how long each took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httptools


@dataclass(frozen=True, slots=True)
class Load:
    """What one round gave. Times in milliseconds."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    failures: int


class Connection(asyncio.Protocol):
    """Sends the same request again and again until told to stop."""

    def __init__(self, request: bytes, until: float, times: list[float]) -> None:
        self.request, self.until, self.times = request, until, times
        self.failures = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self.times.append(now - self.sent)
        self.failures += self.parser.get_status_code() != 200
        if now < self.until:
            asyncio.get_running_loop().call_soon(self._send)
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def run_load(port: int, path: str, key: str, body: bytes, *, connections: int, seconds: float) -> Load:
    """One round against 127.0.0.1."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
    request = (head + f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n").encode() + body
    times: list[float] = []
    start = time.perf_counter()
    made = [Connection(request, start + seconds, times) for _ in range(connections)]
    for connection in made:
        await asyncio.get_running_loop().create_connection(lambda one=connection: one, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(connection.done for connection in made))
    elapsed = time.perf_counter() - start
    times.sort()
    return Load(
        requests_per_s=len(times) / elapsed,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        failures=sum(connection.failures for connection in made),
    )
