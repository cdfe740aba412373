"""Aliases and the overrides of their models."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from iwrouting.models.base import ConfigModel
from iwrouting.models.projects import Project
from iwrouting.models.validators import validate_alias_name, validate_model_id, validate_names, validate_variable
from iwrouting.types import Kind

DEADLINE = (MinValueValidator(0.1), MaxValueValidator(86_400))


class Alias(ConfigModel):
    """A name that callers ask for instead of a model."""

    name = models.CharField(
        max_length=64, unique=True, validators=[validate_alias_name], help_text="What callers ask for, such as manager."
    )
    kind = models.CharField(
        max_length=16,
        choices=[(kind.value, kind.value.replace("_", " ")) for kind in Kind],
        help_text="Chat mode: users choose it. Role: the backend's own agents ask for it. Embedding: vectors.",
    )
    variable = models.CharField(
        max_length=80,
        blank=True,
        validators=[validate_variable],
        help_text="Environment variable looked at after the overrides and before the default.",
    )
    default_model = models.CharField(
        max_length=128,
        validators=[validate_model_id],
        help_text="Serves when neither an override nor the variable does.",
    )
    infer = models.BooleanField(
        default=True,
        help_text="Only for auto: infer a chat mode from the messages. Off pins auto to its own model.",
    )
    chain = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_names],
        help_text='Fallback rungs after the primary, in order: aliases or model ids, such as ["auto", "fast"].',
    )
    purpose = models.CharField(max_length=300, blank=True, help_text="What it is for.")
    subsystem = models.CharField(
        max_length=16, blank=True, help_text="Section of the model matrix that uses it (4, 5.1-5.7, 7)."
    )
    tier = models.CharField(max_length=16, blank=True, help_text="Cost tier that fits the task: small, mid or strong.")
    deadline_s = models.FloatField(
        null=True,
        blank=True,
        validators=DEADLINE,
        help_text="Seconds for a whole call with its fallbacks. Empty: IW_DEADLINE_S.",
    )
    max_context_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Most tokens of input in one call; more are refused. Empty: the project's, or the deployment's.",
    )

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "aliases"

    def __str__(self) -> str:
        return self.name


class Override(ConfigModel):
    """A model put in the database for an alias: for one project, or for all."""

    alias = models.ForeignKey(
        Alias, on_delete=models.CASCADE, related_name="overrides", help_text="Whose model is replaced."
    )
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="overrides",
        help_text="For this project only. Empty: for all projects.",
    )
    model = models.CharField(max_length=128, validators=[validate_model_id], help_text="The model that serves instead.")
    enabled = models.BooleanField(default=True, help_text="Disabled: kept, but without effect.")
    infer = models.BooleanField(
        default=True,
        help_text="Only for auto: go on inferring while this override is in force. Off pins auto to this model.",
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="In force from then on (UTC). Empty: at once.")
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="No longer in force from then on (UTC). Empty: kept for good."
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Why it exists.")

    class Meta:
        ordering = ("alias__name", "project__slug")
        constraints = [
            models.UniqueConstraint(
                fields=["alias", "project"],
                condition=Q(project__isnull=False),
                name="iwrouting_override_per_project",
                violation_error_message="This project has an override of this alias already: edit that one.",
            ),
            models.UniqueConstraint(
                fields=["alias"],
                condition=Q(project__isnull=True),
                name="iwrouting_override_global",
                violation_error_message="There is a global override of this alias already: edit that one.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(expires_at__isnull=True) | Q(starts_at__lt=F("expires_at")),
                name="iwrouting_override_window",
                violation_error_message="It must start before it expires.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alias} for {self.project or 'all projects'}: {self.model}"
