"""How values stand in answers: times, money and stored JSON (ux.md 3, Types)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iwrouting.pricing import dollars
from iwrouting.snapshot.moments import moment_text


class Moment(serializers.DateTimeField):
    """A time, by `moment_text`; in requests RFC 3339 with its zone."""

    def to_internal_value(self, value: Any) -> datetime:
        """The time in UTC. Raises ValidationError."""
        try:
            found = datetime.fromisoformat(value)
            if found.tzinfo is not None:
                return found.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            pass
        raise serializers.ValidationError("Give a time with its zone, such as 2026-11-01T00:00:00Z.", code="invalid")

    def to_representation(self, value: Any) -> str:
        """Text."""
        return moment_text(value)


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["0.0042"]})
class Dollars(serializers.Field[int, Any, str, Any]):
    """Money, by `dollars`, of an attribute in pico-dollars."""

    def to_representation(self, value: int) -> str:
        """Text."""
        return dollars(value)


@extend_schema_field({"type": "number", "examples": [812.4]})
class Milliseconds(serializers.Field[int, Any, float, Any]):
    """A duration in milliseconds, of an attribute in microseconds."""

    def to_representation(self, value: int) -> float:
        """A number."""
        return value / 1000


class OptionalText(serializers.CharField):
    """Text; null where it is blank."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_representation(self, value: Any) -> str | None:  # type: ignore[override] # null is what this field is for
        """Text or None."""
        return value or None


class Choice(serializers.ChoiceField):
    """One of the words of an enumeration."""

    def __init__(self, words: type[StrEnum], **options: Any) -> None:
        # With the names, by which the generator knows the enumeration again.
        super().__init__([(word.value, word.name) for word in words], **options)


class OptionalChoice(Choice):
    """The same; null where it is blank."""

    def __init__(self, words: type[StrEnum], **options: Any) -> None:
        super().__init__(words, allow_null=True, **options)

    def to_representation(self, value: Any) -> Any:
        """A word or None."""
        return value or None


class StoredJson(serializers.Field[str, Any, Any, Any]):
    """What a text column holds as JSON."""

    def to_representation(self, value: str) -> Any:
        """Parsed."""
        return json.loads(value)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class StoredNames(StoredJson):
    """A list of texts."""


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class StoredNumbers(StoredJson):
    """Integers by name."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class StoredObject(StoredJson):
    """An object as the provider reported it."""
