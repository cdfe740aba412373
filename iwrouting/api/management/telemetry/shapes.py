"""The body of the telemetry's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iwrouting.api.management.fields import Moment, OptionalText
from iwrouting.api.management.telemetry.asking import WINDOWS, Asked
from iwrouting.reports.telemetry import Counts, Telemetry, routed


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class Numbers(serializers.Field[Any, Any, Any, Any]):
    """Integers by name."""

    def to_representation(self, value: Mapping[str, int]) -> dict[str, int]:
        """As they are."""
        return dict(value)


class RouteTelemetry(serializers.Serializer[Any]):
    """How often a rule inferred a chat mode."""

    inferred_mode = serializers.CharField()
    rule = serializers.CharField(help_text="The reason, without its numbers.")
    calls = serializers.IntegerField()
    resolves = serializers.IntegerField(help_text="Recorded resolves.")


class FallbackTelemetry(serializers.Serializer[Any]):
    """Calls that went on to another rung."""

    attempts = serializers.IntegerField(help_text="Calls that went on to another rung.")
    successes = serializers.IntegerField(help_text="Calls that another rung answered.")
    rungs = serializers.IntegerField(help_text="Rungs gone on to.")


class Counted(serializers.Serializer[Any]):
    """What became of the calls."""

    calls = serializers.IntegerField()
    resolves = serializers.IntegerField(help_text="Recorded resolves; they are in no other number.")
    errors: Any = serializers.IntegerField(help_text="Ended as error, truncated or interrupted.")
    refused = serializers.IntegerField()
    client_closed = serializers.IntegerField()
    fallback = FallbackTelemetry()


class AliasTelemetry(Counted):
    """The same of one alias."""

    alias = OptionalText(help_text="Null: a model was named.")


class TelemetryAnswer(Counted):
    """Routes by inferred mode and rule, and fallbacks, of the decisions made in a time that have ended."""

    from_ = Moment(help_text="From here on.")
    to = Moment(help_text="Before this.")
    window = serializers.ChoiceField(WINDOWS, allow_null=True, help_text="Null where from was given.")
    reset_at = Moment(allow_null=True, help_text="When this key last reset its telemetry.")
    project = OptionalText(help_text="The project that was asked for.")
    auto_routes = Numbers(help_text="Calls and recorded resolves by inferred mode.")
    reasons = RouteTelemetry(many=True, help_text="The same by rule, in the order in which the rules are tested.")
    aliases = AliasTelemetry(many=True, help_text="Those that were asked for.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields; `from`, which can be no name in Python, by its own, and all that tells the time first."""
        fields = {name.rstrip("_"): field for name, field in super().get_fields().items()}
        first = ("from", "to", "window", "reset_at", "project", "auto_routes", "reasons", "fallback")
        return {name: fields[name] for name in (*first, *(name for name in fields if name not in first))}


def body(asked: Asked, found: Telemetry) -> dict[str, Any]:
    """What an answer is made of."""
    return {
        "from": asked.start,
        "from_": asked.start,
        "to": asked.end,
        "window": asked.window,
        "reset_at": asked.reset_at,
        "project": asked.project,
        "auto_routes": found.modes,
        "reasons": [
            {"inferred_mode": each.inferred_mode, "rule": each.rule, **_of(each.counts, "calls", "resolves")}
            for each in found.routes
        ],
        **_counts(found.totals),
        "aliases": [{"alias": alias, **_counts(counts)} for alias, counts in found.aliases if routed(counts)],
    }


def _counts(counts: Counts) -> dict[str, Any]:
    fallback = {
        "attempts": counts["calls_with_fallback"],
        "successes": counts["served_by_fallback"],
        "rungs": counts["fallbacks"],
    }
    return {**_of(counts, "calls", "resolves", "errors", "refused", "client_closed"), "fallback": fallback}


def _of(counts: Counts, *names: str) -> dict[str, int]:
    return {name: counts[name] for name in names}
