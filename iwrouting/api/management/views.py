"""The views of the management API."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.bodies import ObjectParser
from iwrouting.api.management import examples
from iwrouting.api.management.aliases import AliasList, list_aliases
from iwrouting.api.management.decisions import DecisionAnswer, find_decision
from iwrouting.api.management.projects import ProjectAnswer, ProjectBody, put_project, show_project
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.api.stock import StockView
from iwrouting.errors import BadRequest
from iwrouting.snapshot import store
from iwrouting.types import KeyFacts


class ManagementView(StockView):
    """Base: JSON objects in, JSON out, and no query parameter that is not known (ux.md 3, Lists)."""

    parser_classes = (ObjectParser,)
    parameters: frozenset[str] = frozenset()

    @property
    def key(self) -> KeyFacts:
        """The caller's key."""
        return cast(KeyFacts, self.request.auth)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, permit, and look at the query. Raises RoutingError."""
        super().initial(request, *args, **kwargs)
        if unknown := sorted(set(request.query_params) - self.parameters):
            known = f"known are {', '.join(sorted(self.parameters))}" if self.parameters else "this route takes none"
            raise BadRequest(f"{unknown[0][:80]}: unknown parameter; {known}.", param=unknown[0][:80])


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


class AliasesView(ManagementView):
    """The aliases that the key may ask for."""

    parameters = frozenset({"project"})

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
        """List them."""
        named = request.query_params.get("project") or request.headers.get("x-iw-project", "")
        return Response(AliasList(list_aliases(store.current, self.key, named)).data)


class ProjectView(ManagementView):
    """One project, by the backend's own id of it."""

    PATH = OpenApiParameter(
        "external_id",
        str,
        "path",
        description="InfinityWindow's id: at most 128 characters of letters, digits and ._:/-",
    )

    @extend_schema(
        operation_id="read_project",
        summary="Read a project",
        description="Scope `manage`. A key for some projects reads its own.",
        tags=[MANAGEMENT],
        parameters=[PATH, *REQUEST_ID],
        responses={200: answered(ProjectAnswer, examples.PROJECT), **failures(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Read it."""
        return Response(show_project(self.key, external_id))

    @extend_schema(
        operation_id="put_project",
        summary="Make or change a project",
        description="Idempotent: the same body again changes nothing and raises no revision. A field left out keeps "
        "its value; unknown fields are refused. Scope `manage`; only a key for all projects makes new ones, a key for "
        "some changes its own.",
        tags=[MANAGEMENT],
        parameters=[PATH, *REQUEST_ID],
        request=ProjectBody,
        examples=[examples.PROJECT_BODY],
        responses={
            200: answered(ProjectAnswer, examples.PROJECT, "Changed, or so already."),
            201: answered(ProjectAnswer, examples.PROJECT, "Made."),
            **failures(400, 401, 403, 409, 413, 415, 503),
        },
    )
    def put(self, request: Request, external_id: str) -> Response:
        """Make or change it."""
        body = ProjectBody(data=request.data)
        body.is_valid(raise_exception=True)
        answer, made = put_project(self.key, external_id, body.validated_data)
        store.check()
        return Response(answer, status=201 if made else 200)
