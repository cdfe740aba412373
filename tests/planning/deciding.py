"""Decisions as a call makes them, stored without sending anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from iwrouting.autoroute import infer, measure
from iwrouting.calls.caller import Caller
from iwrouting.calls.deciding import AUTO_NAMES, ask_resolver
from iwrouting.calls.draft import Draft
from iwrouting.errors import RoutingError
from iwrouting.models import Decision, EnvironmentSnapshot
from iwrouting.resolver import endpoint_for
from iwrouting.snapshot import load
from iwrouting.types import Configuration, KeyFacts

ANYBODY = KeyFacts("0123456789", "ab" * 32, frozenset(), "", None)


def draft(config: Configuration, *, project: str | None = None, key: KeyFacts = ANYBODY, text: str = "") -> Draft:
    """A call that has just come, for a project or for none; `text`: what the row calls an unknown one."""
    known = project if project in config.projects else None
    return Draft(Caller(key, "req-1", 0, project=known, project_text=project or text), "chat", config, 100)


def decide(asked: str, config: Configuration | None = None, prompt: str = "", **of_draft: Any) -> Decision:
    """The stored decision of a call for a name. What the resolver refuses is stored without an answer."""
    made = draft(config or load(), **of_draft)
    made.asked = asked
    made.endpoint = endpoint_for(made.config, asked) or "chat"
    messages: list[Mapping[str, Any]] = [{"role": "user", "content": prompt}] if prompt else []
    inference = infer(measure(messages)) if messages and asked in AUTO_NAMES else None
    try:
        made.resolution = ask_resolver(made, asked, inference, made.endpoint)
    except RoutingError:
        made.resolution = None
    return store(made)


def store(made: Draft, at: datetime | None = None) -> Decision:
    """The row of a draft, with the environment that it names."""
    environment = made.config.environment
    values = json.dumps(dict(environment.values))
    EnvironmentSnapshot.objects.get_or_create(
        id=environment.id, defaults={"first_seen_at": timezone.now(), "values": values}
    )
    row = {**made.decision_row(), "writer_id": "w", "writer_seq": 1}
    Decision.objects.create(**{**row, "decision_at": at or made.decision_at})
    return Decision.objects.get(id=made.id)
