"""The aliases that a key may ask for, each with the model that serves it now; from the snapshot, no query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from iwrouting.api.management.fields import Choice
from iwrouting.calls.caller import known_project, may_use
from iwrouting.errors import Forbidden, UnknownProject
from iwrouting.resolver import climb, may_ask_alias, upstream_of
from iwrouting.types import AliasFacts, Configuration, KeyFacts, Kind, Source


class AliasAnswer(serializers.Serializer[Any]):
    """One alias as configured, and what it comes to."""

    name = serializers.CharField()
    kind = Choice(Kind)
    purpose = serializers.CharField(allow_blank=True)
    variable = serializers.CharField(allow_blank=True, help_text="Environment variable of the alias.")
    default_model = serializers.CharField()
    tier = serializers.CharField(allow_blank=True, help_text="small, mid or strong.")
    subsystem = serializers.CharField(allow_blank=True, help_text="Section of the model matrix that uses it.")
    infer = serializers.BooleanField(help_text="Only for auto: whether a chat mode is inferred.")
    chain = serializers.ListField(child=serializers.CharField(), help_text="Rungs after the primary.")
    model = serializers.CharField(help_text="The model that serves now.")
    source: Any = Choice(Source, help_text="Where that model stands.")
    upstream = serializers.CharField()


class AliasList(serializers.Serializer[Any]):
    """Aliases, and under which configuration they were resolved."""

    results = AliasAnswer(many=True)
    project = serializers.CharField(allow_null=True, help_text="Slug; null: without any project's overrides.")
    revision = serializers.IntegerField()
    environment_id = serializers.CharField()


def list_aliases(config: Configuration, key: KeyFacts, named: str) -> dict[str, Any]:
    """The list for a project named by slug or external id, or for none. Raises UnknownProject or Forbidden."""
    project = _project(config, key, named) if named else None
    now = datetime.now(UTC)
    granted = (alias for alias in config.aliases.values() if may_ask_alias(key, alias.name))
    return {
        "results": [_entry(config, alias, project, now) for alias in granted],
        "project": project,
        "revision": config.revision,
        "environment_id": config.environment.id,
    }


def _entry(config: Configuration, alias: AliasFacts, project: str | None, now: datetime) -> dict[str, Any]:
    _, model, source = climb(config, alias, project, now)
    return {
        "name": alias.name,
        "kind": alias.kind,
        "purpose": alias.purpose,
        "variable": alias.variable,
        "default_model": alias.default_model,
        "tier": alias.tier,
        "subsystem": alias.subsystem,
        "infer": alias.infer,
        "chain": list(alias.chain),
        "model": model,
        "source": source,
        "upstream": upstream_of(config, model),
    }


def _project(config: Configuration, key: KeyFacts, named: str) -> str:
    slug = known_project(config, named)
    if slug is not None and may_use(key, slug):
        return slug
    if key.projects is not None:
        raise Forbidden(f"This key may not act for the project '{named[:80]}'.", code="project_not_granted")
    raise UnknownProject(
        f"No project '{named[:80]}'. Create it with PUT /api/v1/projects/<external_id>.", param="project"
    )
