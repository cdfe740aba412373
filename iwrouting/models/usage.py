"""What the audit sums up to: cells of counts by quarter of an hour, hour and day, and which of them are behind.

Quarters of an hour, because every time zone's offset is a whole number of them (since 1972): the day of any zone is
a sum of cells (faults.md T21). All sums are integers. `iwrouting.reports.usage` keeps and reads them.
"""

from __future__ import annotations

from enum import StrEnum

from django.db import models

QUARTER, HOUR, DAY = 15, 60, 1440
"""The widths of cells, in minutes."""


class Label(StrEnum):
    """What callers name a call by: one run, any number of tags."""

    RUN = "run"
    TAG = "tag"


class Counts(models.Model):
    """The measures of a cell: sums over the ended decisions in it. Null: none of them reported it.

    `calls`: those that are calls of their own; the usage of a background call has a decision of its own beside it, and
    `decisions` counts both. `resolves`: recorded resolves, which count in nothing else. Looks at stored responses
    count nowhere. `timed`, `timed_first_byte`: the calls behind the sums of milliseconds.
    """

    decisions = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)
    resolves = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    client_closed = models.BigIntegerField(default=0)
    streams = models.BigIntegerField(default=0)
    attempts = models.BigIntegerField(default=0)
    fallbacks = models.BigIntegerField(default=0)
    calls_with_fallback = models.BigIntegerField(default=0)
    served_by_fallback = models.BigIntegerField(default=0)
    unpriced = models.BigIntegerField(default=0)
    estimated = models.BigIntegerField(default=0)
    timed = models.BigIntegerField(default=0)
    timed_first_byte = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(null=True)
    cached_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    completion_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    cost_pico = models.BigIntegerField(null=True)
    latency_ms = models.BigIntegerField(null=True)
    first_byte_ms = models.BigIntegerField(null=True)
    overhead_ms = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


MEASURES = tuple(field.name for field in Counts._meta.fields)
"""All of them, in the order of the columns. Each is summed as it is."""


class UsageCell(Counts):
    """The counts of one bucket of time and one combination of the dimensions. `width` in minutes, `bucket_at` UTC."""

    width = models.PositiveSmallIntegerField()
    bucket_at = models.DateTimeField()
    project = models.CharField(max_length=128, blank=True)
    alias = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, blank=True)
    inferred_mode = models.CharField(max_length=64, blank=True)
    rule = models.CharField(max_length=64, blank=True)
    model_served = models.CharField(max_length=256, blank=True)
    upstream = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=20, blank=True)
    key_id = models.CharField(max_length=16, blank=True)
    endpoint = models.CharField(max_length=16)
    is_test = models.BooleanField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["width", "bucket_at"], name="iw_usagecell_bucket")]

    def __str__(self) -> str:
        return f"{self.project} {self.alias} at {self.bucket_at:%Y-%m-%d %H:%M}"


class LabelCell(Counts):
    """The counts of one bucket of time and one run or tag of a project. A call counts in each of its tags."""

    width = models.PositiveSmallIntegerField()
    bucket_at = models.DateTimeField()
    label_kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in Label])
    label = models.CharField(max_length=128)
    project = models.CharField(max_length=128, blank=True)
    is_test = models.BooleanField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["width", "label_kind", "bucket_at"], name="iw_labelcell_bucket")]

    def __str__(self) -> str:
        return f"{self.label_kind} {self.label} at {self.bucket_at:%Y-%m-%d %H:%M}"


DIMENSIONS = tuple(
    name
    for name in (field.name for field in UsageCell._meta.local_fields)
    if name not in {"id", "width", "bucket_at", *MEASURES}
)
LABEL_DIMENSIONS = ("label_kind", "label", "project", "is_test")


class UsageMark(models.Model):
    """A quarter of an hour that has rows which its cells lack. Triggers write it in the transaction of the rows.

    So cells without a mark and raw rows of the marked quarters are together always what the raw rows are. A quarter
    may have several marks.
    """

    bucket_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["bucket_at"], name="iw_usagemark_bucket")]

    def __str__(self) -> str:
        return f"{self.bucket_at:%Y-%m-%d %H:%M}"


class UsageState(models.Model):
    """One row, locked by whoever rolls up. `raw_from`: retention has removed what was decided before it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    rolled_at = models.DateTimeField(null=True)
    raw_from = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"rolled up at {self.rolled_at}"


class TelemetryMarker(models.Model):
    """From when on a caller wants its telemetry counted: the time at which its key last reset it."""

    key_id = models.CharField(primary_key=True, max_length=16)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key_id} from {self.at}"
