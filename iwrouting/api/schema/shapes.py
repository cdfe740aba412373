"""Shapes that several answers share. On the lean routes they only describe: no serializer runs there."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from iwrouting.api.management.fields import Choice, OptionalChoice, OptionalText
from iwrouting.types import Skip, Source, State


class Shape(serializers.Serializer[Any]):
    """Base of all shapes."""


class ErrorObject(Shape):
    """OpenAI's error object."""

    message = serializers.CharField(help_text="For people: names the value and the next step.")
    type = serializers.CharField(help_text="Class of the error, such as invalid_request_error.")
    param = OptionalText(help_text="The field or header that is wrong.")
    code = OptionalText(help_text="Stable and machine-readable; listed in docs/api.md.")
    details = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Field errors {field, code, message}; with all_candidates_failed the attempts.",
    )


class ErrorBody(Shape):
    """Every error of every route."""

    error = ErrorObject()


class LadderStepSerializer(Shape):
    """One source that was looked at."""

    source: Any = Choice(Source)
    value = OptionalText(help_text="The model that stands there; null where none does.")
    state = Choice(State)
    ref = serializers.CharField(allow_blank=True, help_text="Where to edit it: override:12, a variable, alias:fast.")


class RungSerializer(Shape):
    """One candidate of a call; number 0 is the primary."""

    rung = serializers.IntegerField()
    alias = OptionalText()
    model = OptionalText()
    source: Any = OptionalChoice(Source)
    upstream = serializers.CharField(allow_blank=True)
    skip = OptionalChoice(Skip, help_text="Why it can't serve; null where it can.")
