"""Lists as lines of JSON and as CSV beside JSON: by `format`, else by Accept (ux.md 3).

A page has its neighbours in the header Link there, since no line has room for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.schema.parts import returned
from iwrouting.errors import BadRequest
from iwrouting.types.sheets import as_line

JSON, JSONL, CSV = "json", "jsonl", "csv"
FORMAT = "format"
PARAMETERS = [
    OpenApiParameter(FORMAT, str, enum=[JSON, JSONL, CSV], description="json unless said, or by the header Accept."),
    returned("link", "The neighbours of a page, rel next and previous, where the body is no JSON object.", 200),
]


class Lines(BaseRenderer):
    """An object of JSON a line."""

    media_type = "application/x-ndjson"
    format = JSONL

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Lines of rows."""
        lines = "".join(f"{json.dumps(row)}\n" for row in data).encode()
        if not lines and renderer_context:
            renderer_context["response"].add_post_render_callback(_typed)  # DRF takes it off an empty body
        return lines


def _typed(response: Response) -> None:
    response["Content-Type"] = f"{Lines.media_type}; charset=utf-8"


class Sheet(BaseRenderer):
    """Comma-separated values under their headings."""

    media_type = "text/csv"
    format = CSV

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Lines of lists."""
        return "".join(map(as_line, data)).encode()


class Formats(DefaultContentNegotiation):
    """Chooses between these and what the view has besides; what is none of them is a 400."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """The renderer and its media type. Raises BadRequest, and NotAcceptable by Accept."""
        every = [*renderers, Lines(), Sheet()]
        said = request.query_params.get(FORMAT)
        if said is None:
            return super().select_renderer(request, every, format_suffix)
        for each in every:
            if each.format == said:
                return each, each.media_type
        raise BadRequest(
            f"format: {said[:80]!r} is not possible. One of {', '.join(each.format for each in every)}.", param=FORMAT
        )


def form_of(request: Request) -> str:
    """`json`, `jsonl` or `csv`, as negotiated."""
    return str(request.accepted_renderer.format)


def sheet(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[Sequence[Any]]:
    """What Sheet takes: the headings and the rows under them."""
    return [columns, *([row.get(name) for name in columns] for row in rows)]


def with_links(response: Response, beside: Mapping[str, Any]) -> Response:
    """An answer without room for the neighbours of its page, which go into its header."""
    links = [f'<{beside[rel]}>; rel="{rel}"' for rel in ("next", "previous") if beside[rel]]
    if links:
        response["Link"] = ", ".join(links)
    return response


def as_files(lines: str, table: str) -> dict[tuple[int, str], OpenApiResponse]:
    """The two other formats of an operation in the OpenAPI document, each with its example."""
    told = {Lines.media_type: ("An object a line.", lines), Sheet.media_type: ("A line a row.", table)}
    return {
        (200, kind): OpenApiResponse(
            OpenApiTypes.STR, said, [OpenApiExample("Example", example, media_type=kind, response_only=True)]
        )
        for kind, (said, example) in told.items()
    }
