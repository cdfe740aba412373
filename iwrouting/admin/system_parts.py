"""The parts of the System page: workers, this process, seals, partitions, retention, tokenizers, database."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import django
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from django.utils.html import format_html

from iwrouting import __version__, catalogue
from iwrouting.admin.decision_page import Pairs, Table
from iwrouting.admin.show import NOTHING, admin_url, badge, link, megabytes, moment, number
from iwrouting.admin.writers import STATES, count_badge, lag, mode_badge, process, state_of
from iwrouting.alerts.findings import this_host
from iwrouting.alerts.host import waiting_bytes
from iwrouting.audit.keeping.partitions import attached, default_rows, has_partitions
from iwrouting.audit.keeping.tables import TABLES, first_of_month, kept_from
from iwrouting.audit.tamper.seals import REMOVAL
from iwrouting.conf import settings
from iwrouting.models import Revision, Seal, Writer
from iwrouting.snapshot import store
from iwrouting.tokens.files import states, tokenizers_dir

SHOWN_AFTER_END = timedelta(hours=1)
MOST_WORKERS = 50
WORKERS = (
    "Process", "State", "Mode", "Queue", "Last commit (UTC)", "Heartbeat (UTC)", "Journal", "Quarantined", "Drops",
    "Revision", "Version",
)  # fmt: skip
DURABILITY = ("synchronous_commit", "fsync", "full_page_writes")
FILE_TONES = {"good": "good", "missing": "warn", "damaged": "bad"}


def workers(now: datetime) -> Table:
    """Each writing process that runs, is silent, or ended within the hour."""
    newest = Revision.current()
    shown = Writer.objects.exclude(ended_at__lt=now - SHOWN_AFTER_END).exclude(swept_at__lt=now - SHOWN_AFTER_END)
    rows = [_worker(each, now, newest) for each in shown[:MOST_WORKERS]]
    return Table("Workers", WORKERS, rows, "No process has written within the hour.")


def _worker(writer: Writer, now: datetime, newest: int) -> tuple[Any, ...]:
    state = state_of(writer, now)
    return (
        format_html('<a href="{}">{}</a>', admin_url("writer", "change", writer.pk), process(writer)),
        badge(state, STATES[state]),
        mode_badge(writer),
        number(writer.queued),
        moment(writer.last_commit_at),
        moment(writer.heartbeat_at),
        megabytes(writer.journal_bytes),
        count_badge(writer.quarantined_rows, "warn"),
        count_badge(writer.dropped_rows, "bad"),
        lag(writer, newest),
        writer.app_version,
    )


def this_process() -> Pairs:
    """The process that makes the page."""
    age = store.age_s
    folder = settings().journals
    pairs: list[tuple[str, Any]] = [
        ("Process", f"{this_host()}:{os.getpid()}"),
        ("iwrouting", __version__),
        ("Python / Django", f"{platform.python_version()} / {django.get_version()}"),
        ("Catalogue", catalogue.version()),
        ("Snapshot", f"revision {store.current.revision}, from {store.source}"),
        ("Last confirmed", NOTHING if age is None else f"{age:.0f} s ago"),
        ("Snapshot's fault", badge(store.fault, "bad") if store.fault else "none"),
        ("Snapshot on disk", badge(store.keeper.fault, "warn") if store.keeper.fault else "in order"),
        ("Journal's folder", str(folder)),
        ("Waits in the folder", megabytes(waiting_bytes(folder))),
    ]
    return Pairs("This process", pairs)


def database() -> Pairs:
    """Which database, and whether a commit outlives a crash of its host."""
    given = django_settings.DATABASES["default"]
    where = given["NAME"] if connection.vendor == "sqlite" else f"{given['NAME']} at {given.get('HOST') or 'a socket'}"
    pairs: list[tuple[str, Any]] = [
        ("Kind", f"{connection.display_name} {_version()}"),
        ("Name", str(where)),
        *((name, value) for name, value in _durability()),
    ]
    return Pairs("Database", pairs)


def _version() -> str:
    return ".".join(map(str, connection.get_database_version()))


def _durability() -> list[tuple[str, Any]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DURABILITY)])
            found = dict(cursor.fetchall())
            return [(name, badge(found[name], "bad" if found[name] == "off" else "good")) for name in DURABILITY]
        cursor.execute("PRAGMA journal_mode")
        mode = str(cursor.fetchone()[0])
        cursor.execute("PRAGMA synchronous")
        synchronous = int(cursor.fetchone()[0])
    durable = badge("FULL", "good") if synchronous >= 2 else badge("commits may be lost", "bad")
    return [("Journal mode", mode), ("Synchronous", durable), ("Size", _file_size())]


def _file_size() -> str:
    path = Path(str(django_settings.DATABASES["default"]["NAME"]))
    return megabytes(path.stat().st_size) if path.is_file() else "in memory"


def seals(now: datetime) -> Pairs:
    """The last seal, and whether the next is overdue."""
    last = Seal.objects.order_by("-number").first()
    if last is None:
        return Pairs("Seals", [("Last seal", "none yet: workers make one each hour")])
    pairs: list[tuple[str, Any]] = [
        ("Last seal", link(admin_url("seal", "change", last.pk), f"number {last.number}, {last.kind}")),
        ("Made (UTC)", moment(last.at)),
        ("Hash", last.hash),
        ("Key", last.key_id),
        ("Check", "manage.py audit_verify"),
    ]
    return Pairs("Seals", pairs)


def retention(now: datetime) -> Pairs:
    """How long the audit is kept, and when something last left."""
    days = settings().audit_retention_days
    removed = Seal.objects.filter(kind=REMOVAL).order_by("-number").first()
    last = link(admin_url("seal", "change", removed.pk), f"seal {removed.number}") if removed else "never yet"
    pairs: list[tuple[str, Any]] = [
        ("Kept for", f"{number(days)} days (IW_AUDIT_RETENTION_DAYS)" if days else "ever (IW_AUDIT_RETENTION_DAYS=0)"),
        ("Maintenance removes", f"the months before {kept_from(days, now):%Y-%m}" if days else "nothing"),
        ("Last removal", last),
        ("At (UTC)", moment(removed.at) if removed else NOTHING),
    ]
    return Pairs("Retention", pairs)


def tokenizers() -> Pairs:
    """The tokenizers' files."""
    found = [(each.encoding, badge(each.state, FILE_TONES[each.state])) for each in states(tokenizers_dir())]
    return Pairs("Tokenizer files", [*found, ("Folder", str(tokenizers_dir()))])


def partitions(now: datetime) -> Table:
    """The months with their rows as estimated and their size; the default partition first."""
    columns = ("Month", *(table.removeprefix("iwrouting_") + "s" for table in TABLES), "Size", "State")
    if not has_partitions():
        return Table("Partitions", columns, [], "SQLite has none: its tables are plain.")
    months: dict[date | None, dict[str, Any]] = {}
    for each in attached():
        months.setdefault(each.month, {})[each.table] = each
    default, coming = months.pop(None, {}), first_of_month(now.date(), 1)
    dated = sorted(((month, found) for month, found in months.items() if month is not None), key=itemgetter(0))
    past = [(f"{month:%Y-%m}", *_estimates(found), _size(found), "") for month, found in dated if month < coming]
    following = (
        f"made ahead to {dated[-1][0]:%Y-%m}" if coming in months else badge("missing: manage.py maintain", "bad")
    )
    ahead = (f"{coming:%Y-%m}", *_estimates(months.get(coming, {})), _size(months.get(coming, {})), following)
    return Table("Partitions (rows as estimated)", columns, [_default_row(default), ahead, *reversed(past)])


def _default_row(found: dict[str, Any]) -> tuple[Any, ...]:
    held = default_rows(1000)
    counts = [f"{held[table]:,}" + ("+" if held[table] >= 1000 else "") for table in TABLES]
    empty = not any(held.values())
    note = badge("empty", "good") if empty else badge("not empty: manage.py partitions drain", "bad")
    return ("default", *counts, _size(found), note)


def _estimates(found: dict[str, Any]) -> Sequence[str]:
    return [number(found[table].rows) if table in found else NOTHING for table in TABLES]


def _size(found: dict[str, Any]) -> str:
    return megabytes(sum(each.bytes for each in found.values()))


def parts() -> dict[str, Any]:
    """All of them, as the template takes them."""
    now = timezone.now()
    return {
        "workers": workers(now),
        "pairs": [this_process(), database(), seals(now), retention(now), tokenizers()],
        "partitions": partitions(now),
    }
