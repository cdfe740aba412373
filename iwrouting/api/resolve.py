"""`/api/v1/resolve`: which model, and why. POST records, GET never does."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from django.http import HttpResponse

from iwrouting.api.lean import JSON, LeanView, json_response
from iwrouting.calls import Caller, ResolveAsk, peek, resolve_recorded
from iwrouting.calls.past import PastAsk
from iwrouting.calls.resolving import ENDPOINT, with_project
from iwrouting.errors import BadRequest, RoutingError
from iwrouting.types import Scope

PARAMETERS = frozenset({"alias", "project", "as_of", "environment_id"})


class Resolve(LeanView):
    """Resolve one alias or several."""

    refuses_itself = True

    async def refuse(
        self, request: Any, endpoint: str, body: dict[str, Any], error: RoutingError, caller: Caller | None = None
    ) -> None:
        """Record a refusal, unless it is a dry run."""
        if body.get("dry_run") is not True:
            await super().refuse(request, endpoint, body, error, caller)

    async def post(self, request: Any) -> HttpResponse:
        """Resolve and, unless `dry_run`, record."""
        body, caller = await self.admitted(
            request,
            ENDPOINT,
            Scope.RESOLVE,
            lambda given: with_project(request._request.lean_headers, given.get("project")),
        )
        try:
            ask = ResolveAsk.read(body)
        except BadRequest as error:
            await self.refuse(request, ENDPOINT, body, error, caller)
            raise
        answer = await resolve_recorded(self.service, caller, ask, len(request._request.body))
        return json_response(answer.body, dict(answer.headers))

    async def get(self, request: Any) -> HttpResponse:
        """Resolve without recording; 304 for a known ETag."""
        lean = request._request
        query = {name: values[-1] for name, values in lean.GET.lists()}
        if unknown := sorted(set(query) - PARAMETERS):
            names = ", ".join(sorted(PARAMETERS))
            raise BadRequest(f"{unknown[0]}: unknown parameter; known are {names}.", param=unknown[0])
        if not query.get("alias"):
            raise BadRequest("alias: missing. Name an alias such as manager, or a model id.", param="alias")
        caller = self.caller(request, with_project(lean.lean_headers, query.get("project")))
        answer = await peek(self.service, caller, query["alias"], PastAsk.read(query))
        body = orjson.dumps(answer.body)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        known = [tag.strip().removeprefix("W/") for tag in lean.lean_headers.get("if-none-match", "").split(",")]
        cache = {"etag": etag, "cache-control": "private, no-cache", "vary": "authorization, x-iw-project"}
        headers = {**answer.headers, **cache}
        if etag in known or "*" in known:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(body, content_type=JSON, headers=headers)
