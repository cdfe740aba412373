"""The rules that need no database: what this host's own disk, journals and break-glass file say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from iwrouting.alerts.findings import this_host
from iwrouting.audit.journal.segments import MAGIC
from iwrouting.conf import Settings
from iwrouting.snapshot import glass
from iwrouting.snapshot.sealed import Unusable

HEADER_BYTES = 4096
MEGABYTE = 1_000_000


def waiting_bytes(folder: Path) -> int:
    """How many bytes of records stand in the journals of a folder: of its running writers, and of those that died."""
    return sum(_records(path) for path in _journals(folder))


def journal_on_disk(conf: Settings) -> Iterator[tuple[str, str]]:
    """Rows that wait in this host's folder for the database."""
    waiting = waiting_bytes(conf.journals)
    if waiting:
        yield this_host(), f"{waiting:,} bytes of audit rows wait in the journal of {this_host()} for the database."


def disk(conf: Settings) -> Iterator[tuple[str, str]]:
    """Too little room for a journal on this host, or a folder that it can't be written to."""
    folder = next((each for each in (conf.journals, *conf.journals.parents) if each.exists()), Path("/"))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield this_host(), f"The journal's folder of {this_host()}, IW_JOURNAL_DIR, can't be written to."
        return
    free = shutil.disk_usage(folder).free
    if free < conf.alert_disk_mb * MEGABYTE:
        least = f"less than IW_ALERT_DISK_MB={conf.alert_disk_mb}"
        yield this_host(), f"{free // MEGABYTE:,} MB are free for the journal of {this_host()}, {least}."


def break_glass(conf: Settings) -> Iterator[tuple[str, str]]:
    """Overrides that are switched off on this host alone, or a file of them that can't be believed."""
    try:
        held = [each for each in glass.read(conf) if each.holds]
    except (Unusable, OSError) as error:
        why = str(error) if isinstance(error, Unusable) else f"unreadable: {type(error).__name__}"
        yield (
            this_host(),
            f"The break-glass file of {this_host()} is {why}. It is ignored: remove it.",
        )
        return
    if held:
        refs = ", ".join(sorted({each.ref for each in held}))
        since = min(each.at for each in held)
        yield (
            this_host(),
            f"Switched off on {this_host()} alone since {since:%Y-%m-%d %H:%M} UTC, whatever the database says: "
            f"{refs}. Disable it for all, or lift it: manage.py routing_override disable ID --from-snapshot --end.",
        )


def _journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal")) if folder.is_dir() else []


def _records(path: Path) -> int:
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
        size = path.stat().st_size
    except OSError:
        # Drained and removed while we looked.
        return 0
    line, newline, _ = start.removeprefix(MAGIC).partition(b"\n")
    header = len(MAGIC) + len(line) + 1 if start.startswith(MAGIC) and newline else 0
    return max(0, size - header)
