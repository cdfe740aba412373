"""Runs of the Autopilot: what each has used of its tokens, what is reserved, and who raised its limit (design.md 5)."""

from __future__ import annotations

from django.db import models


class Run(models.Model):
    """One run of one project. `limit_tokens`: an operator's limit for this run alone; null: the project's.

    `used_tokens` is what its ended calls took; reservations of calls under way stand beside it.
    """

    project = models.CharField(max_length=128, blank=True)
    run_id = models.CharField(max_length=128)
    limit_tokens = models.BigIntegerField(null=True)
    used_tokens = models.BigIntegerField(default=0)
    refused_calls = models.BigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering = ("-last_seen_at",)
        constraints = [models.UniqueConstraint(fields=["project", "run_id"], name="iw_run")]

    def __str__(self) -> str:
        return self.run_id


class RunReservation(models.Model):
    """Tokens set aside for a call under way. One past `expires_at` was left behind by a killed process."""

    decision_id = models.UUIDField(primary_key=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="reservations")
    tokens = models.BigIntegerField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tokens} for {self.decision_id}"


class RunRaise(models.Model):
    """An operator gave a run another limit. Insert-only."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="raises")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    via = models.CharField(max_length=16)
    reason = models.CharField(max_length=300)
    before_tokens = models.BigIntegerField(null=True)
    after_tokens = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.run}: {self.before_tokens} to {self.after_tokens}"
