"""Who uses an alias, as the page says it before the alias goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from iwrouting.models import Alias, ApiKey, Decision

DAYS = 30
MOST_DECISIONS = 1_000
MOST_NAMES = 20
"""The latest so many decisions of an alias tell which projects ask for it: a busy one has millions."""


def users_of(alias: Alias) -> list[str]:
    """Who asks for an alias, overrides it or has it granted by name, a sentence each; empty for one without users."""
    since = timezone.now() - timedelta(days=DAYS)
    asked = Decision.objects.filter(alias=alias.name, decision_at__gte=since).order_by("-decision_at")
    projects = asked.values_list("project", flat=True)[:MOST_DECISIONS]
    overridden = alias.overrides.values_list("project__slug", flat=True)
    keys = [f"iw_{key.key_id} ({key.name})" for key in ApiKey.objects.filter(revoked_at=None) if _names(key, alias)]
    parts = (
        (f"Asked for in the last {DAYS} days by", (project or "callers without a project" for project in projects)),
        ("Its overrides go with it:", (slug or "all projects" for slug in overridden)),
        ("Granted by name to", keys),
    )
    return [f"{words} {names}." for words, found in parts if (names := _listed(found))]


def _names(key: ApiKey, alias: Alias) -> bool:
    return alias.name in (key.allowed_aliases or ())


def _listed(names: Iterable[str]) -> str:
    found = sorted(set(names))
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return ", ".join(found[:MOST_NAMES]) + more
