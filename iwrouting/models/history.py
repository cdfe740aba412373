"""The memory of the configuration: a line for each change, and what each row became with it. Insert-only."""

from __future__ import annotations

from django.db import models

from iwrouting.types import ChangeKind, Operation, Via

REASON_LENGTH = 300
MIN_REASON = 5


class Change(models.Model):
    """One line of the change list (ux.md 2, Changes).

    `revision` is empty where no row of the configuration changed: a scheduled change that took effect, another
    environment, break-glass. Such a line has an `event`, under which it stands once; so has what was made under an
    `Idempotency-Key`. `details` is a JSON object.
    """

    at = models.DateTimeField()
    revision = models.BigIntegerField(null=True, unique=True)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ChangeKind])
    author = models.CharField(max_length=200)
    via = models.CharField(max_length=16, choices=[(via.value, via.value) for via in Via])
    reason = models.CharField(max_length=REASON_LENGTH)
    details = models.TextField(default="{}")
    event = models.CharField(max_length=300, null=True, unique=True)  # noqa: DJ001 - only nulls may repeat

    class Meta:
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=["at"], name="iw_change_at")]

    def __str__(self) -> str:
        return f"revision {self.revision}" if self.revision is not None else f"{self.kind} {self.pk}"


class HistoryRow(models.Model):
    """What one row of the configuration became with one revision; in the commit that changed it (design.md 7).

    `object_id` is the row's own key, `name` what people call it. `content` is the whole row as a JSON object with
    other rows by their names, after a delete the last one; `changed` tells `{field: [before, after]}`.
    """

    revision = models.BigIntegerField()
    at = models.DateTimeField()
    object_type = models.CharField(max_length=16)
    object_id = models.BigIntegerField()
    name = models.CharField(max_length=300)
    operation = models.CharField(max_length=8, choices=[(word.value, word.value) for word in Operation])
    content = models.TextField()
    changed = models.TextField(default="{}")

    class Meta:
        ordering = ("-id",)
        verbose_name = "history row"
        constraints = [
            models.UniqueConstraint(fields=["object_type", "object_id", "revision"], name="iw_history_once"),
        ]
        indexes = [
            models.Index(fields=["revision"], name="iw_history_revision"),
            models.Index(fields=["object_type", "name"], name="iw_history_name"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.name} at revision {self.revision}"
