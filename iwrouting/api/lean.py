"""The lean view: a DRF APIView that never leaves the event loop (performance.md 5, design.md 9.2).

Authentication and permission read memory only; there are no sessions, no CSRF, no ORM, no throttles. Measured
against stock DRF and adrf in performance.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from iwrouting.api.authentication import LeanKeyAuthentication, bearer, find_key
from iwrouting.api.bodies import read_object
from iwrouting.api.failures import answer_error
from iwrouting.calls import Answer, Caller, Service, StreamAnswer, identify, refuse_request, require, turned_away
from iwrouting.errors import BadRequest, RoutingError
from iwrouting.models import well_formed
from iwrouting.snapshot import store
from iwrouting.types import Scope

JSON = "application/json"


class LeanView(APIView):
    """Base of the lean routes. Handlers are coroutines and return a plain HttpResponse or StreamingHttpResponse."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (LeanKeyAuthentication,)
    http_method_names = ["get", "post", "head"]
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)
    service: Service

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """DRF's dispatch without a thread: authenticate, permit, handle, and map every error."""
        self.args, self.kwargs = args, kwargs
        self.headers: dict[str, str] = {}
        self.service = request.service
        self.request = wrapped = Request(request, authenticators=self.get_authenticators())
        try:
            if self.authentication_classes:
                await self._prime(request)
                self.perform_authentication(wrapped)
            self.check_permissions(wrapped)
            response: HttpResponseBase = await getattr(self, request.method.lower())(wrapped, *args, **kwargs)
        except Exception as error:
            response = answer_error(error, {"request": request})
        response.headers.setdefault("x-request-id", request.ident)
        return response

    async def _prime(self, request: Any) -> None:
        """Give a key that was made a moment ago the chance to be known (design.md 7)."""
        text = bearer(request.lean_headers.get("authorization", ""))
        if find_key(store.current, text) is None and well_formed(text):
            request.fresh = await store.refresh()

    async def admitted(
        self, request: Any, endpoint: str, scope: Scope, headers: Callable[[dict[str, Any]], Any] = lambda body: None
    ) -> tuple[dict[str, Any], Caller]:
        """The body and the caller of a request that leaves rows; one who may not make it is refused with rows too.

        `headers` makes the headers to identify by from the body. Raises RoutingError.
        """
        try:
            body = json_object(request)
        except BadRequest:
            require(request.auth, scope)
            raise
        return body, await self.known_caller(request, endpoint, scope, body, headers)

    async def known_caller(
        self,
        request: Any,
        endpoint: str,
        scope: Scope,
        body: dict[str, Any] | None = None,
        headers: Callable[[dict[str, Any]], Any] = lambda body: None,
    ) -> Caller:
        """The caller of such a request alone. Raises RoutingError."""
        body = body or {}
        try:
            require(request.auth, scope)
            return self.caller(request, headers(body))
        except RoutingError as error:
            await self.refuse(request, endpoint, body, error)
            raise

    async def refuse(
        self, request: Any, endpoint: str, body: dict[str, Any], error: RoutingError, caller: Caller | None = None
    ) -> None:
        """Record a refusal; where the caller could not be identified it counts for the key's own project."""
        lean = request._request
        if caller is None:
            caller = turned_away(request.auth, lean.lean_headers, ident=lean.ident, started_ns=lean.started_ns)
        await refuse_request(self.service, caller, endpoint, body, len(lean.body), error)

    def caller(self, request: Any, headers: Any = None) -> Caller:
        """The authenticated caller. Raises RoutingError."""
        lean = request._request
        return identify(
            self.service.config,
            self.service.conf,
            request.auth,
            headers or lean.lean_headers,
            ident=lean.ident,
            started_ns=lean.started_ns,
            note=self.service.store.note,
        )


def json_object(request: Any) -> dict[str, Any]:
    """The request's body as a JSON object. Raises BadRequest."""
    return read_object(request._request.body)


def as_response(answer: Answer | StreamAnswer) -> HttpResponseBase:
    """A call's answer as Django's response."""
    if isinstance(answer, StreamAnswer):
        return EventResponse(answer)
    return HttpResponse(answer.body, headers=dict(answer.headers), status=answer.status)


class EventResponse(StreamingHttpResponse):
    """A stream whose generator the handler can close itself: Django's wrapper around it would leave that to chance."""

    def __init__(self, answer: StreamAnswer) -> None:
        super().__init__(answer.events, headers=dict(answer.headers))
        self.events = answer.events


def json_response(content: Any, headers: dict[str, str] | None = None) -> HttpResponse:
    """Plain data as a JSON response."""
    return HttpResponse(orjson.dumps(content), content_type=JSON, headers=headers)
