"""`/v1`: the OpenAI API."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from iwrouting.api.lean import LeanView, as_response, json_response
from iwrouting.calls import chat, embeddings, fetch, list_models, responses, show_model
from iwrouting.calls.fetching import CANCEL, DELETE, INPUT_ITEMS, RETRIEVE, Action, FetchRequest
from iwrouting.errors import NotFound
from iwrouting.types import Endpoint, Scope


class ChatCompletions(LeanView):
    """Chat completions, buffered or streamed, for an alias or a model id."""

    refuses_itself = True

    async def post(self, request: Any) -> HttpResponseBase:
        """Serve one."""
        body, caller = await self.admitted(request, Endpoint.CHAT, Scope.CALL)
        return as_response(await chat(self.service, caller, body, len(request._request.body)))


class Responses(LeanView):
    """Responses: whole, streamed, or made in the background."""

    refuses_itself = True

    async def post(self, request: Any) -> HttpResponseBase:
        """Serve one."""
        body, caller = await self.admitted(request, Endpoint.RESPONSES, Scope.CALL)
        return as_response(await responses(self.service, caller, body, len(request._request.body)))


class HeldView(LeanView):
    """Base of the routes for a response that a provider keeps."""

    refuses_itself = True
    http_method_names = ["get", "post", "delete", "head"]

    async def fetch(self, request: Any, action: Action, response_id: str) -> HttpResponseBase:
        """Send it to the upstream that holds the response."""
        caller = await self.known_caller(request, action.endpoint, Scope.CALL)
        query = tuple((name, value) for name, values in request._request.GET.lists() for value in values)
        return as_response(await fetch(self.service, caller, FetchRequest(action, response_id, query)))


class Response(HeldView):
    """One response."""

    async def get(self, request: Any, response_id: str) -> HttpResponseBase:
        """As it is now, or its events."""
        return await self.fetch(request, RETRIEVE, response_id)

    async def delete(self, request: Any, response_id: str) -> HttpResponseBase:
        """Make the provider forget it."""
        return await self.fetch(request, DELETE, response_id)


class ResponseCancel(HeldView):
    """The end of one that is made in the background."""

    async def post(self, request: Any, response_id: str) -> HttpResponseBase:
        """Cancel it."""
        return await self.fetch(request, CANCEL, response_id)


class ResponseInputItems(HeldView):
    """What one was asked."""

    async def get(self, request: Any, response_id: str) -> HttpResponseBase:
        """The list."""
        return await self.fetch(request, INPUT_ITEMS, response_id)


class Embeddings(LeanView):
    """Embeddings, in batches where the limits ask for it."""

    refuses_itself = True

    async def post(self, request: Any) -> HttpResponseBase:
        """Serve one."""
        body, caller = await self.admitted(request, Endpoint.EMBEDDINGS, Scope.CALL)
        return as_response(await embeddings(self.service, caller, body, len(request._request.body)))


class Models(LeanView):
    """What the key may name, aliases first."""

    async def get(self, request: Any) -> HttpResponse:
        """The list."""
        return json_response(list_models(self.service.config, self.caller(request)))


class Model(LeanView):
    """One alias or model."""

    async def get(self, request: Any, name: str) -> HttpResponse:
        """The entry."""
        return json_response(show_model(self.service.config, self.caller(request), name))


class NothingHere(LeanView):
    """Every other path under the lean prefixes."""

    authentication_classes = ()
    schema = None

    def check_permissions(self, request: Any) -> None:
        """Nothing to protect: there is nothing."""
        raise NotFound(f"No route {request.method} {request._request.path}. The API is described at /api/docs.")
