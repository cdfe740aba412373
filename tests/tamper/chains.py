"""Chains for tests: rows numbered and hashed as a writer does it, stored by Django."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import models

from iwrouting.audit import ATTEMPT, DECISION, OUTCOME, Row, decision_time, finish_row, new_id
from iwrouting.audit.tamper.chain import FIRST, AuditKey, canonical, link, make_key
from iwrouting.conf import settings
from iwrouting.models import Attempt, Decision, Outcome, QuarantinedRow, Writer

MODELS: dict[str, type[models.Model]] = {DECISION: Decision, ATTEMPT: Attempt, OUTCOME: Outcome}


def our_key() -> AuditKey:
    """The key that the service writes with."""
    return make_key(settings().audit_keys[0])


class Chain:
    """One writer: its rows go to the database, its `Writer` row too."""

    def __init__(self, key: AuditKey | None = None, *, using: str = "default", at: datetime | None = None) -> None:
        self.id = new_id()
        self.key = key or our_key()
        self.seq = 0
        self.hash = FIRST
        self.at = at
        self._using = using

    @staticmethod
    def now() -> datetime:
        """The time."""
        return datetime.now(UTC)

    def place(self, table: str, row: Row) -> Row:
        """Number and hash a row."""
        self.seq += 1
        row |= {"writer_id": self.id, "writer_seq": self.seq}
        self.hash = row["chain_hash"] = link(self.key, self.hash, canonical(table, row))
        return row

    def call(self) -> list[tuple[str, Row]]:
        """Store a call: its decision, two attempts, its outcome. Gives its rows."""
        rows = [(table, self.place(table, row)) for table, row in call_rows(self.at)]
        store(rows, using=self._using)
        return rows

    def calls(self, count: int) -> None:
        """Store so many calls."""
        for _ in range(count):
            self.call()

    def quarantine(self, table: str, row: Row, reason: str = "22P05") -> QuarantinedRow:
        """Number and hash a row, and keep it in quarantine alone."""
        self.place(table, row)
        return QuarantinedRow.objects.using(self._using).create(
            id=new_id(),
            at=datetime.now(UTC),
            table_name=table,
            decision_id=row.get("decision_id"),
            reason=reason,
            row=json.dumps(orjson.loads(orjson.dumps(row, option=orjson.OPT_UTC_Z)))[:100_000],
            **{name: row[name] for name in ("writer_id", "writer_seq", "chain_hash")},
        )

    def tell(self, **values: Any) -> Writer:
        """Its `Writer` row as it is now; a live one with nothing pending unless `values` says otherwise."""
        now = datetime.now(UTC)
        told: dict[str, Any] = {
            "host": "host",
            "pid": 1,
            "key_id": self.key.id,
            "app_version": "1",
            "started_at": now,
            "heartbeat_at": now,
            "mode": "database",
            "last_seq": self.seq,
            "chain_hash": self.hash,
        }
        writer, _ = Writer.objects.using(self._using).update_or_create(id=self.id, defaults=told | values)
        return writer


def call_rows(at: datetime | None = None) -> list[tuple[str, Row]]:
    """The rows of one call, without number and hash."""
    decision_id = new_id()
    moment = at or decision_time(decision_id)
    of = {"decision_at": moment, "decision_id": decision_id}
    given = {"environment_id": "e1", "catalogue_version": "c1", "rules_version": "r1", "app_version": "a1"}
    decision = {
        "id": decision_id,
        "decision_at": moment,
        "endpoint": "chat",
        "revision": 7,
        "project": "Größe",
        **given,
    }
    tries = [
        {"id": new_id(), **of, "seq": seq, "kind": "call", "rung": 0, "try": seq, "endpoint": "chat", "sent_at": moment}
        for seq in (1, 2)
    ]
    ended = {"ended_at": moment + timedelta(seconds=1), "origin": "server", "result": "ok", "cost_state": "exact"}
    outcome = {"id": new_id(), **of, **ended}
    return [
        (DECISION, finish_row(DECISION, decision)),
        *((ATTEMPT, finish_row(ATTEMPT, each)) for each in tries),
        (OUTCOME, finish_row(OUTCOME, outcome)),
    ]


def store(rows: Iterable[tuple[str, Row]], *, using: str = "default") -> None:
    """Store rows of the audit as they are."""
    for table, row in rows:
        model = MODELS[table]
        values = {field.attname: _as_python(field, row[str(field.column)]) for field in model._meta.concrete_fields}
        model._default_manager.using(using).create(**values)


def _as_python(field: models.Field[Any, Any], value: Any) -> Any:
    is_id = isinstance(getattr(field, "target_field", field), models.UUIDField)
    return UUID(value) if is_id and value is not None else value
