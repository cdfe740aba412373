"""`POST /api/v1/keys/<id>/rotate`: a new key in the place of one, which goes on for a day."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management.fields import Moment
from iwrouting.api.management.resources import document
from iwrouting.api.management.resources.bodies import CONTROLS, KnownFields, Names, Switch, Text
from iwrouting.api.management.resources.examples import PLAN
from iwrouting.api.management.resources.keys import OVERLAP, Keys, NewKeyRow, check_grants, end_of, fresh
from iwrouting.api.management.resources.more_examples import KEY
from iwrouting.api.management.resources.refusals import refused_field
from iwrouting.api.management.resources.views import RowView
from iwrouting.api.management.resources.writing import read_asked
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures, returned
from iwrouting.models import ApiKey
from iwrouting.types import KeyFacts

KEPT = ("name", "project", "projects", "scopes", "allowed_aliases", "allowed_models")


class RotateBody(KnownFields):
    """How long the new key lasts, and why there is one."""

    expires_at = Moment(required=False, allow_null=True, help_text="In 365 days unless said; null: never.")
    change_reason = Text(required=False)
    acknowledge = Names(required=False)
    dry_run = Switch(required=False)


class RotateView(RowView):
    """A key that is handed over without a break."""

    resource = Keys()

    @extend_schema(
        operation_id="rotate_api_key",
        summary="Rotate an API key",
        description="A new key with the same grants, told this once; the old one is accepted for 24 h more, or until "
        f"its own end. Nothing beyond what the caller's own key can do. {document.SCOPE}",
        tags=[MANAGEMENT],
        parameters=[
            document.Described(resource, KEY).name,
            document.WHY,
            document.ONCE,
            document.ETAG,
            returned("location", "Where the new one stands.", 201, 409),
            *REQUEST_ID,
        ],
        request=RotateBody,
        examples=[OpenApiExample("Example", {"change_reason": "Once a year"}, request_only=True)],
        responses={
            200: answered(document.PlanAnswer, PLAN, "With dry_run: what it would do."),
            201: answered(NewKeyRow, KEY.made_row, "Made."),
            **failures(400, 401, 403, 404, 409, 413, 415, 422, 503),
        },
    )
    def post(self, request: Request, name: str) -> Response:
        """Make the new one."""
        asked = read_asked(self.said, request.headers)

        def step() -> ApiKey:
            body = RotateBody(data=self.said)
            body.is_valid(raise_exception=True)
            said = {field: value for field, value in body.validated_data.items() if field not in CONTROLS}
            return rotated(self.key, self.resource.find(self.key, name), **said)

        return self.create(request, asked, step)


def rotated(caller: KeyFacts, old: ApiKey, **said: Any) -> ApiKey:
    """A new key with the grants of an old one, whose end is near. Raises Forbidden or BadRequest."""
    now = timezone.now()
    if old.revoked_at is not None:
        raise refused_field("revoked_at", "revoked", f"iw_{old.key_id} is revoked and stays so. Make a new key.")
    check_grants(caller, old)
    end = now.replace(microsecond=0) + OVERLAP
    old.expires_at = end if old.expires_at is None else min(end, old.expires_at)
    old.full_clean()
    old.save()
    kept = {name: getattr(old, name) for name in KEPT}
    row = fresh(caller, {**kept, "expires_at": end_of(caller, old.scopes), **said})
    check_grants(caller, row)
    row.full_clean()
    row.save()
    return row
