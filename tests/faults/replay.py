"""A provider that plays recorded streams back, cut where the prompt says: `replay <recording> <bytes> <way>`."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

ORDER = re.compile(r"replay (\w+) (\d+) (\w+)")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"
WAYS = ("close", "clean", "reset")
"""How a stream is cut: the connection closes, or breaks, or HTTP ends in order."""


class Replay:
    """Plays `recordings` on a socket that already listens; `played` counts the calls by their id."""

    def __init__(self, listening: socket.socket, recordings: Mapping[str, bytes]) -> None:
        self._socket = listening
        self._recordings = recordings
        self.played: list[str] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answers within the block."""
        server = await asyncio.start_server(self._connection, sock=self._socket.dup(), limit=2**20)
        async with server:
            yield

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side has gone, or the block is over
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may follow on this connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        found = re.search(r"x-client-request-id: (\S+)", head)
        self.played.append(found[1] if found else "")
        order = ORDER.search(json.dumps(json.loads(body)))
        assert order is not None, body
        recording = self._recordings[order[1]]
        cut = recording[: int(order[2])]
        writer.write(HEAD + (b"%x\r\n%b\r\n" % (len(cut), cut) if cut else b""))
        whole = len(cut) == len(recording)
        if order[3] == "clean" or whole:
            writer.write(LAST)
            return True
        await writer.drain()
        if order[3] == "reset":
            # Lets the bytes before the reset arrive: it overtakes what is still queued.
            await asyncio.sleep(0.01)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return False


def listening() -> socket.socket:
    """A socket that accepts connections, before anybody answers on it."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(512)
    return made
