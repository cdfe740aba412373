"""`/api/schema` and `/api/docs`: public, offline, and under the strict content security policy."""

from __future__ import annotations

from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.authority import HasScope
from iwrouting.api.schema.generator import openapi
from iwrouting.api.stock import StockView


class Schema(StockView, SpectacularAPIView):
    """The document as JSON or YAML: by Accept, or by `?format=json` and `?format=yaml`."""

    authentication_classes = ()
    permission_classes = (HasScope,)
    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]

    def _get_schema_response(self, request: Request) -> Response:
        return Response(openapi())


class Docs(StockView, SpectacularSwaggerSplitView):
    """Swagger's page. The split view alone keeps its script out of the page, as the policy demands."""

    authentication_classes = ()
    permission_classes = (HasScope,)
    template_name = "api/docs.html"
