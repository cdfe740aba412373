"""A TCP proxy that breaks on purpose, between the service and its database; an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
CHUNK = 65_536
WRITES = (b"writer_seq", b"COMMIT")
"""What stands in a message that stores rows of the audit: their column, or the end of a transaction."""

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a close that is a reset."""


@dataclass(frozen=True)
class Way:
    """How bytes pass. At most one is set; none: at once.

    delay_s: each chunk waits so long. drip: a byte a second. silent: nothing passes, nothing is closed.
    cut_commit: a connection is reset as soon as it has sent what stores rows: `unanswered` after the server has
    answered, whose answer is lost; `unread` at once, so that the server may or may not have done it.
    """

    delay_s: float = 0.0
    drip: bool = False
    silent: bool = False
    cut_commit: str = ""


class FaultProxy:
    """Listens on a port of the loopback and passes what comes to `target`. Every method may be called from any thread.

    `cut_commits` counts what `cut_commit` has cut; `open` the connections that are open now, `most` at the same time.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.cut_commits = 0
        self.most = 0
        self._way = Way()
        self._changed = asyncio.Event()
        self._links: set[asyncio.StreamWriter] = set()
        self._pairs: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._do(self._listen())

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._pairs)

    @property
    def way(self) -> Way:
        """How bytes pass now."""
        return self._way

    def go(self, way: Way) -> None:
        """From now on bytes pass in this way; what waited in another goes on."""
        self._do(self._go(way))

    def cut(self, *, reset: bool = False) -> None:
        """Close all connections, by a reset or in order."""
        self._do(self._cut(reset))

    def refuse(self) -> None:
        """Refuse new connections, and cut those that are open."""
        self._do(self._refuse())

    def heal(self) -> None:
        """Let everything pass again."""
        self._do(self._listen())
        self.go(Way())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=128)

    async def _refuse(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            # Whom asyncio is about to accept as a server closes, it leaves open for good: first it accepts nobody more.
            for listener in server.sockets:
                self._loop.remove_reader(listener.fileno())
            await asyncio.sleep(0)
            server.close()
        await self._cut(reset=True)

    async def _close(self) -> None:
        await self._refuse()
        for pair in self._pairs:
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _go(self, way: Way) -> None:
        self._way = way
        self._changed.set()
        self._changed = asyncio.Event()

    async def _cut(self, reset: bool) -> None:
        for link in list(self._links):
            _end(link, reset)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:
            _end(writer, reset=True)
            return
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        self._links.add(writer)
        self.most = max(self.most, len(self._pairs))
        try:
            await self._pass(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._pairs.discard(task)
            self._links.discard(writer)
            _end(writer, reset=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions until either ends, as a database's connection is of no use with one."""
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._links.add(their_writer)
        pumps = [
            asyncio.create_task(self._pump(reader, their_writer, writer)),
            asyncio.create_task(self._pump(their_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._links.discard(their_writer)
            _end(their_writer, reset=False)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, client: asyncio.StreamWriter | None = None
    ) -> None:
        """One direction; `client` is set where it comes from there."""
        while chunk := await source.read(CHUNK):
            await self._pass_on(sink, chunk)
            if client is not None and self._way.cut_commit and any(mark in chunk for mark in WRITES):
                await self._cut_commit(client, sink)

    async def _pass_on(self, sink: asyncio.StreamWriter, chunk: bytes) -> None:
        """Write a chunk in the way of the moment; a change of the way holds at once."""
        while chunk:
            way, changed = self._way, self._changed
            pause = None if way.silent else 1.0 if way.drip else way.delay_s
            if pause != 0 and await _set_within(changed, pause):
                continue
            size = 1 if way.drip else len(chunk)
            sink.write(chunk[:size])
            await sink.drain()
            chunk = chunk[size:]

    async def _cut_commit(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        """Reset the client's connection in the middle of what it does: the answer, if any, is never passed on."""
        self.cut_commits += 1
        _end(client, reset=True)
        if self._way.cut_commit == "unanswered":
            # The other direction may not see its end before the server has committed.
            await asyncio.sleep(0.25)
        else:
            _end(server, reset=True)


async def _set_within(event: asyncio.Event, seconds: float | None) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _end(link: asyncio.StreamWriter, reset: bool) -> None:
    if reset and (sock := link.get_extra_info("socket")) is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    if reset:
        link.transport.abort()
    else:
        link.close()
