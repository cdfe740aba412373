"""The workers' metrics: of the answering one live, of the others as their Writer rows last told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from iwrouting.api.metrics.text import Family, Number
from iwrouting.calls import Service
from iwrouting.models import Writer

MODES = ("database", "journal", "refusing")
SOURCES = ("database", "disk", "builtin")
SILENT = timedelta(minutes=15)
"""After so long without a heartbeat a worker is left out: what became of it, `doctor` and the alerts tell."""
MOST = 500

AUDIT: Mapping[str, tuple[str, str]] = {
    "queue": ("gauge", "Groups of audit rows that wait for a commit."),
    "last_commit_timestamp_seconds": ("gauge", "When the database last took audit rows."),
    "heartbeat_timestamp_seconds": ("gauge", "When the worker last told how it stands."),
    "rows_total": ("counter", "Audit rows that were numbered."),
    "journal_bytes": ("gauge", "Bytes of audit rows that wait in the journal for the database."),
    "journaled_rows_total": ("counter", "Audit rows that went to the journal."),
    "quarantined_rows_total": ("counter", "Audit rows that their table did not take and the quarantine keeps."),
    "dropped_rows_total": ("counter", "Audit rows that were lost: always 0."),
    "not_durable": ("gauge", "1: a commit may not outlive a crash of the database's host."),
}
OWN: Mapping[str, tuple[str, str]] = {
    "iwrouting_snapshot_revision": ("gauge", "Revision of the configuration that serves."),
    "iwrouting_snapshot_age_seconds": ("gauge", "Seconds since it was last known to be the newest."),
    "iwrouting_snapshot_fault": ("gauge", "1: it is not known to be the newest."),
    "iwrouting_snapshot_disk_fault": ("gauge", "1: it is not kept on disk."),
    "iwrouting_break_glass_overrides": ("gauge", "Overrides that are switched off on this host alone."),
    "iwrouting_break_glass_fault": ("gauge", "1: the break-glass file is not believed."),
    "iwrouting_open_calls": ("gauge", "Requests that are being served."),
}


@dataclass(slots=True)
class Worker:
    """One of them: `audit` and `own` have values by the names above; what is not known is not there."""

    id: str
    host: str
    pid: str
    mode: str
    audit: dict[str, Number | None] = field(default_factory=dict)
    own: dict[str, Number | None] = field(default_factory=dict)
    source: str = ""


def live(service: Service, host: str, pid: int, now: datetime) -> Worker:
    """The answering one, as it stands now."""
    state: dict[str, Any] = service.writer.state()
    store = service.store
    return Worker(
        service.writer.id,
        host,
        str(pid),
        state["mode"],
        audit={
            "queue": state["queued"],
            "last_commit_timestamp_seconds": _stamp(state["last_commit_at"]),
            "heartbeat_timestamp_seconds": _stamp(now),
            "rows_total": state["last_seq"],
            "journal_bytes": state["journal_bytes"],
            "journaled_rows_total": state["journaled_rows"],
            "quarantined_rows_total": state["quarantined_rows"],
            "dropped_rows_total": state["dropped_rows"],
            "not_durable": int(bool(state["not_durable"])),
        },
        own={
            "iwrouting_snapshot_revision": store.current.revision,
            "iwrouting_snapshot_age_seconds": store.age_s,
            "iwrouting_snapshot_fault": int(bool(store.fault)),
            "iwrouting_snapshot_disk_fault": int(bool(store.keeper.fault)),
            "iwrouting_break_glass_overrides": len(store.current.glass),
            "iwrouting_break_glass_fault": int(bool(store.glass.fault)),
            "iwrouting_open_calls": len(service.calls) + len(service.going_on),
        },
        source=store.source,
    )


def siblings(now: datetime, *, but: str) -> list[Worker]:
    """The others that run, on this host and elsewhere. Raises DatabaseError."""
    rows = Writer.objects.filter(ended_at=None, swept_at=None, heartbeat_at__gte=now - SILENT).exclude(id=but)
    return [_told(row) for row in rows.order_by("host", "pid", "-started_at")[:MOST]]


def _told(row: Writer) -> Worker:
    return Worker(
        row.id,
        row.host,
        str(row.pid),
        row.mode,
        audit={
            "queue": row.queued,
            "last_commit_timestamp_seconds": _stamp(row.last_commit_at),
            "heartbeat_timestamp_seconds": _stamp(row.heartbeat_at),
            "rows_total": row.last_seq,
            "journal_bytes": row.journal_bytes,
            "journaled_rows_total": row.journaled_rows,
            "quarantined_rows_total": row.quarantined_rows,
            "dropped_rows_total": row.dropped_rows,
        },
        own={
            "iwrouting_snapshot_revision": row.revision,
            "iwrouting_snapshot_fault": int(bool(row.snapshot_fault)),
        },
    )


def families(found: list[Worker]) -> list[Family]:
    """Their families. A process id that was used again within minutes counts once, for the younger."""
    known = {(worker.host, worker.pid): worker for worker in reversed(found)}
    mode = Family("iwrouting_audit_mode", "gauge", "1 for where audit rows go now: database, journal, or refusing.")
    source = Family("iwrouting_snapshot_source", "gauge", "1 for where the configuration was read.")
    audit = {name: Family(f"iwrouting_audit_{name}", *told) for name, told in AUDIT.items()}
    own = {name: Family(name, *told) for name, told in OWN.items()}
    for worker in sorted(known.values(), key=lambda each: (each.host, each.pid)):
        labels = {"host": worker.host, "pid": worker.pid}
        for each in MODES:
            mode.add(int(each == worker.mode), **labels, mode=each)
        for each in SOURCES if worker.source else ():
            source.add(int(each == worker.source), **labels, source=each)
        for name, value in worker.audit.items():
            audit[name].add(value, **labels)
        for name, value in worker.own.items():
            own[name].add(value, **labels)
    return [mode, *audit.values(), *own.values(), source]


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else round(moment.timestamp(), 3)
