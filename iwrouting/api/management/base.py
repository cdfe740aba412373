"""The base of the management API's views."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.bodies import ObjectParser
from iwrouting.api.management.resources.refusals import as_refusal
from iwrouting.api.stock import StockView
from iwrouting.errors import BadRequest
from iwrouting.types import KeyFacts


class ManagementView(StockView):
    """Base: JSON objects in, JSON out, and no query parameter that is not known (ux.md 3, Lists)."""

    parser_classes = (ObjectParser,)
    parameters: frozenset[str] = frozenset()

    @property
    def key(self) -> KeyFacts:
        """The caller's key."""
        return cast(KeyFacts, self.request.auth)

    @property
    def said(self) -> dict[str, Any]:
        """The body: the parser takes objects alone."""
        return cast(dict[str, Any], self.request.data)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, permit, and look at the query. Raises RoutingError."""
        super().initial(request, *args, **kwargs)
        if unknown := sorted(set(request.query_params) - self.parameters):
            known = f"known are {', '.join(sorted(self.parameters))}" if self.parameters else "this route takes none"
            raise BadRequest(f"{unknown[0][:80]}: unknown parameter; {known}.", param=unknown[0][:80])

    def handle_exception(self, exc: Exception) -> Response:
        """The answer to an error; what refuses a change of the configuration says so in our terms."""
        return super().handle_exception(as_refusal(exc))
