"""What can serve a call: upstreams, and the models behind them."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from iwrouting.conf import settings
from iwrouting.conf.addresses import url_fault
from iwrouting.conf.environment import secret_ref_fault
from iwrouting.models.base import ConfigModel
from iwrouting.models.model_faults import model_faults
from iwrouting.models.validators import refuse_other_case, validate_model_id, validate_names
from iwrouting.types import Sampling

SECONDS = (MinValueValidator(0.1), MaxValueValidator(3600))


def validate_secret_ref(value: str) -> None:
    """Only the references of design.md 9.5."""
    if fault := secret_ref_fault(value):
        raise ValidationError(f"The reference {fault}.")


def validate_base_url(value: str) -> None:
    """A public http or https URL; private, link-local and metadata addresses are refused (design.md 9.5)."""
    if fault := url_fault(value, allow_private=settings().allow_private_upstreams):
        raise ValidationError(fault)


class Upstream(ConfigModel):
    """An OpenAI-compatible endpoint beside the one that the environment defines."""

    slug = models.SlugField(max_length=64, unique=True, help_text="Short name in the audit, such as openai-eu.")
    base_url = models.CharField(
        max_length=500,
        validators=[validate_base_url],
        help_text="Root of its API, with /v1. Changing it clears the secret reference.",
    )
    secret_ref = models.CharField(
        max_length=200,
        blank=True,
        validators=[validate_secret_ref],
        help_text="Where its key is: env:IW_UPSTREAM_<NAME>, env:OPENAI_API_KEY or file:<name>. Never the key itself.",
    )
    connect_timeout_s = models.FloatField(default=5, validators=SECONDS, help_text="Seconds to connect.")
    first_byte_timeout_s = models.FloatField(default=120, validators=SECONDS, help_text="Seconds until the first byte.")
    idle_timeout_s = models.FloatField(
        default=60, validators=SECONDS, help_text="Seconds between two pieces of a stream."
    )
    enabled = models.BooleanField(default=True, help_text="Disabled: its models are passed over.")

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Refuse the names of the environment's upstream: one name may not mean two."""
        if self.slug and self.slug in {"environment", "openai", "sandbox", settings().upstream_name}:
            raise ValidationError({"slug": f"{self.slug!r} is the name of an upstream that the environment defines."})
        if self._state.adding:
            refuse_other_case(self, self.slug)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new base URL clears the secret reference unless that was changed with it (design.md 9.5)."""
        stored = type(self).objects.using(kwargs.get("using"))
        before = stored.filter(pk=self.pk).values("base_url", "secret_ref").first()
        if before and before["base_url"] != self.base_url and before["secret_ref"] == self.secret_ref:
            self.secret_ref = ""
        super().save(*args, **kwargs)


class Model(ConfigModel):
    """A provider's model: what it can do, and when it ends. First filled from the catalogue file."""

    model_id = models.CharField(
        "model id",
        max_length=128,
        unique=True,
        validators=[validate_model_id],
        help_text="The provider's id, as sent to it.",
    )
    upstream = models.ForeignKey(
        Upstream,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="Where it is served. Empty: the upstream that the environment defines.",
    )
    enabled = models.BooleanField(
        default=True, help_text="Kill switch: disabled, no call reaches it within a second or two; chains pass it over."
    )
    endpoints = models.JSONField(
        default=list, validators=[validate_names], help_text='Which of "chat", "responses", "embeddings" it serves.'
    )
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens, input and output together.")
    max_input = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens of input.")
    max_output = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens of output.")
    dimensions = models.PositiveIntegerField(null=True, blank=True, help_text="Width of its vectors (embeddings).")
    input_modalities = models.JSONField(default=list, blank=True, help_text='What it reads, such as ["text", "image"].')
    reasoning = models.BooleanField(default=False, help_text="Whether it thinks before it answers.")
    default_effort = models.CharField(max_length=16, blank=True, help_text="Its reasoning effort when none is asked.")
    sampling = models.CharField(
        max_length=16,
        choices=[(rule.value, rule.value) for rule in Sampling],
        default=Sampling.ANY.value,
        help_text="When it takes temperature and the like: always, only with effort none, or never (then dropped).",
    )
    completion_cap_param = models.CharField(
        max_length=32,
        choices=[("max_tokens", "max_tokens"), ("max_completion_tokens", "max_completion_tokens")],
        default="max_tokens",
        help_text="What it calls the cap of a chat answer; max_tokens is renamed where needed.",
    )
    refused_params = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_names],
        help_text="Request parameters that it refuses, such as stop: dropped and recorded.",
    )
    efforts = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_names],
        help_text="Reasoning efforts that it takes, lowest first. Empty: not known.",
    )
    effort_for_tools = models.CharField(
        max_length=16,
        blank=True,
        help_text="The only reasoning effort with which it takes function tools on chat. Empty: any.",
    )
    hosted_tools = models.JSONField(
        null=True,
        blank=True,
        validators=[validate_names],
        help_text="The provider's own tools that it takes on responses. Empty: not known.",
    )
    vector_space = models.CharField(
        max_length=128,
        blank=True,
        help_text="Vectors of models with the same space may stand in one store (embeddings).",
    )
    shutdown_date = models.DateField(null=True, blank=True, help_text="The provider's shutdown date (UTC).")
    replacement = models.CharField(max_length=128, blank=True, help_text="What the provider names in its place.")
    tier = models.CharField(max_length=16, blank=True, help_text="Cost tier: small, mid or strong.")
    checked_on = models.DateField(null=True, blank=True, help_text="When these facts were last checked.")
    source = models.CharField(max_length=300, blank=True, help_text="Where these facts come from.")

    class Meta:
        ordering = ("model_id",)

    def __str__(self) -> str:
        return self.model_id

    def clean(self) -> None:
        """Refuse what can't be true, such as an endpoint that does not exist."""
        if faults := model_faults(self):
            raise ValidationError(faults)


def model_users(using: str | None = None) -> dict[str, dict[str, None]]:
    """Alias names by the model that they name as default, in their chain or in an override; each once, in order."""
    # These stand above models in the import order of this package.
    aliases, overrides = (apps.get_model("iwrouting", name)._default_manager for name in ("Alias", "Override"))
    users: dict[str, dict[str, None]] = {}
    for name, default, chain in aliases.using(using).values_list("name", "default_model", "chain"):
        for model in (default, *chain):
            users.setdefault(model, {})[name] = None
    for model, name in overrides.using(using).values_list("model", "alias__name"):
        users.setdefault(model, {})[name] = None
    return users
