"""One decision with its attempts and its outcome, as the audit has it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iwrouting.api.management.fields import (
    Choice,
    Dollars,
    Milliseconds,
    Moment,
    OptionalChoice,
    OptionalText,
    StoredJson,
    StoredNames,
    StoredNumbers,
    StoredObject,
)
from iwrouting.api.schema.shapes import LadderStepSerializer, RungSerializer
from iwrouting.audit.ids import decision_time
from iwrouting.errors import BadRequest, NotFound
from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.types import CostState, KeyFacts, Kind, Result, Skip, Source

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ORIGIN_SERVER = "server"


@extend_schema_field(LadderStepSerializer(many=True))
class StoredLadder(StoredJson):
    """The ladder."""


@extend_schema_field(RungSerializer(many=True))
class StoredChain(StoredJson):
    """The chain."""


class AttemptAnswer(serializers.Serializer[Attempt]):
    """One try at a rung (`call`), or a rung passed over (`skip`)."""

    seq = serializers.IntegerField(help_text="1 for the first.")
    kind = serializers.ChoiceField(["call", "skip"])
    rung = serializers.IntegerField()
    try_number = serializers.IntegerField(source="try_number", help_text="1, or 2 for the repetition; 0 for a skip.")
    batch = serializers.IntegerField(allow_null=True, help_text="Number of the batch, for embeddings.")
    alias = OptionalText()
    model = OptionalText()
    upstream = OptionalText()
    endpoint = serializers.CharField()
    skip_reason = OptionalChoice(Skip)
    changes = StoredNames(help_text="Parameters changed for this model.")
    sent_at = Moment(allow_null=True)
    first_byte_ms = Milliseconds(source="first_byte_us", allow_null=True, help_text="Since sent_at.")
    duration_ms = Milliseconds(source="end_us", allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status of the provider's answer.")
    error_type = OptionalText()
    error_code = OptionalText()
    error_param = OptionalText()
    upstream_request_id = OptionalText()
    retry_after_ms = serializers.IntegerField(allow_null=True)
    bytes_sent = serializers.IntegerField(allow_null=True)
    bytes_received = serializers.IntegerField(allow_null=True)
    chunks = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields; `try`, which can be no name in Python, by its own."""
        return {"try" if name == "try_number" else name: field for name, field in super().get_fields().items()}


class OutcomeAnswer(serializers.Serializer[Outcome]):
    """How it ended."""

    result = Choice(Result)
    origin = serializers.ChoiceField([ORIGIN_SERVER, "sweeper"], help_text="Who closed it.")
    ended_at = Moment()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status that the caller got.")
    error_type = OptionalText()
    error_code = OptionalText()
    error_param = OptionalText()
    model_served = OptionalText()
    upstream_served = OptionalText()
    endpoint_served = OptionalText()
    calls = serializers.IntegerField(help_text="Tries that were sent.")
    fallbacks = serializers.IntegerField()
    finish_reason = OptionalText()
    prompt_tokens = serializers.IntegerField(allow_null=True)
    cached_tokens = serializers.IntegerField(allow_null=True)
    cache_write_tokens = serializers.IntegerField(allow_null=True)
    completion_tokens = serializers.IntegerField(allow_null=True)
    reasoning_tokens = serializers.IntegerField(allow_null=True)
    tokens_source = OptionalText()
    usage = StoredObject(help_text="The usage object that the provider sent, numbers only.")
    cost_pico = serializers.IntegerField(allow_null=True, help_text="Integer pico-dollars: sum these.")
    cost_usd = Dollars(source="cost_pico", allow_null=True, help_text="The same in dollars, exact.")
    cost_state = Choice(CostState)
    price_version = OptionalText()
    latency_ms = Milliseconds(source="latency_us", allow_null=True)
    first_byte_ms = Milliseconds(source="first_byte_us", allow_null=True)
    overhead_ms = Milliseconds(source="overhead_us", allow_null=True, help_text="Our own share of the latency.")
    bytes_delivered = serializers.IntegerField(allow_null=True)
    chunks_delivered = serializers.IntegerField(allow_null=True)


class DecisionAnswer(serializers.Serializer[Decision]):
    """What was decided and why, each try, and how it ended."""

    decision_id = serializers.UUIDField(source="id")
    created_at = Moment(source="decision_at")
    project = OptionalText()
    project_external_id = OptionalText()
    key_id = OptionalText(help_text="Public part of the API key.")
    request_id = OptionalText()
    run_id = OptionalText()
    tags = StoredNames()
    client_retry = serializers.IntegerField(allow_null=True, help_text="Which repetition of the SDK it was.")
    endpoint = serializers.CharField(help_text="chat, embeddings or resolve.")
    is_stream = serializers.BooleanField()
    is_test = serializers.BooleanField()
    model_asked = OptionalText(help_text="The name in the request.")
    alias = OptionalText()
    kind = OptionalChoice(Kind)
    inferred_mode = OptionalText(help_text="The chat mode that auto was taken for.")
    reason = OptionalText(help_text="Why that mode.")
    features = StoredNumbers(help_text="What was measured of the messages; never their text.")
    model_resolved = OptionalText()
    upstream = OptionalText()
    source: Any = OptionalChoice(Source)
    ladder = StoredLadder()
    chain = StoredChain()
    warnings = StoredNames()
    revision = serializers.IntegerField()
    environment_id = serializers.CharField()
    catalogue_version = serializers.CharField()
    rules_version = serializers.CharField()
    app_version = serializers.CharField()
    estimate_tokens = serializers.IntegerField(allow_null=True)
    estimate_source = OptionalText()
    attempts = AttemptAnswer(many=True)
    outcome = serializers.SerializerMethodField(help_text="Null while the call is open.")

    @extend_schema_field(OutcomeAnswer(allow_null=True))
    def get_outcome(self, decision: Decision) -> dict[str, Any] | None:
        """The server's outcome, else the sweeper's (design.md 6)."""
        rows = sorted(decision.outcomes.all(), key=lambda row: row.origin != ORIGIN_SERVER)
        return OutcomeAnswer(rows[0]).data if rows else None


class DecisionItem(DecisionAnswer):
    """A decision in a list; `attempts` in the context says whether with its tries."""

    attempts = AttemptAnswer(many=True, required=False, help_text="With `include=attempts`.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Without the tries where they are not read."""
        fields = super().get_fields()
        if not self.context.get("attempts", True):
            del fields["attempts"]
        return fields


def find_decision(key: KeyFacts, text: str) -> Decision:
    """A decision of the key's projects, with attempts and outcomes: three queries, each into one partition.

    Raises BadRequest for a text that is no id, and NotFound.
    """
    found = _within(key, _read_id(text))
    if found is None:
        raise NotFound(f"No decision '{text[:80]}' of this key's projects.", code="decision_not_found")
    return found


def _read_id(text: str) -> UUID:
    if not _ID.fullmatch(text):
        raise BadRequest(
            f"decision_id: '{text[:80]}' is no decision id. Copy it from the header x-iw-decision-id of an answer.",
            param="decision_id",
        )
    return UUID(text)


def _within(key: KeyFacts, ident: UUID) -> Decision | None:
    at = _moment(ident)
    if at is None:
        return None
    attempts = Prefetch("attempts", Attempt.objects.filter(decision_at=at).order_by("seq"))
    outcomes = Prefetch("outcomes", Outcome.objects.filter(decision_at=at))
    rows = Decision.objects.filter(id=ident, decision_at=at).prefetch_related(attempts, outcomes)
    return (rows if key.projects is None else rows.filter(project__in=key.projects)).first()


def _moment(ident: UUID) -> datetime | None:
    """The time inside an id, by which the tables are partitioned; None for an id that can't be one of ours."""
    try:
        return decision_time(ident.hex) if ident.version == 7 else None
    except OverflowError:
        return None
