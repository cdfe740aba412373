"""Projects: the tenants."""

from __future__ import annotations

from django.db import models

from iwrouting.models.base import ConfigModel
from iwrouting.models.validators import validate_free_id


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

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Blank external ids are stored as none."""
        self.external_id = self.external_id or None
