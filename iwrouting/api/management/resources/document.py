"""The rows' operations in the OpenAPI document, made of what the resources say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import serializers

from iwrouting.api.management.resources import pages
from iwrouting.api.management.resources.attempts import HEADER
from iwrouting.api.management.resources.examples import PLAN, Sample
from iwrouting.api.management.resources.filters import parameters
from iwrouting.api.management.resources.resource import Resource
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures, returned, sent

F = TypeVar("F", bound=Callable[..., Any])
MATCH = sent("if-match", 'The ETag of what you have read, such as "41"; * for whatever it is.')
WHY = sent("x-change-reason", "Why, in 5 to 300 characters; or `change_reason` in the body.")
ONCE = sent(
    HEADER,
    "Your name for this attempt, 128 characters of letters, digits and ._:/-, kept for 24 h. Sent again it makes "
    "nothing: 409 already_answered, with the address in Location; 422 idempotency_key_reused for another body or path. "
    "What failed may be tried again under it; a dry_run ignores it.",
)
ETAG = returned("etag", "The revision that last changed it.", 200, 201)
WRITES = (400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 503)
DRY_RUN = OpenApiParameter("dry_run", bool, description="true: say what it would do, and do nothing.")
SEEN = OpenApiParameter("acknowledge", str, description="Findings that you have seen, separated by commas.")
SCOPE = "Scope `manage`."


class PlannedRow(serializers.Serializer[Any]):
    """What would become of one row."""

    object_type = serializers.CharField()
    name = serializers.CharField()
    operation = serializers.ChoiceField(["create", "change", "delete"])
    changed = serializers.DictField(child=serializers.ListField(), help_text="{field: [before, after]}.")


class FindingAnswer(serializers.Serializer[Any]):
    """What should be known before it is saved."""

    key = serializers.CharField()
    code = serializers.CharField()
    object_type = serializers.CharField()
    name = serializers.CharField()
    message = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    subject = serializers.CharField(allow_blank=True)
    ref = serializers.CharField(allow_blank=True)


class PlanAnswer(serializers.Serializer[Any]):
    """What a dry run would have done on top of a revision."""

    dry_run = serializers.BooleanField()
    revision = serializers.IntegerField()
    rows = PlannedRow(many=True)
    findings = FindingAnswer(many=True)


def page_shape(row: type[serializers.BaseSerializer[Any]]) -> type[serializers.BaseSerializer[Any]]:
    """A page of rows."""
    fields = {
        "results": row(many=True),
        "count": serializers.IntegerField(help_text="Of all pages."),
        "next": serializers.CharField(allow_null=True, help_text="Address of the next page."),
        "previous": serializers.CharField(allow_null=True),
        "__doc__": "A page of them.",
    }
    return type(f"{row.__name__}Page", (serializers.Serializer,), fields)


class Described:
    """The operations of one resource."""

    def __init__(self, resource: Resource, sample: Sample, parameter: str = "name") -> None:
        self.resource, self.sample, self.row = resource, sample, resource.body
        self.words = f"{sample.a} {resource.called}"
        self.noun = resource.called.lower().replace(" ", "_")
        self.every = f"{self.noun}es" if self.noun.endswith("s") else f"{self.noun}s"
        self.name = OpenApiParameter(parameter, str, "path", description=sample.named)

    def listed(self) -> Callable[[F], F]:
        """GET of the list."""
        return self._operation(
            f"list_{self.every}",
            f"List the {self.resource.called}{self.every.removeprefix(self.noun)}",
            self.sample.listed,
            parameters=[*parameters(self.resource.filters), *pages.PARAMETERS, *REQUEST_ID],
            responses={200: answered(page_shape(self.row), self._page()), **failures(400, 401, 403, 503)},
        )

    def created(self) -> Callable[[F], F]:
        """POST."""
        sample = self.sample
        return self._operation(
            f"create_{self.noun}",
            f"Make {self.words}",
            sample.created,
            parameters=[WHY, ONCE, ETAG, returned("location", "Where it stands.", 201, 409), *REQUEST_ID],
            request=self.row,
            examples=[OpenApiExample("Example", sample.body, request_only=True)],
            responses={
                200: answered(PlanAnswer, PLAN, "With dry_run: what it would do."),
                201: answered(sample.made or self.row, sample.made_row or sample.row, "Made."),
                **failures(400, 401, 403, 409, 413, 415, 422, 503),
            },
        )

    def read(self) -> Callable[[F], F]:
        """GET of one."""
        return self._operation(
            f"read_{self.noun}",
            f"Read {self.words}",
            self.sample.read,
            parameters=[self.name, ETAG, *REQUEST_ID],
            responses={200: answered(self.row, self.sample.row), **failures(400, 401, 403, 404, 503)},
        )

    def changed(self) -> Callable[[F], F]:
        """PATCH."""
        told = f"What the body names; the rest stays. {self.sample.changed}"
        return self._changing("change", f"Change {self.words}", told, self.sample.patch)

    def replaced(self) -> Callable[[F], F]:
        """PUT."""
        told = f"What the body leaves out becomes what it is on a new row. {self.sample.changed}"
        return self._changing("replace", f"Replace {self.words}", told, self.sample.body)

    def archived(self) -> Callable[[F], F]:
        """DELETE."""
        return self._operation(
            f"archive_{self.noun}",
            f"Archive {self.words}",
            self.sample.archived,
            parameters=[self.name, MATCH, WHY, DRY_RUN, SEEN, ETAG, *REQUEST_ID],
            request=None,
            responses={200: self._either(), **failures(400, 401, 403, 404, 409, 412, 422, 503)},
        )

    def _changing(self, verb: str, summary: str, description: str, body: Mapping[str, Any]) -> Callable[[F], F]:
        return self._operation(
            f"{verb}_{self.noun}",
            summary,
            description,
            parameters=[self.name, MATCH, WHY, ETAG, *REQUEST_ID],
            request=self.row,
            examples=[OpenApiExample("Example", dict(body), request_only=True)],
            responses={200: self._either(), **failures(*WRITES)},
        )

    def _operation(self, operation_id: str, summary: str, description: str, **more: Any) -> Callable[[F], F]:
        told = f"{description.strip()} {SCOPE}"
        return extend_schema(operation_id=operation_id, summary=summary, description=told, tags=[MANAGEMENT], **more)

    def _either(self) -> OpenApiResponse:
        shape = PolymorphicProxySerializer(f"{self.row.__name__}OrPlan", [self.row, PlanAnswer], None)
        examples = [
            OpenApiExample("Example", self.sample.row, response_only=True),
            OpenApiExample("A dry run", PLAN, response_only=True),
        ]
        return OpenApiResponse(shape, "As it stands now; with dry_run what would become of it.", examples)

    def _page(self) -> dict[str, Any]:
        return {"results": [self.sample.row], "count": 1, "next": None, "previous": None}
