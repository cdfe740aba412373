"""Rows of the audit for tests: each function stores one, with plain values for what the test does not name."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from iwrouting.models import Attempt, Decision, EnvironmentSnapshot, Outcome

_numbers = count(1)


def uuid7(at: datetime) -> UUID:
    """A UUIDv7 of that time (RFC 9562)."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62))


def audit_values(at: datetime) -> dict[str, Any]:
    """What every audit row has."""
    return {"id": uuid7(at), "decision_at": at, "writer_id": "tests", "writer_seq": next(_numbers)}


def decision_values(at: datetime, **values: Any) -> dict[str, Any]:
    """The fields of a decision for the role `manager` of the project `atlas`, with these instead."""
    named = {
        "project": "atlas",
        "alias": "manager",
        "kind": "role",
        "endpoint": "chat",
        "model_asked": "manager",
        "model_resolved": "gpt-4.1",
        "upstream": "openai",
        "source": "default",
        "revision": 7,
        "environment_id": "e1",
        "catalogue_version": "c1",
        "rules_version": "r1",
        "app_version": "a1",
        "estimate_source": "bytes",
    }
    return audit_values(at) | named | values


def decision(at: datetime, **values: Any) -> Decision:
    """Store a decision."""
    return Decision.objects.create(**decision_values(at, **values))


def attempt(of: Decision, seq: int, rung: int, **values: Any) -> Attempt:
    """Store an attempt, a call unless `kind` says otherwise."""
    named = {"seq": seq, "rung": rung, "kind": "call", "try_number": 1, "upstream": "openai", "endpoint": "chat"}
    return Attempt.objects.create(**audit_values(of.decision_at) | {"decision": of} | named | values)


def outcome_values(of: Decision, **values: Any) -> dict[str, Any]:
    """The fields of an outcome of the server, with these instead."""
    named = {"origin": "server", "cost_state": "none", "ended_at": of.decision_at + timedelta(seconds=1)}
    return audit_values(of.decision_at) | {"decision": of} | named | values


def outcome(of: Decision, result: str, **values: Any) -> Outcome:
    """Store an outcome, of the server unless `origin` says otherwise."""
    return Outcome.objects.create(**outcome_values(of, result=result, **values))


def environment(name: str, at: datetime) -> EnvironmentSnapshot:
    """Store an environment's values."""
    return EnvironmentSnapshot.objects.create(id=name, first_seen_at=at, values='{"OPENAI_MODEL_FAST":"gpt-4.1"}')
