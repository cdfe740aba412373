"""Which upstream holds a response that the provider stored, and whose it is (openai-facts.md 5)."""

from __future__ import annotations

from django.db import models


class HeldResponse(models.Model):
    """A response that can be retrieved, cancelled or continued: only where it is held, only for its own project."""

    id = models.UUIDField(primary_key=True, editable=False)
    response_id = models.CharField(max_length=256)
    decision_id = models.UUIDField()
    created_at = models.DateTimeField()
    project = models.CharField(max_length=128, blank=True)
    key_id = models.CharField(max_length=16, blank=True)
    upstream = models.CharField(max_length=64)
    model = models.CharField(max_length=256)
    is_background = models.BooleanField(default=False)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [models.Index(fields=["response_id"], name="iw_held_response")]

    def __str__(self) -> str:
        return self.response_id
