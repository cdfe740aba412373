"""Stock Django for the admin and the management API, behind a body limit: Django would spool any size to disk."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from django.core.handlers.asgi import ASGIHandler

from iwrouting.api.bodies import too_large
from iwrouting.api.failures import as_response
from iwrouting.server.lean import Receive, Scope, Send, send_response


class StockHandler:
    """Django's ASGI handler under IW_MAX_BODY_MB."""

    def __init__(self, megabytes: int) -> None:
        self._django = ASGIHandler()
        self._megabytes = megabytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._megabytes * 1024 * 1024
        if declared_length(scope) > limit:
            await self._refuse(send)
            return
        body = LimitedBody(receive, limit)
        await self._django(scope, body, send)  # type: ignore[arg-type] # the same protocol, other alias
        if body.exceeded:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        error = too_large(self._megabytes)
        error.extra_headers = {"connection": "close"}
        await send_response(as_response(error), send)


class LimitedBody:
    """A receive channel that hangs up once more than `limit` bytes came: Django then gives the request up."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self.exceeded = False

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message


def declared_length(scope: Scope) -> int:
    """The Content-Length of a request; 0 where there is none or it is no number."""
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(value[:20]) if value.isdigit() else 0
