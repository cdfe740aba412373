"""What the audit says of itself: who writes it, what it sealed, what it could not store, what it told people.

`Writer` rows live: each process updates its own. The other three are insert-only.
"""

from __future__ import annotations

from django.db import models


class Writer(models.Model):
    """One writing process. `heartbeat_at` is by the database's clock where it has one.

    `journal_id` names the folder of its journal: whoever shares that folder may adopt it and close what it left open.
    `last_seq` and `chain_hash` are the durable head of its chain when it last told. `key_id` names its audit key,
    `environment_id` the routing variables that it decides under.
    """

    id = models.CharField(primary_key=True, max_length=36)
    host = models.CharField(max_length=128)
    pid = models.IntegerField()
    journal_id = models.CharField(max_length=36, blank=True)
    key_id = models.CharField(max_length=16)
    app_version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    mode = models.CharField(max_length=16)
    queued = models.IntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    chain_hash = models.CharField(max_length=64, blank=True)
    last_commit_at = models.DateTimeField(null=True)
    journal_bytes = models.BigIntegerField(default=0)
    journaled_rows = models.BigIntegerField(default=0)
    quarantined_rows = models.BigIntegerField(default=0)
    dropped_rows = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)
    snapshot_fault = models.CharField(max_length=200, blank=True)
    # Of the database, for processes of the release before, which name no such column.
    environment_id = models.CharField(max_length=16, blank=True, default="", db_default="")

    class Meta:
        ordering = ("-started_at",)
        indexes = [models.Index(fields=["heartbeat_at"], name="iw_writer_heartbeat")]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class QuarantinedRow(models.Model):
    """A row that its table does not take, with the number and the hash that it has in its writer's chain.

    `row` is JSON text, all ASCII, cut where it is too long.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField()
    writer_id = models.CharField(max_length=36)
    writer_seq = models.BigIntegerField(null=True)
    chain_hash = models.CharField(max_length=64, blank=True)
    table_name = models.CharField(max_length=64)
    decision_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=64)
    detail = models.CharField(max_length=300, blank=True)
    row = models.TextField(blank=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=["writer_id", "writer_seq"], name="iw_quarantine_place")]

    def __str__(self) -> str:
        return f"{self.table_name} {self.reason}"


class Seal(models.Model):
    """A link of the chain of seals: every writer's head at a moment, or what retention took away (design.md 6).

    `heads` and `removed` are JSON text, the very bytes that `hash` covers; docs/tamper.md has their form.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    key_id = models.CharField(max_length=16)
    heads = models.TextField(default="[]")
    removed = models.TextField(default="[]")
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"seal {self.number}"


class Alert(models.Model):
    """A rule that began or ceased to hold, and what became of telling people. `state`: `raised`, `again`, `cleared`."""

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField()
    rule = models.CharField(max_length=32)
    subject = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16)
    message = models.CharField(max_length=500)
    told = models.CharField(max_length=64, blank=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=["rule", "subject", "at"], name="iw_alert_rule")]

    def __str__(self) -> str:
        return f"{self.rule} {self.state}"
