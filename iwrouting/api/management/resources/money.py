"""Prices as JSON: exact decimal text in dollars per 1M tokens, stored as whole pico-dollars a token."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iwrouting.pricing import dollars

PER_MILLION = 1_000_000
FORM = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


@extend_schema_field({"type": "string", "pattern": r"^\d+(\.\d+)?$", "examples": ["0.4"]})
class PerMillion(serializers.Field[int, Any, str, Any]):
    """A price; its attribute is in pico-dollars a token."""

    def to_representation(self, value: int) -> str:
        """Text."""
        return dollars(value * PER_MILLION)

    def to_internal_value(self, data: Any) -> int:
        """Pico-dollars a token. Raises ValidationError for what can't be stored exactly."""
        if not isinstance(data, str) or not FORM.fullmatch(data):
            text = 'Give dollars per 1M tokens as a text such as "0.4", with at most 6 decimals.'
            raise serializers.ValidationError(text, code="invalid")
        return int(Decimal(data) * PER_MILLION)
