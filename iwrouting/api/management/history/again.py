"""A stored decision, resolved again: as of then, and as of now (design.md 3, G8)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from iwrouting.api.management.decisions import find_decision
from iwrouting.planning.again import Again, again_now, again_then, answer_of
from iwrouting.snapshot import store
from iwrouting.types import KeyFacts


class AgainAnswer(serializers.Serializer[Any]):
    """What resolving it again gives."""

    is_same = serializers.BooleanField(help_text="Whether the answer is the one that is stored.")
    differences = serializers.DictField(
        child=serializers.ListField(), help_text="{field: [as stored, again]} of what differs."
    )
    refusal = serializers.CharField(allow_null=True, help_text="Why there is no answer.")
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="What was not as on the row, and so may be why the two differ."
    )
    revision = serializers.IntegerField(allow_null=True, help_text="Under which it was resolved.")
    environment_id = serializers.CharField(allow_null=True)
    answer = serializers.DictField(allow_null=True, help_text="Model, source, ladder and chain.")


class DecisionAgain(serializers.Serializer[Any]):
    """The same decision twice."""

    decision_id = serializers.UUIDField()
    then = AgainAnswer(help_text="Under the revision, environment, key, features and time that its row records.")
    now = AgainAnswer(help_text="What the same request would get today.")


def read_again(key: KeyFacts, decision_id: str) -> Any:
    """A decision of the key's projects, resolved again. Raises BadRequest or NotFound."""
    decision = find_decision(key, decision_id)
    now = again_now(decision, store.current, datetime.now(UTC))
    return DecisionAgain({"decision_id": decision.id, "then": _told(again_then(decision)), "now": _told(now)}).data


def _told(again: Again) -> dict[str, Any]:
    found = again.resolution
    return {
        "is_same": again.is_same,
        "differences": again.differences,
        "refusal": again.refusal or None,
        "notes": list(again.notes),
        "revision": found.revision if found else None,
        "environment_id": found.environment_id if found else None,
        "answer": answer_of(found) if found else None,
    }
