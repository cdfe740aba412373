"""`GET /api/v1/decisions`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management import formats
from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.decisions import DecisionItem
from iwrouting.api.management.fields import Moment
from iwrouting.api.management.listing import examples
from iwrouting.api.management.listing.filters import FILTERS, START, read_asked
from iwrouting.api.management.listing.pages import DECISIONS, flat, items, patiently
from iwrouting.api.management.reading import PROJECT, project_to_read
from iwrouting.api.management.resources import cursors, filters
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.errors import BadRequest
from iwrouting.reports.export.asked import Asked
from iwrouting.reports.export.wide import columns_of
from iwrouting.snapshot import store

INCLUDE, ATTEMPTS = "include", "attempts"
INCLUDED = OpenApiParameter(INCLUDE, str, enum=[ATTEMPTS], description="With the tries of each; not in CSV.")


class Window(serializers.Serializer[Asked]):
    """The time that was looked at."""

    start = Moment(allow_null=True, help_text="From here on; null for all times.")
    end = Moment(allow_null=True, help_text="Before this; null for up to now.")


class DecisionPage(cursors.CursorPage):
    """Decisions, newest first."""

    window = Window()
    results = DecisionItem(many=True)


class DecisionsView(ManagementView):
    """The decisions of the audit."""

    content_negotiation_class = formats.Formats
    parameters = cursors.PAGED | FILTERS.keys() | {INCLUDE, formats.FORMAT}

    @extend_schema(
        operation_id="list_decisions",
        summary="List the decisions",
        description="Newest first, by cursor and without a total. Without created_at__gte those of 24 hours, unless a "
        "request_id or run_id is named; the answer says which time was looked at, and its addresses keep it. "
        "Columns of the outcome find the decisions that have one. As CSV the columns of rpt_decisions_v1. A key "
        "reads the decisions of its own projects. Scope `read_audit`.",
        tags=[MANAGEMENT],
        parameters=[
            *filters.parameters(FILTERS),
            INCLUDED,
            *cursors.PARAMETERS,
            *formats.PARAMETERS,
            *REQUEST_ID,
        ],
        responses={
            200: answered(DecisionPage, examples.PAGE),
            **formats.as_files(examples.LINE, examples.SHEET),
            **failures(400, 401, 403, 503),
        },
    )
    def get(self, request: Request) -> Response:
        """A page of them."""
        query = {name: str(value) for name, value in request.query_params.items()}
        if PROJECT in query:
            query[PROJECT] = project_to_read(store.current, self.key, query[PROJECT])
        asked = read_asked(query, self.key.projects, datetime.now(UTC))
        if asked.start is not None:
            query[START] = asked.start.isoformat()
        with patiently(asked):
            page, beside = cursors.cursor_page(asked.rows(), request.path, query, cursors.BY_DECISION)
        with patiently(Asked()):
            return _answer(formats.form_of(request), page, beside, asked, _includes(query))


def _answer(form: str, page: Any, beside: Mapping[str, Any], asked: Asked, attempts: bool) -> Response:
    if form == formats.CSV:
        return formats.with_links(Response(formats.sheet(columns_of(DECISIONS), flat(page))), beside)
    found = items(page, attempts=attempts)
    if form == formats.JSONL:
        return formats.with_links(Response(found), beside)
    return Response({"window": Window(asked).data, "results": found, **beside})


def _includes(query: Mapping[str, str]) -> bool:
    said = query.get(INCLUDE)
    if said not in (None, ATTEMPTS):
        raise BadRequest(f"{INCLUDE}: {said[:80]!r} is not possible; {ATTEMPTS} is.", param=INCLUDE)
    return said is not None
