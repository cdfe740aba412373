"""`GET /api/v1/telemetry`, which writes nothing, and `POST /api/v1/telemetry/reset`, which sets the key's marker."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from iwrouting.api.management.base import ManagementView
from iwrouting.api.management.reading import project_to_read
from iwrouting.api.management.resources import filters
from iwrouting.api.management.telemetry import examples
from iwrouting.api.management.telemetry.asking import FILTERS, RESET, Asked, now_ms, read_asked
from iwrouting.api.management.telemetry.shapes import TelemetryAnswer, body
from iwrouting.api.schema.parts import MANAGEMENT, REQUEST_ID, answered, failures
from iwrouting.errors import BadRequest
from iwrouting.models import TelemetryMarker
from iwrouting.models.patience import OutOfTime
from iwrouting.reports.telemetry import telemetry
from iwrouting.reports.usage.reading import CutsQuarter
from iwrouting.snapshot import store
from iwrouting.snapshot.moments import moment_text
from iwrouting.types import KeyFacts

PATIENCE_S = 10.0
COUNTED = (
    "Routes by the chat mode that was inferred, with the rule that decided, and fallbacks: of the decisions that were "
    "made in that time and have ended, exactly as the audit has them, test traffic left out."
)


class TelemetryView(ManagementView):
    """The counts."""

    parameters = frozenset(FILTERS)

    @extend_schema(
        operation_id="read_telemetry",
        summary="Read the telemetry",
        description=f"{COUNTED} Without a time: since the key's last reset, or else of 24 hours. A key for some "
        "projects sees their calls alone. Scope `read_audit`.",
        tags=[MANAGEMENT],
        parameters=[*filters.parameters(FILTERS), *REQUEST_ID],
        responses={200: answered(TelemetryAnswer, examples.TELEMETRY), **failures(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """Count."""
        query = {name: str(value) for name, value in request.query_params.items()}
        asked = read_asked(query, self.key.key_id, now_ms())
        if asked.project is not None:
            asked = replace(asked, project=project_to_read(store.current, self.key, asked.project))
        return Response(counted(self.key, asked))


class ResetView(ManagementView):
    """A new beginning."""

    @extend_schema(
        operation_id="reset_telemetry",
        summary="Reset the telemetry",
        description="Answers as GET does without parameters, up to now, and sets the key's marker there: from then on "
        "GET counts from it. It deletes nothing, and no other key's counts change. Two at once: the second counts from "
        "the first. Scope `read_audit`.",
        tags=[MANAGEMENT],
        parameters=REQUEST_ID,
        request=None,
        responses={200: answered(TelemetryAnswer, examples.RESET), **failures(400, 401, 403, 503)},
    )
    def post(self, request: Request) -> Response:
        """Count, then begin anew."""
        if self.said:
            raise BadRequest("body: this route takes none; leave it out.", param=sorted(self.said)[0][:80])
        return Response(reset(self.key))


def counted(key: KeyFacts, asked: Asked) -> Any:
    """The body of an answer. Raises BadRequest where the database can't say it, or not in time."""
    try:
        found = telemetry(asked.start, asked.end, project=asked.project, projects=key.projects, seconds=PATIENCE_S)
    except OutOfTime:
        raise BadRequest(
            f"This takes the database longer than {PATIENCE_S:.0f} s: ask for a shorter time.", code="takes_too_long"
        ) from None
    except CutsQuarter as error:
        if asked.window == RESET:  # nobody chose it: what is left of that quarter counts in no range, none counts twice
            return counted(key, replace(asked, start=error.nearest[1]))
        near = " or ".join(moment_text(at) for at in error.nearest)
        raise BadRequest(
            f"from: the rows around {moment_text(error.bound)} were removed, and only quarters of an hour are left: "
            f"begin and end at whole ones, such as {near}.",
            param="from",
            code="rows_removed",
        ) from None
    return TelemetryAnswer(body(asked, found)).data


def reset(key: KeyFacts) -> Any:
    """What was counted up to now, from when on the key's marker stands. Whoever sets it meanwhile goes first."""
    while True:
        now = now_ms()
        asked = read_asked({}, key.key_id, now)
        answer = counted(key, replace(asked, reset_at=now))
        if _moved(key.key_id, asked.reset_at, now):
            return answer


def _moved(key_id: str, before: datetime | None, at: datetime) -> bool:
    """Whether the marker stood where we found it, and stands at `at` now."""
    if before is not None:
        return TelemetryMarker.objects.filter(key_id=key_id, at=before).update(at=at) == 1
    try:
        with transaction.atomic():
            TelemetryMarker.objects.create(key_id=key_id, at=at)
    except IntegrityError:
        return False
    return True
