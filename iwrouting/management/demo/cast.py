"""The demo's rows: projects named demo-..., their overrides in every state, and keys that nobody is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections

from iwrouting.models import Alias, ApiKey, Override, Project, Run, change, new_key
from iwrouting.models.keys import hash_key
from iwrouting.types import Via

PREFIX = "demo-"
REASON = "demo"
BY = "demo"
KEYS_LAST = timedelta(hours=1)

PROJECTS: dict[str, dict[str, Any]] = {
    "atlas": {"name": "Atlas", "owner": "Ada", "external_id": "demo-ws-1"},
    "borealis": {"name": "Borealis", "owner": "Ben"},
    "cascade": {"name": "Cascade", "owner": "Cleo", "max_run_tokens": 1500},
    "strict": {"name": "Strict and small", "strict_parameters": True, "max_context_tokens": 2000},
    "closed": {"name": "Closed", "enabled": False},
}

KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "atlas": ("atlas", {}),
    "atlas worker": ("atlas", {}),
    "borealis": ("borealis", {}),
    "cascade": ("cascade", {}),
    "strict": ("strict", {}),
    "closed": ("closed", {}),
    "reader": ("atlas", {"scopes": ["read_audit"]}),
    "narrow": ("borealis", {"allowed_aliases": ["fast"], "allowed_models": ["gpt-4.1-mini"]}),
    "shared": ("cascade", {"projects": ["*"]}),
}
"""Names of keys: the project that each counts for, and what else it has."""

DAY = timedelta(days=1)
OVERRIDES: tuple[tuple[str | None, str, str, dict[str, Any]], ...] = (
    ("atlas", "manager", "gpt-4.1", {"expires": 30 * DAY}),
    ("atlas", "code", "gpt-5.1", {"expires": 5 * DAY}),
    ("borealis", "fast", "gpt-5-mini", {"starts": 7 * DAY}),
    ("borealis", "deep", "gpt-4.1", {"expires": -DAY}),
    ("cascade", "summary", "gpt-4.1-mini", {"enabled": False}),
    ("cascade", "budget", "gpt-4.1-mini", {}),
    (None, "intent", "gpt-4.1-mini", {"expires": KEYS_LAST}),
)
"""Project (none: all), alias, model, and its state. The global one ends within the hour: it binds all projects."""


@dataclass
class Cast:
    """The texts of this run's keys, by their names."""

    keys: dict[str, str] = field(default_factory=dict)


def prepare() -> Cast:
    """Make the rows, or bring those of an earlier demo up to date."""
    with change(author=BY, via=Via.CLI, reason="The demo's projects, overrides and keys"):
        return _prepared()


def _prepared() -> Cast:
    now = datetime.now(UTC)
    projects = {name: _project(name, fields) for name, fields in PROJECTS.items()}
    for project, alias, model, state in OVERRIDES:
        _override(projects[project] if project else None, alias, model, state, now)
    cast = Cast()
    for name, (project, fields) in KEYS.items():
        cast.keys[name] = _key(name, projects[project], fields, now)
    return cast


def retire(cast: Cast) -> None:
    """End this run's keys: nobody has their texts any more."""
    now = datetime.now(UTC)
    with change(author=BY, via=Via.CLI, reason="The demo is over: nobody has its keys"):
        for row in ApiKey.objects.filter(sha256__in=[hash_key(text) for text in cast.keys.values()]):
            row.revoked_at = now
            row.save()


def raise_budget(run_id: str) -> None:
    """What an operator does when a run of `cascade` has spent its tokens. For a thread of its own."""
    try:
        run = Run.objects.get(project=f"{PREFIX}cascade", run_id=run_id)
        run.raise_limit(more=5_000, reason="The import is larger than planned (demo)", by=BY, via="CLI")
    finally:
        connections.close_all()


def _project(name: str, fields: dict[str, Any]) -> Project:
    slug = PREFIX + name
    row = Project.objects.filter(slug=slug).first() or Project(slug=slug)
    for field_name, value in fields.items():
        setattr(row, field_name, value)
    row.full_clean()
    row.save()
    return row


def _override(project: Project | None, alias: str, model: str, state: dict[str, Any], now: datetime) -> None:
    """Put an override; one that somebody else has put is left alone."""
    row = Override.objects.filter(project=project, alias__name=alias).first()
    if row is not None and row.reason != REASON:
        return
    found = Alias.objects.filter(name=alias).first()
    if found is None:
        return
    row = row or Override(project=project, alias=found, reason=REASON)
    row.model, row.enabled = model, state.get("enabled", True)
    row.starts_at = now + state["starts"] if "starts" in state else None
    row.expires_at = now + state["expires"] if "expires" in state else None
    row.save()


def _key(name: str, project: Project, fields: dict[str, Any], now: datetime) -> str:
    made = new_key()
    row = ApiKey(
        key_id=made.key_id,
        sha256=made.sha256,
        name=f"demo: {name}",
        project=project,
        created_by=BY,
        expires_at=now + KEYS_LAST,
        **fields,
    )
    row.full_clean()
    row.save()
    return made.text
