"""The cast of these tests: a few aliases, models, projects and people, and decisions written by hand."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from iwrouting.audit import as_json, decision_time, new_id
from iwrouting.models import (
    Alias,
    ApiKey,
    Attempt,
    BreakerEvent,
    Decision,
    Model,
    OpenChange,
    Outcome,
    Price,
    Project,
    Run,
    change,
    new_key,
)
from iwrouting.types import ALWAYS, Kind, Via

HOSTILE = "<script>alert(1)</script>"
PASSWORD = "correct horse battery"


def by_ann() -> AbstractContextManager[OpenChange]:
    """A change of the configuration as the product makes it: with all its checks."""
    return change(author="ann", via=Via.CLI, reason="A test of what is refused")


def person(name: str, *permissions: str, superuser: bool = False, password: str | None = None) -> User:
    """A member of the staff with these permissions, by codename. Without a password, as hashing one takes its time."""
    user = User.objects.create_user(name, password=password, is_staff=True, is_superuser=superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def model(model_id: str = "gpt-4.1", **fields: Any) -> Model:
    """A chat model."""
    facts = {"endpoints": ["chat", "responses"], "context_window": 1_047_576}
    return Model.objects.create(model_id=model_id, **{**facts, **fields})


def price(model_id: str = "gpt-4.1", **fields: Any) -> Price:
    """Of the catalogue, in force always: 2 and 8 dollars, 0.50 for cached input."""
    prices = {"input_pico": 2_000_000, "cached_pico": 500_000, "output_pico": 8_000_000}
    facts = {"version": "catalogue 2026-11-22", "source": "the provider's page", "valid_from": ALWAYS}
    return Price.objects.create(model_id=model_id, **{**prices, **facts, **fields})


def alias(name: str = "fast", default_model: str = "gpt-4.1", **fields: Any) -> Alias:
    """A chat mode without a chain."""
    return Alias.objects.create(name=name, default_model=default_model, **{"kind": Kind.CHAT_MODE.value, **fields})


def project(slug: str = "atlas", **fields: Any) -> Project:
    """A project."""
    return Project.objects.create(slug=slug, **fields)


def key(owner: Project, name: str = "backend", **fields: Any) -> ApiKey:
    """A key whose text nobody knows."""
    made = new_key()
    return ApiKey.objects.create(key_id=made.key_id, sha256=made.sha256, name=name, project=owner, **fields)


def decision(**fields: Any) -> Decision:
    """A decision of now: atlas asked for code."""
    number = fields.pop("id", None) or new_id()
    under = {"revision": 41, "environment_id": "e3b0c44298fc1c14", "catalogue_version": "2026-11-22"}
    rest = {"rules_version": "1", "app_version": "0.1.0", "writer_id": "w", "writer_seq": 1, "endpoint": "chat"}
    asked = {"project": "atlas", "alias": "code", "kind": "chat_mode", "model_asked": "code", "request_id": "req-1"}
    decided = {"model_resolved": "gpt-5.1-codex", "source": "default", "upstream": "environment"}
    at = decision_time(number)
    return Decision.objects.create(id=number, decision_at=at, **{**under, **rest, **asked, **decided, **fields})


def attempt(of: Decision, seq: int, **fields: Any) -> Attempt:
    """A call of gpt-4.1 that succeeded."""
    own = {"id": new_id(), "decision_at": of.decision_at, "writer_id": "w", "writer_seq": seq + 1, "decision": of}
    call = {"kind": "call", "rung": 0, "try_number": 1, "model": "gpt-4.1", "endpoint": "chat", "status": 200}
    return Attempt.objects.create(seq=seq, **{**own, **call, **fields})


def outcome(of: Decision, **fields: Any) -> Outcome:
    """gpt-4.1 answered for 0.0042 dollars."""
    own = {"id": new_id(), "decision_at": of.decision_at, "writer_id": "w", "writer_seq": 9, "decision": of}
    ended = {"ended_at": of.decision_at + timedelta(seconds=1), "origin": "server", "result": "ok", "status": 200}
    tokens = {"prompt_tokens": 1204, "completion_tokens": 86, "latency_us": 812_345, "calls": 1}
    cost = {"cost_pico": 4_200_000_000, "cost_state": "exact", "price_version": "catalogue 2026-11-22"}
    return Outcome.objects.create(**{**own, **ended, **tokens, **cost, "model_served": "gpt-4.1", **fields})


def breaker_event(**fields: Any) -> BreakerEvent:
    """The breaker of gpt-5.1-codex opened now in a worker, for five minutes."""
    told = {"id": new_id(), "at": timezone.now(), "writer_id": "worker-1", "upstream": "environment"}
    opened = {"before": "closed", "state": "open", "reason": "model_not_found", "open_ms": 300_000}
    return BreakerEvent.objects.create(
        **{**told, "model": "gpt-5.1-codex", "secret_ref": "env:OPENAI_API_KEY", **opened, **fields}
    )


def fallen_back() -> Decision:
    """code: its default can't be asked through chat, gpt-4.1 answered."""
    ladder = [
        {"source": "project_override", "value": None, "state": "not_set", "ref": "project_override:code"},
        {"source": "override", "value": None, "state": "not_set", "ref": "override:code"},
        {"source": "environment", "value": None, "state": "blank", "ref": "OPENAI_MODEL_CODE"},
        {"source": "default", "value": "gpt-5.1-codex", "state": "used", "ref": "alias:code"},
    ]
    chain = [
        {"rung": 0, "alias": "code", "model": "gpt-5.1-codex", "source": "default", "skip": "endpoint_unsupported"},
        {"rung": 1, "alias": "auto", "model": "gpt-4.1", "source": "default", "skip": None},
    ]
    made = decision(ladder=as_json(ladder), chain=as_json(chain))
    attempt(made, 1, kind="skip", model="gpt-5.1-codex", alias="code", skip_reason="endpoint_unsupported", status=None)
    attempt(made, 2, rung=1, alias="auto", changes='["max_tokens->max_completion_tokens"]', end_us=811_700)
    outcome(made, result="ok_after_fallback", fallbacks=1)
    return made


def run(run_id: str = "nightly-42", **fields: Any) -> Run:
    """A run of atlas that has used 900 tokens."""
    now = timezone.now()
    seen = {"first_seen_at": now, "last_seen_at": now}
    return Run.objects.create(**{"project": "atlas", "run_id": run_id, "used_tokens": 900, **seen, **fields})
