"""Runs of the Autopilot: what each has used of its tokens, what is reserved, and who raised its limit (design.md 5)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models import OuterRef, Subquery, Sum
from django.utils import timezone

from iwrouting.conf import settings
from iwrouting.models.projects import Project

MOST_TOKENS = 10**15
REASON_LENGTH = 5


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

    def limit(self) -> tuple[int | None, str]:
        """The tokens that it may take, and who says so; None where nobody does."""
        if self.limit_tokens is not None:
            return self.limit_tokens, "raised by an operator"
        projects = (
            Project.objects.using(self._state.db).filter(slug=self.project).values_list("max_run_tokens", flat=True)
        )
        project = vars(self)["project_limit"] if "project_limit" in vars(self) else projects.first()
        if project is not None:
            return project, f"the project '{self.project}'"
        return settings().autopilot_max_tokens_per_run, "AUTOPILOT_MAX_TOKENS_PER_RUN"

    def reserved(self) -> int:
        """What calls have set aside that did not settle: those under way, and what killed processes left behind."""
        return int(self.reservations.aggregate(tokens=Sum("tokens"))["tokens"] or 0)

    def left_behind(self) -> int:
        """What of it was left behind. It stays counted: such a call may have been billed, for what nobody knows."""
        expired = self.reservations.filter(expires_at__lte=timezone.now())
        return int(expired.aggregate(tokens=Sum("tokens"))["tokens"] or 0)

    def raise_limit(
        self, *, reason: str, by: str, via: str, to: int | None = None, more: int | None = None
    ) -> RunRaise:
        """Give this run alone a higher limit: `to` so many tokens, or `more` than now. Recorded in the same commit.

        Raises ValidationError, by field, for a limit that is no higher, and for a reason that says nothing.
        """
        using = router.db_for_write(Run, instance=self)
        with transaction.atomic(using=using):
            run = Run.objects.using(using).select_for_update().get(pk=self.pk)
            before = run.limit()[0]
            after = (before or 0) + more if more is not None else to
            _check_raise(before, after, reason.strip())
            Run.objects.using(using).filter(pk=run.pk).update(limit_tokens=after)
            self.limit_tokens = after
            return RunRaise.objects.using(using).create(
                run=run,
                at=timezone.now(),
                by=by,
                via=via,
                reason=reason.strip(),
                before_tokens=before,
                after_tokens=after,
            )


def _check_raise(before: int | None, after: int | None, reason: str) -> None:
    faults: dict[str, str] = {}
    if before is None:
        faults["tokens"] = "This run has no limit: neither its project nor AUTOPILOT_MAX_TOKENS_PER_RUN sets one."
    elif after is None or not before < after <= MOST_TOKENS:
        faults["tokens"] = f"{after} tokens: must be more than the limit now, {before}, and at most {MOST_TOKENS}."
    if not REASON_LENGTH <= len(reason) <= 300:
        faults["reason"] = f"Say in {REASON_LENGTH} to 300 characters why."
    if faults:
        raise ValidationError(faults)


def with_budget(rows: models.QuerySet[Run]) -> models.QuerySet[Run]:
    """Runs with what is set aside and not settled as `reserved_tokens`, null for nothing, and `project_limit`."""
    limits = Project.objects.filter(slug=OuterRef("project")).values("max_run_tokens")
    return rows.annotate(reserved_tokens=Sum("reservations__tokens"), project_limit=Subquery(limits))


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
