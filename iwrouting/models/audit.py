"""The audit: what was decided, each try, how it ended. Insert-only; names are copied as text (design.md 6).

`decision_at` is the time inside the decision's UUIDv7, on all three tables: on PostgreSQL they are partitioned
by it. JSON stands in text columns as the very bytes that are hashed. Times are microseconds or UTC timestamps,
money is integer pico-dollars. Rows are written by `iwrouting.audit`; triggers refuse every change. The foreign
keys have no index of their own: the unique constraints lead with them.
"""

from __future__ import annotations

from django.db import models


class AuditModel(models.Model):
    """What every audit row has. `writer_id` and `writer_seq` number the rows of one writing process."""

    id = models.UUIDField(primary_key=True, editable=False)
    decision_at = models.DateTimeField()
    writer_id = models.CharField(max_length=36)
    writer_seq = models.BigIntegerField()
    chain_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True


class Decision(AuditModel):
    """Who asked for what, what was decided, and under which configuration. Written before any upstream call (G1)."""

    project = models.CharField(max_length=128, blank=True)
    project_external_id = models.CharField(max_length=128, blank=True)
    key_id = models.CharField(max_length=16, blank=True)
    request_id = models.CharField(max_length=128, blank=True)
    run_id = models.CharField(max_length=128, blank=True)
    tags = models.TextField(default="[]")
    client_retry = models.IntegerField(null=True)
    alias = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, blank=True)
    inferred_mode = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    features = models.TextField(default="{}")
    endpoint = models.CharField(max_length=16)
    is_stream = models.BooleanField(default=False)
    is_test = models.BooleanField(default=False)
    model_asked = models.CharField(max_length=256, blank=True)
    model_resolved = models.CharField(max_length=256, blank=True)
    upstream = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=20, blank=True)
    ladder = models.TextField(default="[]")
    chain = models.TextField(default="[]")
    warnings = models.TextField(default="[]")
    revision = models.BigIntegerField()
    environment_id = models.CharField(max_length=16)
    catalogue_version = models.CharField(max_length=32)
    rules_version = models.CharField(max_length=32)
    app_version = models.CharField(max_length=32)
    estimate_tokens = models.BigIntegerField(null=True)
    estimate_source = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ("-decision_at", "-id")
        indexes = [
            models.Index(fields=["project", "decision_at"], name="iw_decision_project"),
            models.Index(fields=["alias", "decision_at"], name="iw_decision_alias"),
            models.Index(fields=["decision_at"], name="iw_decision_at"),
            models.Index(fields=["request_id"], name="iw_decision_request"),
            models.Index(fields=["run_id"], name="iw_decision_run"),
            models.Index(fields=["writer_id", "writer_seq"], name="iw_decision_chain"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Attempt(AuditModel):
    """One try at a rung (`kind` call), or a rung passed over (`kind` skip)."""

    decision = models.ForeignKey(
        Decision, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="attempts"
    )
    seq = models.IntegerField()
    kind = models.CharField(max_length=8)
    rung = models.IntegerField()
    try_number = models.IntegerField(db_column="try")
    batch = models.IntegerField(null=True)
    alias = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=256, blank=True)
    upstream = models.CharField(max_length=64, blank=True)
    endpoint = models.CharField(max_length=16)
    skip_reason = models.CharField(max_length=32, blank=True)
    changes = models.TextField(default="[]")
    sent_at = models.DateTimeField(null=True)
    first_byte_us = models.BigIntegerField(null=True)
    end_us = models.BigIntegerField(null=True)
    status = models.IntegerField(null=True)
    error_type = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_param = models.CharField(max_length=64, blank=True)
    upstream_request_id = models.CharField(max_length=128, blank=True)
    retry_after_ms = models.BigIntegerField(null=True)
    bytes_sent = models.BigIntegerField(null=True)
    bytes_received = models.BigIntegerField(null=True)
    chunks = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("decision_id", "seq")
        constraints = [
            models.UniqueConstraint(fields=["decision", "seq", "decision_at"], name="iw_attempt_seq"),
        ]
        indexes = [
            models.Index(fields=["model", "decision_at"], name="iw_attempt_model"),
            models.Index(fields=["writer_id", "writer_seq"], name="iw_attempt_chain"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.seq} of {self.decision_id}"


class Outcome(AuditModel):
    """How a decision ended. `origin` tells who closed it; readers take `server` over `sweeper`."""

    decision = models.ForeignKey(
        Decision, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="outcomes"
    )
    ended_at = models.DateTimeField()
    origin = models.CharField(max_length=8)
    result = models.CharField(max_length=20)
    status = models.IntegerField(null=True)
    error_type = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_param = models.CharField(max_length=64, blank=True)
    model_served = models.CharField(max_length=256, blank=True)
    upstream_served = models.CharField(max_length=64, blank=True)
    endpoint_served = models.CharField(max_length=16, blank=True)
    calls = models.IntegerField(default=0)
    fallbacks = models.IntegerField(default=0)
    finish_reason = models.CharField(max_length=32, blank=True)
    prompt_tokens = models.BigIntegerField(null=True)
    cached_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    completion_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    tokens_source = models.CharField(max_length=16, blank=True)
    usage = models.TextField(default="{}")
    cost_pico = models.BigIntegerField(null=True)
    cost_state = models.CharField(max_length=16)
    price_version = models.CharField(max_length=64, blank=True)
    latency_us = models.BigIntegerField(null=True)
    first_byte_us = models.BigIntegerField(null=True)
    overhead_us = models.BigIntegerField(null=True)
    bytes_delivered = models.BigIntegerField(null=True)
    chunks_delivered = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-decision_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=["decision", "origin", "decision_at"], name="iw_outcome_origin"),
        ]
        indexes = [
            models.Index(fields=["result", "decision_at"], name="iw_outcome_result"),
            models.Index(fields=["model_served", "decision_at"], name="iw_outcome_model"),
            models.Index(fields=["writer_id", "writer_seq"], name="iw_outcome_chain"),
        ]

    def __str__(self) -> str:
        return f"{self.result} of {self.decision_id}"


class EnvironmentSnapshot(models.Model):
    """The routing variables' effective values under one `environment_id`. Insert-only."""

    id = models.CharField(primary_key=True, max_length=16)
    first_seen_at = models.DateTimeField()
    values = models.TextField(default="{}")

    class Meta:
        ordering = ("-first_seen_at",)

    def __str__(self) -> str:
        return self.id
