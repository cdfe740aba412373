"""What the audit itself says: its keeping, open decisions, retention, and the invariants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, OuterRef

from iwrouting.alerts import standing_findings
from iwrouting.alerts.rules import HOST, KEEPING
from iwrouting.audit.keeping.partitions import default_rows, has_partitions, missing_months
from iwrouting.audit.keeping.tables import kept_from
from iwrouting.conf import Settings
from iwrouting.management.doctor.results import Result, finding, ok, warning
from iwrouting.models import Decision, Outcome, QuarantinedRow, Seal, Writer
from iwrouting.reports.invariants import Invariant, NotChecked, broken, invariants

GRACE = timedelta(days=7)
"""Months leave as a whole, when `maintain` runs."""

NEXT_STEPS = {
    "journal_in_use": "See why the database takes nothing: docs/alerts.md.",
    "writer_silent": "Start the service on that host with its IW_JOURNAL_DIR: it closes what was left.",
    "rows_lost": "Report it: this must never be.",
    "rows_quarantined": "See Quarantined rows in the admin.",
    "snapshot_behind": "Mend what the message names: the former configuration serves.",
    "changed_by_sql": "Look at it with 'manage.py config_adopt --dry-run', then adopt or discard it.",
    "break_glass": "Disable the override in the database, then lift it with '--from-snapshot --end'.",
    "seal_overdue": "Run a worker, or 'manage.py audit_seal'.",
    "usage_behind": "See 'manage.py reporting status'; 'manage.py maintain' says what keeps it.",
    "default_partition": "Run 'manage.py partitions drain'.",
    "months_ahead": "Run 'manage.py maintain'.",
    "disk_low": "Make room, or the folder writable: without journal and database calls are 503.",
}


def check_keeping(conf: Settings) -> Iterator[Result]:
    """What the rules of the alerts find, whether anybody is told by them or not (docs/alerts.md)."""
    found = standing_findings(datetime.now(UTC), conf)
    for each in found:
        yield finding(each.rule, each.message.removesuffix("."), NEXT_STEPS.get(each.rule, "See docs/alerts.md."))
    quiet = sorted({*KEEPING, *HOST} - {each.rule for each in found})
    yield ok("keeping", f"nothing to tell of {', '.join(quiet)}")


def check_writers(conf: Settings) -> Iterator[Result]:
    """Who writes now, and how it stands with seals, quarantine and partitions."""
    since = datetime.now(UTC) - timedelta(seconds=conf.writer_dead_s)
    alive = Writer.objects.filter(ended_at=None, heartbeat_at__gte=since).count()
    if alive:
        yield ok("writers", f"{alive} gave a sign of life within {conf.writer_dead_s:g} s")
    else:
        yield warning("writers", "none gives a sign of life: no worker runs", "Start the service.")
    kept = QuarantinedRow.objects.exclude(reason="withdrawn").count()
    yield ok("quarantine", f"{kept} rows since the beginning")
    seal = Seal.objects.order_by("-number").first()
    yield ok("seal", f"number {seal.number} of {seal.at:%Y-%m-%d %H:%M} UTC" if seal else "none yet")
    if has_partitions():
        rows, missing = sum(default_rows().values()), len(missing_months())
        yield ok("partitions", f"{missing} months ahead are missing, {rows} rows stand in default partitions")


def check_open(conf: Settings) -> Iterator[Result]:
    """Decisions that are open longer than any call may take."""
    longest = timedelta(seconds=conf.deadline_s + conf.stream_total_s + conf.writer_dead_s)
    ended = Outcome.objects.filter(decision_id=OuterRef("pk"))
    old = Decision.objects.filter(decision_at__lt=datetime.now(UTC) - longest).exclude(Exists(ended))
    ids = [str(ident) for ident in old.order_by("decision_at").values_list("pk", flat=True)[:6]]
    if ids:
        more = " and more" if len(ids) > 5 else ""
        yield finding(
            "open_decisions",
            f"open for longer than any call may take: {', '.join(ids[:5])}{more}",
            "A worker of the folder where their writer's journal is closes them as interrupted; see writers.",
        )
    else:
        yield ok("open_decisions", f"none is older than {longest}")


def check_retention(conf: Settings) -> Iterator[Result]:
    """Rows that should have left."""
    if not conf.audit_retention_days:
        yield ok("retention", "IW_AUDIT_RETENTION_DAYS=0: all is kept")
        return
    first = Decision.objects.order_by("decision_at").values_list("decision_at", flat=True).first()
    before = kept_from(conf.audit_retention_days, datetime.now(UTC))
    if first is not None and first.date() < before - GRACE:
        yield warning(
            "retention",
            f"rows of {first:%Y-%m-%d} are there, kept are {conf.audit_retention_days} days",
            "Run 'manage.py maintain' daily.",
        )
    else:
        yield ok("retention", f"{conf.audit_retention_days} days are kept")


def check_invariants(conf: Settings) -> Iterator[Result]:
    """The invariants of the audit, one by one."""
    held = 0
    for each in invariants():
        result = _invariant(each)
        if result is None:
            held += 1
        else:
            yield result
    yield ok("invariants", f"{held} of {len(invariants())} hold")


def _invariant(each: Invariant) -> Result | None:
    try:
        rows = broken(each)
    except NotChecked as error:
        return warning("invariants", str(error), "Run reports/sql/invariants.sql on a replica.")
    if not rows:
        return None
    shown = ", ".join(f"{row.id} ({row.detail})" for row in rows[:3])
    return finding("invariants", f"{each.name}: {shown}{' and more' if len(rows) > 3 else ''}", each.meaning)
