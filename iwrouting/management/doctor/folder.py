"""The folder of journals and snapshot: writable, roomy, lasting, and what stands in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from iwrouting.audit.journal.journal import left_segments
from iwrouting.audit.journal.segments import JournalFault, waiting_bytes
from iwrouting.conf import Settings
from iwrouting.management.doctor.mounts import why_fleeting
from iwrouting.management.doctor.results import Result, finding, ok, warning
from iwrouting.models import Writer
from iwrouting.snapshot import disk

JOURNAL, SNAPSHOT = "journal_folder", "snapshot"


def check_folder(conf: Settings) -> Iterator[Result]:
    """Whether rows could be kept there while the database is away."""
    folder = conf.journals
    if conf.audit_strict:
        yield ok(JOURNAL, "IW_AUDIT_STRICT: no journal is kept; calls are 503 while the database is away")
    if fault := _write_fault(folder):
        yield finding(JOURNAL, fault, "Make it writable for this user, or name another in IW_JOURNAL_DIR.")
        return
    yield ok(JOURNAL, f"{folder} is writable")
    if why := why_fleeting(folder):
        yield warning(
            JOURNAL,
            f"{folder} would not outlive this process's machine: {why}",
            "Set IW_JOURNAL_DIR to a folder on a volume that lasts, or rows that wait there can be lost.",
        )


def _write_fault(folder: Path) -> str:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, prefix="doctor.", suffix=".tmp") as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{folder} takes no file: {error.strerror or error}"
    return ""


def check_left(conf: Settings) -> Iterator[Result]:
    """Journals that no running writer owns, and those that this release can't read."""
    waiting = 0
    for path in (path for paths in _left(conf).values() for path in paths):
        try:
            waiting += waiting_bytes(path)
        except JournalFault as error:
            yield finding(
                "journals", str(error), "Start the release that wrote it, or keep the file and tell who maintains this."
            )
    if waiting:
        yield warning(
            "journals",
            f"{waiting:,} bytes of audit rows wait in {conf.journals} for the database",
            "Bring the database back and run the service: it stores them. Delete nothing there.",
        )
    else:
        yield ok("journals", "no row waits in a journal")


def check_journal_owners(conf: Settings) -> Iterator[Result]:
    """Journals of writers that the database does not know as running: a worker of this folder takes them up."""
    left = {name for name, paths in _left(conf).items() if any(map(_holds_rows, paths))}
    dead = left - set(Writer.objects.filter(ended_at=None, swept_at=None).values_list("id", flat=True))
    if dead:
        yield warning(
            "journals", f"left by writers that do not run: {', '.join(sorted(dead)[:5])}", "Run the service here."
        )


def _left(conf: Settings) -> dict[str, list[Path]]:
    try:
        return left_segments(conf.journals)
    except OSError:
        return {}  # `check_folder` has told why


def _holds_rows(path: Path) -> bool:
    try:
        return waiting_bytes(path) > 0
    except JournalFault:
        return True


def check_snapshot(conf: Settings) -> Iterator[Result]:
    """Whether a worker could start from the configuration on disk."""
    try:
        kept = disk.read_kept()
        config = disk.usable(kept)
    except disk.SnapshotUnusable as error:
        yield warning(
            SNAPSHOT,
            f"{disk.path()} is {error}: without the database a start has no configuration",
            "A running worker writes it within a minute; see snapshot.disk_fault at /readyz.",
        )
        return
    age = datetime.now(UTC) - kept.confirmed_at
    told = f"revision {config.revision}, {int(age.total_seconds())} s old, written by {kept.app_version}"
    if why := disk.stale_reason(config, datetime.now(UTC)):
        yield warning(SNAPSHOT, f"{told}: it would serve no call", why)
    else:
        yield ok(SNAPSHOT, told)
