"""What became of the breakers: one row a transition (design.md 5). Insert-only, kept by their own time."""

from __future__ import annotations

from django.db import models


class BreakerEvent(models.Model):
    """A breaker of one worker went from one state to another. `secret_ref` is a reference, never a key."""

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField()
    writer_id = models.CharField(max_length=36)
    upstream = models.CharField(max_length=64)
    model = models.CharField(max_length=256, blank=True)
    secret_ref = models.CharField(max_length=200, blank=True)
    before = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=64, blank=True)
    open_ms = models.BigIntegerField(null=True)
    decision_id = models.UUIDField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=["upstream", "model", "at"], name="iw_breaker_target")]

    def __str__(self) -> str:
        return f"{self.upstream} {self.model}: {self.before} to {self.state}"
