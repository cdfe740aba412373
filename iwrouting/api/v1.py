"""`/v1`: the OpenAI API."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from iwrouting.api.lean import LeanView, as_response, json_response
from iwrouting.calls import chat, embeddings, list_models, responses, show_model
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
