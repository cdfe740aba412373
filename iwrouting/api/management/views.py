"""The views of the management API."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management import examples
from iwrouting.api.management.aliases import AliasList, list_aliases
from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.decisions import DecisionAnswer, find_decision
from iwrouting.api.management.projects import ProjectBody, check_external_id, put_project
from iwrouting.api.management.resources import kinds
from iwrouting.api.management.resources.document import ETAG, MATCH, WHY
from iwrouting.api.management.resources.examples import PROJECT
from iwrouting.api.management.resources.projects import ProjectRow
from iwrouting.api.management.resources.views import RowDetail, RowList
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.snapshot import store


class DecisionView(ManagementView):
    """One decision of the audit."""

    @extend_schema(
        operation_id="read_decision",
        summary="Read a decision",
        description="What was decided and why, each try, and how it ended. A key reads the decisions of its own "
        "projects. Scope `read_audit`.",
        tags=[MANAGEMENT],
        parameters=[
            OpenApiParameter("decision_id", OpenApiTypes.UUID, "path", description="From the header x-iw-decision-id."),
            *REQUEST_ID,
        ],
        responses={200: answered(DecisionAnswer, examples.DECISION), **failures(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, decision_id: str) -> Response:
        """Read it."""
        return Response(DecisionAnswer(find_decision(self.key, decision_id)).data)


class AliasesView(RowList):
    """The aliases that the key may ask for; new ones are made here."""

    resource = kinds.ALIASES.resource

    @property
    def parameters(self) -> frozenset[str]:  # type: ignore[override] # of GET alone
        """The project under whose overrides they are resolved."""
        return frozenset({"project"}) if self.request.method in ("GET", "HEAD") else frozenset()

    @extend_schema(
        operation_id="list_aliases",
        summary="List the aliases",
        description="The aliases that the key may ask for, each with the model that serves now and where that stands. "
        "Nothing is recorded. Scope `resolve`.",
        tags=[MANAGEMENT],
        parameters=[
            OpenApiParameter("project", str, description="Slug or external id; else x-iw-project, else none."),
            OpenApiParameter("x-iw-project", str, "header", description="As the parameter `project`, which wins."),
            *REQUEST_ID,
        ],
        responses={200: answered(AliasList, examples.ALIASES), **failures(400, 401, 403, 404)},
    )
    def get(self, request: Request) -> Response:
        """List them, from memory."""
        named = request.query_params.get("project") or request.headers.get("x-iw-project", "")
        return Response(AliasList(list_aliases(store.current, self.key, named)).data)

    @kinds.ALIASES.created()
    def post(self, request: Request) -> Response:
        """Make one."""
        return super().post(request)


class ProjectView(RowDetail):
    """One project, by the backend's own id of it; to read, change and archive it also by its slug."""

    resource = kinds.PROJECTS.resource

    @kinds.PROJECTS.read()
    def get(self, request: Request, external_id: str) -> Response:
        """Read it."""
        check_external_id(external_id)
        return super().get(request, external_id)

    @kinds.PROJECTS.changed()
    def patch(self, request: Request, external_id: str) -> Response:
        """Change it."""
        check_external_id(external_id)
        return super().patch(request, external_id)

    @kinds.PROJECTS.archived()
    def delete(self, request: Request, external_id: str) -> Response:
        """Disable it."""
        check_external_id(external_id)
        return super().delete(request, external_id)

    @extend_schema(
        operation_id="put_project",
        summary="Make or change a project",
        description="By external id. Idempotent: the same body again changes nothing and raises no revision. A field "
        "left out keeps its value; unknown fields are refused. It needs neither reason nor If-Match, and heeds them. "
        "Scope `manage`; only a key for all projects makes new ones, a key for some changes its own.",
        tags=[MANAGEMENT],
        parameters=[
            OpenApiParameter(
                "external_id",
                str,
                "path",
                description="InfinityWindow's id: at most 128 characters of letters, digits and ._:/-",
            ),
            MATCH,
            WHY,
            ETAG,
            *REQUEST_ID,
        ],
        request=ProjectBody,
        examples=[examples.PROJECT_BODY],
        responses={
            200: answered(ProjectRow, PROJECT.row, "Changed, or so already."),
            201: answered(ProjectRow, PROJECT.row, "Made."),
            **failures(400, 401, 403, 409, 412, 413, 415, 422, 503),
        },
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Make or change it."""
        body = ProjectBody(data=request.data)
        body.is_valid(raise_exception=True)
        row, is_new, made = put_project(self.key, external_id, body.validated_data, request.headers)
        store.check()
        return self.answer(row, 201 if is_new else 200, made)
