"""One connection of a caller, with the patience that uvicorn lacks: for a request that does not come (faults.md C3),
and for an answer that is not taken (C2).
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from iwrouting.conf import settings
from iwrouting.errors import RequestTimeout
from iwrouting.types import CALLER_TOO_SLOW

MAX_HEADERS, MAX_HEADER_BYTES = 200, 65_536
"""Of one request: the parser itself would take any number."""

EXTENSION = "iw.connection"
"""Where the lean handler finds this object: in the scope's extensions."""


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with two timers, neither of which a request that comes and goes in one piece ever starts.

    `cut` tells why we broke the connection off, and is empty where we did not.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        conf = settings()
        self.cut = ""
        self._request_s = conf.request_timeout_s
        self._stall_s = conf.client_stall_s
        self._begun = False
        self._incomplete = False
        self._header_bytes = 0
        self._request_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Wait for the first request."""
        super().connection_made(transport)
        self._incomplete = True
        self._time_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers."""
        self._incomplete = False
        self._time_request()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then time what is not whole yet."""
        super().data_received(data)
        self._time_request()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begun = True
        self._header_bytes = 0
        self.scope["extensions"] = {EXTENSION: self}  # type: ignore[dict-item] # an extension of our own
        self._incomplete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. ValueError: there are too many; the parser hands it on, and uvicorn answers 400 and closes."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES or len(self.headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        """A request is whole."""
        super().on_message_complete()
        self._begun = self._incomplete = False

    def pause_writing(self) -> None:
        """The caller reads too slowly: what waits for it is over the transport's mark."""
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self._stall_s, self._give_up_caller)

    def resume_writing(self) -> None:
        """The caller has taken enough of it."""
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _time_request(self) -> None:
        if self._incomplete == (self._request_timer is not None):
            return
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None
        else:
            self._request_timer = self.loop.call_later(self._request_s, self._give_up_request)

    def _give_up_request(self) -> None:
        self._request_timer = None
        if self.pipeline:
            # It came behind another, whose answer is still on its way, and was not read on for that reason.
            self._time_request()
            return
        if self._may_answer():
            self.transport.write(refusal(self._request_s))
        self.cut = RequestTimeout.code
        self.transport.close()

    def _may_answer(self) -> bool:
        """Whether a request has begun, and no answer is on its way that ours would mix with."""
        answering: RequestResponseCycle | None = self.cycle
        if answering is None or not self._begun:
            return self._begun
        return not answering.response_started if answering.scope is self.scope else answering.response_complete

    def _give_up_caller(self) -> None:
        self._stall_timer = None
        self.cut = CALLER_TOO_SLOW
        self.transport.abort()


def refusal(seconds: float) -> bytes:
    """The answer to a request that was not whole in time."""
    error = RequestTimeout(f"The request was not whole within {seconds:g} s: send it faster (IW_REQUEST_TIMEOUT_S).")
    body = orjson.dumps(error.body())
    head = f"HTTP/1.1 {error.status} Request Timeout\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\nconnection: close\r\n\r\n".encode() + body
