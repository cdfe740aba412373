"""What a model costs, since when: dated rows that are superseded and never changed once they were in force (G7)."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, router
from django.utils import timezone

from iwrouting.models.base import ConfigModel
from iwrouting.models.validators import validate_model_id
from iwrouting.types import DEFAULT_TIER, PriceFacts

PICO_FIELDS = ("input_pico", "cached_pico", "cache_write_pico", "output_pico")
MOST_PICO = 10**12
"""A dollar a token: a price above it is a slip."""

validate_service_tier = RegexValidator(
    re.compile(r"\A[a-z][a-z0-9_-]{0,15}\Z"),
    "Enter a service tier as the provider reports it, such as default, flex or priority.",
)


def _pico_field(name: str, help_text: str) -> models.BigIntegerField[Any, Any]:
    return models.BigIntegerField(
        name,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MOST_PICO)],
        help_text=help_text,
    )


class Price(ConfigModel):
    """The price of one model, service tier and threshold of input from a moment on, until the next such row."""

    model_id = models.CharField(
        "model id",
        max_length=128,
        validators=[validate_model_id],
        help_text="The model that it is the price of, by the provider's id.",
    )
    service_tier = models.CharField(
        max_length=16,
        default=DEFAULT_TIER,
        validators=[validate_service_tier],
        help_text="The tier that the provider reports: default, flex, priority. A tier without a price is unpriced.",
    )
    above_input_tokens = models.PositiveIntegerField(
        default=0,
        help_text="0: the base price. Else the price of a whole call with more tokens of input than this.",
    )
    valid_from = models.DateTimeField(help_text="In force from this time on (UTC), until the next price of its kind.")
    input_pico = _pico_field("input price", "Pico-dollars a token; 1,000,000 is one dollar per 1M tokens.")
    cached_pico = _pico_field("cached input price", "Pico-dollars a token of input that was read from a cache.")
    cache_write_pico = _pico_field("cache write price", "Pico-dollars a token of input that was written to a cache.")
    output_pico = _pico_field("output price", "Pico-dollars a token of output, reasoning included.")
    source = models.CharField(max_length=300, blank=True, help_text="Where it comes from.")
    version = models.CharField(max_length=32, blank=True, help_text="Stored with every cost made with it.")
    is_manual = models.BooleanField(
        "manual", default=False, help_text="Set by an operator: prices_sync reports it and leaves it as it is."
    )

    class Meta:
        ordering = ("model_id", "service_tier", "above_input_tokens", "-valid_from")
        constraints = (
            models.UniqueConstraint(
                fields=("model_id", "service_tier", "above_input_tokens", "valid_from"), name="iw_price_key"
            ),
            *(
                models.CheckConstraint(condition=models.Q(**{f"{name}__gte": 0}), name=f"iw_price_{name}")
                for name in PICO_FIELDS
            ),
        )

    def __str__(self) -> str:
        above = f" above {self.above_input_tokens:,} input tokens" if self.above_input_tokens else ""
        return f"{self.model_id} {self.service_tier}{above} from {self.valid_from:%Y-%m-%d %H:%M:%S}"

    @property
    def facts(self) -> PriceFacts:
        """The price as costs are made with it."""
        return PriceFacts(
            input_pico=self.input_pico,
            cached_pico=self.cached_pico,
            cache_write_pico=self.cache_write_pico,
            output_pico=self.output_pico,
            version=self.version,
            valid_from=self.valid_from,
            service_tier=self.service_tier,
            above_input_tokens=self.above_input_tokens,
        )

    @property
    def is_scheduled(self) -> bool:
        """Whether its time has not come yet: only then may it be changed or deleted."""
        return self.valid_from > timezone.now()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save. Raises ValidationError for a row that is or was in force: costs were made with it."""
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        if fault := self.delete_fault(using):
            raise ValidationError(fault)
        super().save(*args, **kwargs)

    def delete_fault(self, using: str | None = None) -> str:
        """A price that is or was in force stays: costs were made with it."""
        stored = type(self).objects.using(using).filter(pk=self.pk).first() if self.pk else None
        if stored is None or stored.is_scheduled:
            return ""
        return f"The price {stored} is or was in force: add a price with a later time instead."
