"""Projects: the tenants."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models

from iwrouting.models.base import ConfigModel
from iwrouting.models.validators import refuse_other_case, validate_free_id


class Project(ConfigModel):
    """A tenant: overrides, keys, limits and reports are per project."""

    slug = models.SlugField(
        max_length=64,
        unique=True,
        help_text="Short name in reports and headers, such as atlas. Stays with its decisions.",
    )
    name = models.CharField(max_length=200, blank=True, help_text="Name shown to people.")
    external_id = models.CharField(
        max_length=128,
        unique=True,
        null=True,
        blank=True,
        validators=[validate_free_id],
        help_text="InfinityWindow's own id of the project; callers may send it as x-iw-project.",
    )
    owner = models.CharField(max_length=200, blank=True, help_text="Who answers for it.")
    enabled = models.BooleanField(default=True, help_text="Disabled: its calls are refused with 403.")
    strict_parameters = models.BooleanField(
        default=False,
        help_text="On: a request that a model can't take as it stands is refused, where it would be adapted.",
    )
    max_context_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Most tokens of input in one call; more are refused. Empty: MAX_CONTEXT_TOKENS_PER_CALL.",
    )
    max_run_tokens = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Most tokens of all calls of one run. Empty: AUTOPILOT_MAX_TOKENS_PER_RUN.",
    )

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Blank external ids are stored as none; no slug may differ from another by letter case alone."""
        self.external_id = self.external_id or None
        if self._state.adding:
            refuse_other_case(self, self.slug)
