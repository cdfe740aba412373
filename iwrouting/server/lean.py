"""The lean ASGI handler: what Django's stock handler does for a request, less its threads (performance.md 2 and 5).

It does itself what it left out: the body limit, the request id, and cancelling a call whose client is gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from functools import cached_property
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import get_resolver
from django.utils.datastructures import MultiValueDict

from iwrouting.api.bodies import too_large
from iwrouting.api.failures import as_response
from iwrouting.api.lean import EventResponse
from iwrouting.calls import Service
from iwrouting.calls.caller import request_id
from iwrouting.calls.cutting import cut_short, shutting_down
from iwrouting.errors import BadKey, RoutingError
from iwrouting.meters import names
from iwrouting.server.connection import EXTENSION

DECISION_HEADER = "x-iw-decision-id"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SECURITY = ((b"x-content-type-options", b"nosniff"),)


class ClientGone(Exception):
    """The client left before its request was whole."""


class LeanRequest(HttpRequest):
    """An HttpRequest over an ASGI scope and a whole body; parses nothing that nobody asks for."""

    def __init__(self, scope: Scope, service: Service) -> None:
        # HttpRequest.__init__ would build query, cookie and file dictionaries for each request.
        self.scope = scope
        self.service = service
        self.started_ns = time.monotonic_ns()
        self.method = scope["method"]
        self.path = self.path_info = scope["path"]
        self.resolver_match = None
        self.content_type = "application/json"
        self.content_params = {}
        self._stream = BytesIO(b"")
        self._read_started = False
        self.lean_headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.ident = request_id(self.lean_headers)
        self.fresh = True
        self.answering = False

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]
        """The query string."""
        return QueryDict(self.scope.get("query_string", b""))

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]
        """Only what DRF reads of it."""
        return {"REQUEST_METHOD": self.method, "CONTENT_TYPE": "application/json"}

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]
        """None: the lean routes know no cookies."""
        return {}

    @cached_property
    def FILES(self) -> MultiValueDict[str, Any]:  # type: ignore[override]
        """None."""
        return MultiValueDict()


class LeanHandler:
    """An ASGI application for the lean routes of one worker."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._limit = service.conf.max_body_mb * 1024 * 1024
        self._resolver = get_resolver(settings.LEAN_URLCONF)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = LeanRequest(scope, self._service)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has one
        self._service.calls.add(task)
        try:
            await self._answer(request, scope, receive, send)
        except asyncio.CancelledError as gone:
            if request.answering and self._service.cutting:
                # Its caller does not take the last words either.
                return
            if request.answering or not cut_short(gone):
                raise
            error = shutting_down()
            error.extra_headers = {"connection": "close", "x-request-id": request.ident}
            await send_response(as_response(error), send)
        finally:
            self._service.calls.discard(task)

    async def _answer(self, request: LeanRequest, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if len(request.lean_headers) < len(scope["headers"]):
                refuse_two_keys(scope["headers"])
            request._body = await self._read_body(request, receive)
        except ClientGone:
            return
        except RoutingError as error:
            error.extra_headers = {"connection": "close", "x-request-id": request.ident}
            self._count_refusal(error.status)
            await send_response(as_response(error), send)
            return
        match = self._resolver.resolve(request.path_info)
        request.resolver_match = match
        await _while_connected(self._serve(request, match, send), receive, scope)

    async def _serve(self, request: LeanRequest, match: Any, send: Send) -> None:
        response = await match.func(request, *match.args, **match.kwargs)
        request.answering = True
        if response.status_code >= 400 and DECISION_HEADER not in response and match.view_name != "readyz":
            self._count_refusal(response.status_code)
        await send_response(response, send)

    def _count_refusal(self, status: int) -> None:
        """Who gets no rows gets a count (design.md 6)."""
        self._service.meters.add(names.TURNED_AWAY, (str(status),))

    async def _read_body(self, request: LeanRequest, receive: Receive) -> bytes:
        length = request.lean_headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._limit:
            raise too_large(self._service.conf.max_body_mb)
        parts = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size > self._limit:
                raise too_large(self._service.conf.max_body_mb)
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)


def refuse_two_keys(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise BadKey for two Authorization headers: a proxy before us may have checked the other one (faults.md C7)."""
    if sum(name == b"authorization" for name, _ in headers) > 1:
        raise BadKey("Two Authorization headers came: send one.")


async def _while_connected(work: Any, receive: Receive, scope: Scope) -> None:
    """Do the work in this task; cancel it as soon as the client disconnects, with the reason if that was ours."""
    task = asyncio.current_task()
    watcher = asyncio.ensure_future(_disconnected(receive))

    def leave(done: asyncio.Future[None]) -> None:
        if not done.cancelled() and task is not None:
            task.cancel(_why_cut(scope) or "client disconnected")

    watcher.add_done_callback(leave)
    try:
        await work
    except asyncio.CancelledError:
        if not watcher.done() or watcher.cancelled():
            raise
        if task is not None:
            task.uncancel()
    finally:
        watcher.cancel()


async def _throw(events: AsyncGenerator[bytes, None], gone: asyncio.CancelledError) -> bytes | None:
    """Tell a stream why it is cut; its last words, where it has any."""
    with suppress(asyncio.CancelledError, StopAsyncIteration):
        return await events.athrow(gone)
    return None


def _why_cut(scope: Scope) -> str:
    """Why we broke the connection off ourselves; an empty string where we did not."""
    connection = scope.get("extensions", {}).get(EXTENSION)
    return str(getattr(connection, "cut", ""))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_response(response: HttpResponseBase, send: Send) -> None:
    """Send one of our responses over ASGI; a stream is closed whatever happens."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    if not isinstance(response, EventResponse):
        body = bytes(getattr(response, "content", b""))
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": [*headers, *SECURITY]})
        await send({"type": "http.response.body", "body": body})
        return
    events = response.events
    try:
        await send({"type": "http.response.start", "status": response.status_code, "headers": [*headers, *SECURITY]})
        async for part in events:
            if part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
    except asyncio.CancelledError as gone:
        # The generator waits at its `yield`; a mere close would not tell it why.
        last = await _throw(events, gone)
        if last is None:
            raise
        await send({"type": "http.response.body", "body": last, "more_body": True})
    finally:
        await events.aclose()
    await send({"type": "http.response.body", "body": b""})
