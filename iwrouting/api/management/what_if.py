"""What a change would have done to the calls of the last days: `POST /api/v1/whatif`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting import catalogue
from iwrouting.api.management import what_if_example as example
from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.resources.bodies import KnownFields
from iwrouting.api.management.what_if_shapes import WhatIfAnswer
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.errors import BadRequest, Forbidden, Unavailable
from iwrouting.models.contents import CONFIGURATION
from iwrouting.planning.whatif import DAYS, MAX_DAYS, TooLong, what_if
from iwrouting.planning.whatif.proposals import BadProposal, Proposal, Wish, propose, propose_bundle
from iwrouting.types import KeyFacts

PATIENCE_S = 30.0
MOST_CHANGES = 500


class OverrideBody(KnownFields):
    """A model put in the database for an alias, at once and for good; null takes the override away."""

    alias = serializers.CharField()
    project = serializers.CharField(required=False, allow_null=True, help_text="Slug; left out: for all projects.")
    model = serializers.CharField(allow_null=True)
    infer = serializers.BooleanField(required=False, help_text="Only for auto: go on inferring.")


class ChangeBody(KnownFields):
    """One row with other values in some fields, a new row, or one that goes."""

    object_type = serializers.ChoiceField(list(CONFIGURATION))
    name = serializers.CharField(help_text="As the change list has it: manager, or `manager for atlas`.")
    fields_ = serializers.DictField(required=False, help_text="New values by field. Left out with `delete`.")
    delete = serializers.BooleanField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields; `fields`, which means something else in Python, by its own name."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class WhatIfBody(KnownFields):
    """What is proposed: one or more of these together."""

    override = OverrideBody(required=False)
    profile = serializers.ChoiceField(catalogue.PROFILES, required=False, help_text="All its defaults.")
    changes = ChangeBody(many=True, required=False, help_text=f"At most {MOST_CHANGES}.")
    bundle = serializers.CharField(required=False, help_text="A whole bundle of config_export, as YAML; alone.")
    prune = serializers.BooleanField(required=False, help_text="Without what the bundle does not have.")
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=DAYS, help_text="How far back.")


class WhatIfView(ManagementView):
    """What a change would have done."""

    @extend_schema(
        operation_id="what_if",
        summary="What a change would have done",
        description="Runs the recorded calls of the last days through a proposed change, without calling any model: "
        "how many change model, what they cost and would have cost, and what they would have met. Changes nothing, "
        "records nothing. A key for some projects proposes overrides of these, and sees their calls, alone. "
        "Scope `manage`.",
        tags=[MANAGEMENT],
        parameters=REQUEST_ID,
        request=WhatIfBody,
        examples=[example.BODY],
        responses={200: answered(WhatIfAnswer, example.ANSWER), **failures(400, 401, 403, 413, 415, 503)},
    )
    def post(self, request: Request) -> Response:
        """Compare."""
        body = WhatIfBody(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(answer(self.key, body.validated_data))


def answer(key: KeyFacts, said: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a checked body. Raises BadRequest, Forbidden, or Unavailable where it takes too long."""
    _check_grant(key, said)
    proposal = _proposal(said)
    end = datetime.now(UTC)
    try:
        found = what_if(
            proposal.before,
            proposal.after,
            end - timedelta(days=said["days"]),
            end,
            until=time.monotonic() + PATIENCE_S,
            projects=key.projects,
        )
    except TooLong:
        raise Unavailable(
            f"days: the calls of {said['days']} days can't be read within {PATIENCE_S:.0f} s. Ask for fewer, or run "
            "manage.py routing_whatif, which takes its time.",
            code="what_if_too_long",
            retry_after_s=None,
        ) from None
    return {"proposal": proposal.as_dict(), **found.as_dict()}


def _check_grant(key: KeyFacts, said: Mapping[str, Any]) -> None:
    """Raise Forbidden where a key for some projects proposes more than an override of one of them.

    Anything else would tell it how the rows of others are.
    """
    if key.projects is None:
        return
    others = sorted(set(said) & {"profile", "changes", "bundle"})
    if others or said.get("override", {}).get("project") not in key.projects:
        raise Forbidden(
            "This key may propose an override of one of its own projects alone. A key for all projects "
            "(keys_create --projects '*') may propose anything.",
            code="project_not_granted",
        )


def _proposal(said: Mapping[str, Any]) -> Proposal:
    try:
        if "bundle" in said:
            return _of_bundle(said)
        wish = Wish()
        if "profile" in said:
            wish.profile(said["profile"])
        for change in said.get("changes", ()):
            _take(wish, change)
        if "override" in said:
            asked = said["override"]
            more = {"infer": asked["infer"]} if "infer" in asked else {}
            wish.override(asked["alias"], asked["model"], asked.get("project"), **more)
        if not wish.rows:
            raise BadProposal("Nothing is proposed: give override, profile, changes or bundle.")
        return propose(wish)
    except BadProposal as error:
        raise BadRequest(str(error), code="bad_proposal") from None


def _of_bundle(said: Mapping[str, Any]) -> Proposal:
    if others := sorted(set(said) & {"override", "profile", "changes"}):
        raise BadProposal(f"bundle: it is a whole proposal; leave {', '.join(others)} out.")
    return propose_bundle(said["bundle"], prune=said.get("prune", False))


def _take(wish: Wish, change: Mapping[str, Any]) -> None:
    if change.get("delete"):
        wish.remove(change["object_type"], change["name"])
    else:
        wish.change(change["object_type"], change["name"], change.get("fields", {}))
