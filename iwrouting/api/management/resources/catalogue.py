"""Models: what they can do, whether they may be called. Prices: what they cost from a time on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers

from iwrouting.api.management.fields import Choice, Moment
from iwrouting.api.management.resources.bodies import Names, RowBody, RowName, Text
from iwrouting.api.management.resources.filters import Filters, flag, text, times
from iwrouting.api.management.resources.money import PerMillion
from iwrouting.api.management.resources.refusals import refused_field
from iwrouting.api.management.resources.resource import Resource, Switched, check_models
from iwrouting.models import Model, Price, Upstream
from iwrouting.models.prices import PICO_FIELDS
from iwrouting.types import KeyFacts, Sampling
from iwrouting.types.faults import ObjectType


class ModelRow(RowBody):
    """A model as it is stored. `upstream` null: the one that the environment defines."""

    upstream: Any = RowName(Upstream, "slug", required=False, allow_null=True)
    endpoints = Names(help_text='Which of "chat", "responses", "embeddings" it serves.')
    sampling = Choice(Sampling, required=False, help_text="When it takes temperature and the like.")

    class Meta:
        model = Model
        fields = (
            "model_id",
            "upstream",
            "enabled",
            "endpoints",
            "context_window",
            "max_input",
            "max_output",
            "dimensions",
            "input_modalities",
            "reasoning",
            "default_effort",
            "sampling",
            "completion_cap_param",
            "refused_params",
            "efforts",
            "effort_for_tools",
            "hosted_tools",
            "vector_space",
            "shutdown_date",
            "replacement",
            "tier",
            "checked_on",
            "source",
            "created_at",
            "updated_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )


class Models(Switched):
    """Keys for all projects; one with a list of models sees and changes these."""

    called = "catalogue model"
    object_type, path, lookup, body = ObjectType.MODEL, "models", "model_id", ModelRow
    fixed = ("model_id",)
    joined = ("upstream",)
    filters: ClassVar[Filters] = {
        "upstream": text("upstream__slug", "By slug."),
        "enabled": flag("enabled"),
        "tier": text("tier"),
        **times("updated_at"),
    }

    def rows(self, key: KeyFacts) -> QuerySet[Any]:
        """Those of the key's list."""
        rows = super().rows(key)
        return rows if key.allowed_models is None else rows.filter(model_id__in=key.allowed_models)

    def check_row(self, key: KeyFacts, row: Model) -> None:
        """No model beyond the key's list."""
        check_models(key, row.model_id)


class PriceRow(RowBody):
    """A price as it is stored: dollars per 1M tokens, exact. Null: not known."""

    id = serializers.CharField(source="pk", read_only=True)
    valid_from = Moment(required=False, help_text="In force from then on; now unless said. Never in the past.")
    input_usd = PerMillion(source="input_pico", required=False, allow_null=True)
    cached_usd = PerMillion(source="cached_pico", required=False, allow_null=True)
    cache_write_usd = PerMillion(source="cache_write_pico", required=False, allow_null=True)
    output_usd = PerMillion(source="output_pico", required=False, allow_null=True)
    source: Any = Text(required=False, allow_blank=True, max_length=300, help_text="Where it comes from.")

    class Meta:
        model = Price
        fields = (
            "id",
            "model_id",
            "service_tier",
            "above_input_tokens",
            "valid_from",
            "input_usd",
            "cached_usd",
            "cache_write_usd",
            "output_usd",
            "source",
            "version",
            "is_manual",
            "created_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )
        read_only_fields = ("is_manual", "version")
        validators = ()


class Prices(Resource):
    """Dated, never changed: one that was in force stays, one that was not yet can be taken back."""

    called = "price"
    object_type, path, lookup, body = ObjectType.PRICE, "prices", "pk", PriceRow
    filters: ClassVar[Filters] = {
        "model_id": text("model_id"),
        "service_tier": text("service_tier"),
        "is_manual": flag("is_manual"),
        **times("valid_from"),
    }

    def rows(self, key: KeyFacts) -> QuerySet[Any]:
        """Those of the key's models."""
        rows = super().rows(key)
        return rows if key.allowed_models is None else rows.filter(model_id__in=key.allowed_models)

    def make(self, key: KeyFacts, values: Mapping[str, Any]) -> Price:
        """A price that prices_sync leaves as it is. Raises BadRequest for a time that has passed."""
        now = timezone.now()
        since = values.get("valid_from", now)
        if since < now:
            text = "this time has passed, and costs were made with the prices of then: name a later one, or none."
            raise refused_field("valid_from", "passed", text, 400)
        return Price(**{**values, "valid_from": since}, is_manual=True, version=f"edited {now:%Y-%m-%dT%H:%M:%SZ}")

    def check_row(self, key: KeyFacts, row: Price) -> None:
        """No model beyond the key's list, and a price at all."""
        check_models(key, row.model_id)
        if all(getattr(row, name) is None for name in PICO_FIELDS):
            raise refused_field("input_usd", "required", "give at least one price.", 400)

    def named(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        """By its number."""
        return rows.filter(pk=name) if name.isascii() and name.isdigit() and len(name) < 19 else rows.none()
