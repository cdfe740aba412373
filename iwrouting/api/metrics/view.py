"""The route of /metrics: stock, since it asks the database where that answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from iwrouting.api.metrics import CONTENT_TYPE, Scrape, families, render
from iwrouting.api.schema.parts import HEALTH, REQUEST_ID, failures
from iwrouting.api.stock import StockView
from iwrouting.types import KeyFacts

SERVICE = "iw.service"
"""Where the view finds the worker's service: in the scope of the request."""

WITHOUT_CALLS = "# What counts the calls of all projects together is left out: this key reads some projects.\n"
"""A comment, in the place of what a key for some projects may not see."""

EXAMPLE = """# HELP iwrouting_audit_queue Groups of audit rows that wait for a commit.
# TYPE iwrouting_audit_queue gauge
iwrouting_audit_queue{host="web-1",pid="4711"} 0
"""


class PlainText(BaseRenderer):
    """So that `Accept: text/plain` is taken."""

    media_type = "text/plain"
    format = "txt"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Text as bytes."""
        return str(data).encode()


class Metrics(StockView):
    """Numbers for Prometheus."""

    renderer_classes = (PlainText,)

    @extend_schema(
        operation_id="metrics",
        summary="Numbers for Prometheus",
        description="How the workers, the audit and the configuration stand, and what became of the calls, in "
        "Prometheus' text format. While the database is away it tells of the answering worker, and of the calls of its "
        "`serve`. A key for some projects gets nothing that counts the calls of all. Scope `read_audit`.",
        tags=[HEALTH],
        parameters=REQUEST_ID,
        responses={
            (200, "text/plain"): OpenApiResponse(
                OpenApiTypes.STR, "The numbers.", [OpenApiExample("Example", EXAMPLE, media_type="text/plain")]
            ),
            **failures(401, 403, 503),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """All of them now."""
        scope = getattr(request._request, "scope", {})
        key = cast(KeyFacts, request.auth)
        scrape = Scrape(scope.get(SERVICE), datetime.now(UTC), with_calls=key.projects is None)
        text = render(families(scrape)) + ("" if scrape.with_calls else WITHOUT_CALLS)
        return HttpResponse(text, content_type=CONTENT_TYPE)
