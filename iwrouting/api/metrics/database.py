"""What the database knows of the service as a whole: seals, quarantine, default partitions, changes by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from iwrouting.api.metrics.text import Family
from iwrouting.audit.keeping.partitions import default_rows
from iwrouting.models import QuarantinedRow, Revision, Seal, Writer

COUNTED = 10_000
"""Rows in a default partition are counted up to here: there should be none."""

SILENT_FOR = timedelta(days=2)


def families(now: datetime) -> Iterator[Family]:
    """A few small queries. Raises DatabaseError."""
    sealed = Family("iwrouting_audit_last_seal_timestamp_seconds", "gauge", "When the audit was last sealed.")
    at = Seal.objects.order_by("-number").values_list("at", flat=True).first()
    sealed.add(None if at is None else round(at.timestamp(), 3))
    yield sealed
    kept = Family("iwrouting_audit_quarantine_rows", "gauge", "Rows in the quarantine.")
    kept.add(QuarantinedRow.objects.count())
    yield kept
    silent = Family("iwrouting_audit_silent_workers", "gauge", "Workers that ended without a word and await closing.")
    silent.add(
        Writer.objects.filter(
            ended_at=None,
            swept_at=None,
            heartbeat_at__lt=now - timedelta(minutes=1),
            heartbeat_at__gte=now - SILENT_FOR,
        ).count()
    )
    yield silent
    default = Family("iwrouting_audit_default_partition_rows", "gauge", "Rows in a default partition, up to 10000.")
    for table, rows in default_rows(COUNTED).items():
        default.add(rows, table=table)
    yield default
    touched = Family("iwrouting_configuration_changed_by_sql", "gauge", "1: it was changed by SQL, and is not adopted.")
    touched.add(int(Revision.standing().is_touched))
    yield touched
