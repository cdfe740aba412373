"""Seals: a chain of its own over the heads of all writers' chains, and over what retention took away (design.md 6).

hash = HMAC-SHA256(key, previous seal's hash || canonical row without `previous` and `hash`). Numbers are consecutive.
docs/tamper.md has the form of `heads` and `removed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import connections, models, transaction

from iwrouting.audit.tamper.chain import AuditKey, canonical, link, make_key
from iwrouting.audit.tamper.placed import QUARANTINE
from iwrouting.audit.tamper.reading import Reader
from iwrouting.conf import settings
from iwrouting.conf.points import hit
from iwrouting.models import Seal, Writer

SEAL = Seal._meta.db_table
HOURLY, MANUAL, REMOVAL = "hourly", "manual", "removal"
EVERY = timedelta(hours=1)
SLACK = timedelta(minutes=10)
"""How far the clocks of the hosts may differ; a writer that is listed once too often does no harm."""

LOCK = 0x1753EA1
"""Number of PostgreSQL's advisory lock under which a seal is made; held to the end of the transaction."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Rows that are about to be removed from one table of the chain.

    `relation` is what a FROM takes: a partition's name, or a SELECT in parentheses with its parameters. It has all
    columns of `table`, and exactly the rows that go.
    """

    table: str
    relation: str
    parameters: Sequence[Any] = ()


def make_seal(kind: str, *, using: str = "default") -> Seal:
    """Store a seal of the heads of the writers that wrote since the last one or may still write.

    In the caller's transaction where one is open. Waits for a seal that is being made. Raises django.db.Error.
    """
    with transaction.atomic(using=using):
        previous = _last(using)
        return _store(previous, kind, heads=_heads(previous, using), removed=[], using=using)


def seal_when_due(*, using: str = "default") -> dict[str, int]:
    """Make the hourly seal if the last that lists heads is an hour old; the counts of what was made.

    The first one waits until the first writer is an hour old: by then a rollout is over, and no process of an older
    release writes rows without a hash. Raises django.db.Error.
    """
    last = Seal.objects.using(using).exclude(kind=REMOVAL).order_by("-number").values_list("at", flat=True).first()
    if last is None:
        last = Writer.objects.using(using).order_by("started_at").values_list("started_at", flat=True).first()
    if last is None or datetime.now(UTC) - last < EVERY:
        return {"seals": 0}
    make_seal(HOURLY, using=using)
    return {"seals": 1}


def removal_seal(leaving: Sequence[Leaving], *, using: str = "default") -> Seal:
    """Store the seal that stands for rows which go; call it in the transaction that removes them, while they are there.

    It holds how many rows of which time went from each table, and of each writer the runs of numbers, each with its
    last row's hash, so that the chain can be followed across the hole. Raises django.db.Error.
    """
    with transaction.atomic(using=using):
        previous = _last(using)
        removed = [_counted(each, using) for each in leaving] + _runs(leaving, using)
        return _store(previous, REMOVAL, heads=[], removed=removed, using=using)


def seal_hash(key: AuditKey, seal: Seal) -> str:
    """What `hash` must be."""
    covered = {
        "number": seal.number,
        "at": seal.at,
        "kind": seal.kind,
        "key_id": seal.key_id,
        "heads": seal.heads,
        "removed": seal.removed,
    }
    return link(key, seal.previous, canonical(SEAL, covered))


def _last(using: str) -> Seal | None:
    """The last seal, which stays the last until the transaction ends."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    # On SQLite a transaction is IMMEDIATE (config/settings.py): it is the only one that writes.
    return Seal.objects.using(using).order_by("-number").first()


def _store(previous: Seal | None, kind: str, *, heads: list[Any], removed: list[Any], using: str) -> Seal:
    key = make_key(settings().audit_keys[0])
    seal = Seal(
        number=previous.number + 1 if previous else 1,
        at=datetime.now(UTC),
        kind=kind,
        key_id=key.id,
        heads=orjson.dumps(heads).decode(),
        removed=orjson.dumps(removed).decode(),
        previous=previous.hash if previous else "",
    )
    seal.hash = seal_hash(key, seal)
    hit("seal.before_insert")
    seal.save(using=using, force_insert=True)
    hit("seal.after_insert")
    return seal


def _heads(previous: Seal | None, using: str) -> list[list[Any]]:
    writers = Writer.objects.using(using)
    if previous is not None:
        since = previous.at - SLACK
        told = models.Q(heartbeat_at__gte=since) | models.Q(ended_at__gte=since) | models.Q(swept_at__gte=since)
        writers = writers.filter(told | models.Q(ended_at=None, swept_at=None))
    reader = Reader(using)
    found = ((writer, reader.head(writer)) for writer in writers.order_by("id").values_list("id", flat=True))
    return [[writer, *head] for writer, head in found if head is not None]


def _counted(leaving: Leaving, using: str) -> dict[str, Any]:
    """How many rows of a table go, and the first and last time of their decisions."""
    column = "at" if leaving.table == QUARANTINE else "decision_at"
    wanted = f"count(*), CAST(min({column}) AS text), CAST(max({column}) AS text)"
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {wanted} FROM {leaving.relation} AS leaving", leaving.parameters)  # noqa: S608
        count, first, last = cursor.fetchone()
    return {"table": leaving.table, "rows": count, "first_at": _moment(first), "last_at": _moment(last)}


def _moment(text: str | None) -> str | None:
    """A time of either database as text in UTC."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _runs(leaving: Sequence[Leaving], using: str) -> list[dict[str, Any]]:
    """Of each writer the runs of consecutive numbers that go, and the hash of each run's last row."""
    parts = " UNION ALL ".join(
        f"SELECT writer_id, writer_seq, chain_hash FROM {each.relation} AS leaving WHERE chain_hash <> ''"  # noqa: S608
        for each in leaving
    )
    statement = (
        "SELECT writer_id, writer_seq, chain_hash, is_first, is_last FROM ("  # noqa: S608 - relations of the caller
        "SELECT writer_id, writer_seq, chain_hash, "
        "coalesce(lag(writer_seq) OVER numbers <> writer_seq - 1, true) AS is_first, "
        "coalesce(lead(writer_seq) OVER numbers <> writer_seq + 1, true) AS is_last "
        f"FROM ({parts}) AS going WHERE writer_seq IS NOT NULL "
        "WINDOW numbers AS (PARTITION BY writer_id ORDER BY writer_seq)) AS edges "
        "WHERE is_first OR is_last ORDER BY writer_id, writer_seq"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(statement, [parameter for each in leaving for parameter in each.parameters])
        return _joined(iter(cursor.fetchall()))


def _joined(edges: Iterable[tuple[str, int, str, bool, bool]]) -> list[dict[str, Any]]:
    runs: dict[str, list[list[Any]]] = {}
    first = 0
    for writer, number, chain_hash, is_first, is_last in edges:
        if is_first:
            first = number
        if is_last:
            runs.setdefault(writer, []).append([first, number, chain_hash])
    return [{"writer": writer, "runs": found} for writer, found in runs.items()]
