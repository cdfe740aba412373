"""Reading back which responses are held, and whether the usage of one is recorded. Blocking: call it in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from iwrouting.audit.ids import decision_time
from iwrouting.models import Decision, HeldResponse, Outcome
from iwrouting.types import HeldFacts

MOST = 20
"""How many rows of one response id are looked at: ids are unique at a provider, and there are few providers."""

REPEATED = (
    "decision_at",
    "project",
    "project_external_id",
    "key_id",
    "request_id",
    "run_id",
    "tags",
    "alias",
    "kind",
    "inferred_mode",
    "is_test",
    "model_asked",
    "model_resolved",
    "upstream",
    "source",
    "revision",
    "environment_id",
    "catalogue_version",
    "rules_version",
    "app_version",
)
"""What a record of a background call's usage has of the decision that began it: who asked, for what, under what."""


def find_held(response_id: str) -> tuple[HeldFacts, ...]:
    """The rows of a response id, newest first, whatever their project. Raises django.db.DatabaseError."""
    try:
        rows = HeldResponse.objects.filter(response_id=response_id)[:MOST]
        return tuple(_facts(row) for row in rows)
    finally:
        _release()


def usage_recorded(decision_ids: tuple[str, ...]) -> bool:
    """Whether one of these decisions has an outcome with the provider's usage. Raises django.db.DatabaseError."""
    times: set[datetime] = {decision_time(each) for each in decision_ids}
    try:
        return Outcome.objects.filter(
            decision_id__in=decision_ids, decision_at__in=times, prompt_tokens__isnull=False, tokens_source="provider"
        ).exists()
    finally:
        _release()


def _facts(row: HeldResponse) -> HeldFacts:
    decision_id = str(row.decision_id)
    decisions = Decision.objects.filter(id=decision_id, decision_at=decision_time(decision_id))
    repeated: Mapping[str, Any] = decisions.values(*REPEATED).first() or {}
    return HeldFacts(
        response_id=row.response_id,
        project=row.project,
        key_id=row.key_id,
        upstream=row.upstream,
        model=row.model,
        decision_id=decision_id,
        is_background=row.is_background,
        decision=repeated,
    )


def _release() -> None:
    if not connection.in_atomic_block:
        connection.close()
