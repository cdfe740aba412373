"""The views of the change list, the revisions, and decisions resolved again."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management import formats
from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.history import examples
from iwrouting.api.management.history.again import DecisionAgain, read_again
from iwrouting.api.management.history.lines import (
    ABOUT,
    FILTERS,
    ChangeAnswer,
    ChangePage,
    line_page,
    read_line,
    seen_lines,
    seen_rows,
    sees_all,
)
from iwrouting.api.management.history.past import RevisionAnswer, read_revision
from iwrouting.api.management.resources import filters
from iwrouting.api.management.resources.cursors import PAGED, PARAMETERS, cursor_page
from iwrouting.api.management.resources.document import SCOPE
from iwrouting.api.management.resources.filters import lookups
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.reports.export.changes import COLUMNS, sheet_rows, told

LISTED = {"results": [examples.LINE], "next": None, "previous": None, "page_size": 50}
FILES = formats.as_files(examples.AS_LINE, examples.AS_SHEET)
LIST_PARAMETERS = [
    *filters.parameters({**FILTERS, **ABOUT}),
    *PARAMETERS,
    *formats.PARAMETERS,
    *REQUEST_ID,
]
READS = failures(400, 401, 403, 404, 503)
LISTS = failures(400, 401, 403, 503)


class ChangesView(ManagementView):
    """The change list."""

    content_negotiation_class = formats.Formats
    parameters = PAGED | FILTERS.keys() | ABOUT.keys() | {formats.FORMAT}
    with_revision: ClassVar[bool] = False

    @extend_schema(
        operation_id="list_changes",
        summary="List the changes",
        description="Newest first, by cursor and without a total; lines without a revision tell what took effect by "
        "itself, such as a scheduled override. A key for some projects, aliases or models sees the changes of their "
        f"rows. As lines each has its rows, as CSV there is a line for each field. {SCOPE}",
        tags=[MANAGEMENT],
        parameters=LIST_PARAMETERS,
        responses={200: answered(ChangePage, examples.LINES), **FILES, **LISTS},
    )
    def get(self, request: Request) -> Response:
        """A page of it."""
        query = {name: str(value) for name, value in request.query_params.items()}
        about = lookups(ABOUT, query)
        lines = seen_lines(self.key, about).filter(**lookups(FILTERS, query))
        lines = lines.filter(revision__isnull=False) if self.with_revision else lines
        page, beside = cursor_page(lines, request.path, query)
        form = formats.form_of(request)
        if form == formats.JSON:
            return Response({"results": line_page(self.key, page), **beside})
        found = told(page, seen_rows(self.key).filter(**about), details=sees_all(self.key))
        return formats.with_links(
            Response(formats.sheet(COLUMNS, sheet_rows(found)) if form == formats.CSV else list(found)), beside
        )


class RevisionsView(ChangesView):
    """The revisions, each by the change that made it."""

    with_revision = True

    @extend_schema(
        operation_id="list_revisions",
        summary="List the revisions",
        description=f"The changes that made one, newest first, by cursor and without a total. {SCOPE}",
        tags=[MANAGEMENT],
        parameters=LIST_PARAMETERS,
        responses={200: answered(ChangePage, LISTED), **FILES, **LISTS},
    )
    def get(self, request: Request) -> Response:
        """A page of them."""
        return super().get(request)


class ChangeView(ManagementView):
    """One change."""

    @extend_schema(
        operation_id="read_change",
        summary="Read a change",
        description=f"What it made of each row, field by field, and what was acknowledged with it. {SCOPE}",
        tags=[MANAGEMENT],
        parameters=[OpenApiParameter("name", str, "path", description="The id of the change."), *REQUEST_ID],
        responses={200: answered(ChangeAnswer, examples.CHANGE), **READS},
    )
    def get(self, request: Request, name: str) -> Response:
        """Read it."""
        return Response(read_line(self.key, name))


class RevisionView(ManagementView):
    """One revision."""

    @extend_schema(
        operation_id="read_revision",
        summary="Read a revision",
        description="The configuration as of it, without what is secret; a time stands for the last revision committed "
        f"by then. A key for some projects sees its own rows, and the aliases that it may ask for. {SCOPE}",
        tags=[MANAGEMENT],
        parameters=[
            OpenApiParameter("name", str, "path", description="41, or a time such as 2026-11-01T00:00:00Z."),
            *REQUEST_ID,
        ],
        responses={200: answered(RevisionAnswer, examples.REVISION), **READS},
    )
    def get(self, request: Request, name: str) -> Response:
        """Read it."""
        return Response(read_revision(self.key, name))


class DecisionAgainView(ManagementView):
    """One decision, resolved again."""

    @extend_schema(
        operation_id="resolve_decision_again",
        summary="Resolve a decision again",
        description="As of then, under the revision, environment, key, features and time that its row records, where "
        "it gives its own answer; and as of now, with the differences. No model is called, nothing is recorded. "
        "Scope `read_audit`.",
        tags=[MANAGEMENT],
        parameters=[
            OpenApiParameter("decision_id", OpenApiTypes.UUID, "path", description="From the header x-iw-decision-id."),
            *REQUEST_ID,
        ],
        responses={200: answered(DecisionAgain, examples.AGAIN), **READS},
    )
    def get(self, request: Request, decision_id: str) -> Response:
        """Resolve it twice."""
        return Response(read_again(self.key, decision_id))
