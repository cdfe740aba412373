"""Rows that the rules read: writers, and calls of now with their attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from iwrouting.audit import new_id
from iwrouting.models import Alert, QuarantinedRow, Seal, Writer
from tests.admin import cast


def writer(**fields: Any) -> Writer:
    """A healthy one of web-1, started an hour ago."""
    now = timezone.now()
    who = {"id": new_id(), "host": "web-1", "pid": 4711, "key_id": "k", "app_version": "0.1.0", "mode": "database"}
    times = {"started_at": now - timedelta(hours=1), "heartbeat_at": now}
    return Writer.objects.create(**{**who, **times, **fields})


def quarantined(**fields: Any) -> QuarantinedRow:
    """A decision that the database refused."""
    row = {"id": new_id(), "at": timezone.now(), "writer_id": "w", "writer_seq": 7, "chain_hash": "ab" * 32}
    why = {"table_name": "iwrouting_decision", "reason": "22021", "detail": "invalid byte sequence", "row": "{}"}
    return QuarantinedRow.objects.create(**{**row, **why, **fields})


def seal(**fields: Any) -> Seal:
    """The first, of now."""
    told = {"number": 1, "at": timezone.now(), "kind": "hourly", "key_id": "k", "hash": "cd" * 32}
    return Seal.objects.create(**{**told, **fields})


def alert(**fields: Any) -> Alert:
    """The journal of web-1 is in use since now; the webhook was told."""
    told = {"id": new_id(), "at": timezone.now(), "rule": "journal_in_use", "subject": "web-1", "state": "raised"}
    return Alert.objects.create(**{**told, "message": "12 bytes wait", "told": "webhook", **fields})


def call(alias: str = "code", fallbacks: int = 0, **attempt: Any) -> None:
    """A call that ended well, with the attempt that answered or failed."""
    made = cast.decision(alias=alias, is_test=attempt.pop("is_test", False))
    fields = {"upstream": "environment", **attempt}
    cast.attempt(made, 1, **fields)
    cast.outcome(made, result="ok_after_fallback" if fallbacks else "ok", fallbacks=fallbacks)
