"""The rules over the audit's keeping, each a query or two: writers, quarantine, snapshot, partitions, seals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from iwrouting.alerts.findings import counted, this_host
from iwrouting.alerts.host import waiting_bytes
from iwrouting.audit.keeping.partitions import default_rows, has_partitions, missing_months
from iwrouting.audit.tamper.seals import HOURLY, MANUAL
from iwrouting.audit.writing.quarantine import WITHDRAWN
from iwrouting.conf import Settings
from iwrouting.models import QuarantinedRow, Revision, Seal, UsageMark, UsageState, Writer
from iwrouting.models.changing import BY_SQL, by_sql

SILENT = timedelta(minutes=15)
"""A sweeper closes what a dead writer left within ten minutes, whatever folder it wrote to."""

BEHIND = timedelta(minutes=1)
SEAL_LATE = timedelta(hours=3)
USAGE_LATE = timedelta(hours=3)


def alive(now: datetime, conf: Settings) -> QuerySet[Writer]:
    """The writers that run now."""
    return Writer.objects.filter(ended_at=None, heartbeat_at__gte=now - timedelta(seconds=conf.writer_dead_s))


def journal_in_use(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Hosts whose writers say that they use their journal or refuse, and this one where its folder holds rows."""
    by_host: dict[str, list[Writer]] = {}
    for writer in alive(now, conf):
        if writer.mode != "database" or writer.journal_bytes:
            by_host.setdefault(writer.host, []).append(writer)
    for host, writers in by_host.items():
        modes = "; ".join(f"{each.pid} in mode {each.mode}, {each.journal_bytes:,} bytes" for each in writers[:5])
        yield host, f"{counted(len(writers), 'writer')} of {host} can't write to the database directly: {modes}."
    waiting = waiting_bytes(conf.journals)
    if waiting and this_host() not in by_host:
        yield this_host(), f"{waiting:,} bytes of audit rows wait in the journal of {this_host()} for the database."


def writer_silent(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Hosts with writers that neither live nor ended nor were swept."""
    since = now - max(SILENT, timedelta(seconds=4 * conf.writer_dead_s))
    silent = Writer.objects.filter(ended_at=None, swept_at=None, heartbeat_at__lt=since)
    for row in silent.values("host").annotate(writers=Count("id"))[:20]:
        yield (
            row["host"],
            f"Silent, and nobody has closed what was left: {counted(row['writers'], 'writer')} of {row['host']}; "
            "start the service there, or see whether its journal's folder is gone.",
        )


def rows_lost(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Hosts whose writers have dropped rows, which must never be."""
    dropped = Writer.objects.filter(dropped_rows__gt=0, heartbeat_at__gte=now - timedelta(days=1))
    for writer in dropped[:20]:
        yield writer.host, f"The writer {writer.pid} of {writer.host} has dropped {writer.dropped_rows:,} audit rows."


def rows_quarantined(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Reasons for which rows came into quarantine within the window; what is withdrawn is of calls that got a 503."""
    since = now - timedelta(seconds=conf.alert_window_s)
    rows = QuarantinedRow.objects.filter(at__gte=since).exclude(reason=WITHDRAWN).order_by()
    for row in rows.values("reason").annotate(rows=Count("id"))[:20]:
        rows_of = counted(row["rows"], "audit row")
        yield row["reason"], f"Put in quarantine, not lost: {rows_of}, because of {row['reason']}."


def snapshot_behind(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Hosts with workers that refuse the configuration, or did not take it up for a minute."""
    newest = Revision.objects.filter(id=1).values("number", "changed_at").first()
    for writer in alive(now, conf):
        if BY_SQL in writer.snapshot_fault:
            continue  # `changed_by_sql` tells it once, not for each worker
        if writer.snapshot_fault:
            yield writer.host, f"The worker {writer.pid} of {writer.host} keeps an old one: {writer.snapshot_fault}"
        elif newest and writer.revision and newest["changed_at"] < now - BEHIND and writer.revision < newest["number"]:
            behind = f"serves revision {writer.revision}, now is {newest['number']}"
            yield writer.host, f"The worker {writer.pid} of {writer.host} {behind}."


def changed_by_sql(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Rows of the configuration that somebody wrote by SQL, and that nobody has adopted or discarded."""
    counter = Revision.standing()
    if counter.is_touched:
        told = by_sql(counter)
        yield "", f"{told[0].upper()}{told[1:]}."


def default_partition(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Tables whose default partition holds rows."""
    for table, rows in default_rows(1).items():
        if rows:
            yield table, f"The default partition of {table} holds rows: manage.py partitions drain empties it."


def months_ahead(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Tables without a partition for this month or the next."""
    for table, month in missing_months(1) if has_partitions() else ():
        yield table, f"{table} has no partition for {month:%Y-%m}: manage.py maintain makes it."


def seal_overdue(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """No seal since three hours although rows were written before that."""
    whole = Seal.objects.filter(kind__in=(HOURLY, MANUAL))
    latest = whole.order_by("-number").values_list("at", flat=True).first()
    if latest and latest > now - SEAL_LATE:
        return
    first = Writer.objects.filter(last_seq__gt=0).order_by("started_at").values_list("started_at", flat=True).first()
    if first and first < now - SEAL_LATE:
        yield (
            "",
            f"The last seal of the audit is of {latest:%Y-%m-%d %H:%M} UTC." if latest else "There is no seal.",
        )


def usage_behind(now: datetime, conf: Settings) -> Iterator[tuple[str, str]]:
    """Workers have run for a while, and none has summed up usage for three hours, though something waits that long."""
    if not alive(now, conf).filter(started_at__lt=now - SILENT).exists():
        return
    late = now - USAGE_LATE
    oldest = UsageMark.objects.order_by("bucket_at").values_list("bucket_at", flat=True).first()
    if oldest and oldest < late and not UsageState.objects.filter(rolled_at__gte=late).exists():
        yield "", f"Usage of {oldest:%Y-%m-%d %H:%M} UTC waits to be summed up. Reports stay right, and grow slow."
