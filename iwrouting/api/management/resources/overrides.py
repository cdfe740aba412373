"""Overrides: exceptions for one project, or for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework import serializers

from iwrouting.api.management.resources.bodies import RowBody, RowName, project_name
from iwrouting.api.management.resources.filters import Filters, flag, text, times
from iwrouting.api.management.resources.refusals import refused_field
from iwrouting.api.management.resources.resource import Resource, check_alias, check_models
from iwrouting.calls.caller import known_project
from iwrouting.errors import Forbidden
from iwrouting.models import Alias, Override
from iwrouting.snapshot import store
from iwrouting.types import KeyFacts
from iwrouting.types.faults import ObjectType


class OverrideRow(RowBody):
    """An override as it is stored. `project` null: for all projects."""

    id = serializers.CharField(source="pk", read_only=True)
    alias: Any = RowName(Alias, "name")
    project: Any = project_name(
        required=False, allow_null=True, help_text="Slug, or in requests external id; null: for all projects."
    )

    class Meta:
        model = Override
        fields = (
            "id",
            "alias",
            "project",
            "model",
            "enabled",
            "infer",
            "starts_at",
            "expires_at",
            "reason",
            "created_at",
            "updated_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )
        validators = ()


class Overrides(Resource):
    """A key for some projects sees and changes those of its own projects alone."""

    called = "override"
    object_type, path, lookup, body = ObjectType.OVERRIDE, "overrides", "pk", OverrideRow
    fixed = ("alias", "project")
    joined = ("alias", "project")
    filters: ClassVar[Filters] = {
        "alias": text("alias__name"),
        "project": text("project__slug", "By slug."),
        "is_global": flag("project__isnull", "true: those for all projects; false: the others."),
        "model": text("model"),
        "enabled": flag("enabled"),
        **times("starts_at"),
        **times("expires_at"),
        **times("updated_at"),
    }

    def rows(self, key: KeyFacts) -> QuerySet[Any]:
        """Those of the key's projects and aliases."""
        own = Q() if key.projects is None else Q(project__slug__in=key.projects)
        granted = Q() if key.allowed_aliases is None else Q(alias__name__in=key.allowed_aliases)
        return self.every().filter(own & granted)

    def named(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        """By its number."""
        return rows.filter(pk=name) if name.isascii() and name.isdigit() and len(name) < 19 else rows.none()

    def check_said(self, key: KeyFacts, said: Mapping[str, Any]) -> None:
        """A key for some projects gets one answer for others, whether they exist or not."""
        if key.projects is None or "project" not in said:
            return
        named = said["project"]
        slug = known_project(store.current, named) if isinstance(named, str) else None
        if slug is None or slug not in key.projects:
            self._refuse(named)

    def check_row(self, key: KeyFacts, row: Override) -> None:
        """Nothing beyond the key's own projects, aliases and models, and no second override of the same place."""
        if key.projects is not None and (row.project is None or row.project.slug not in key.projects):
            self._refuse(row.project.slug if row.project else None)
        check_alias(key, row.alias.name)
        check_models(key, row.model)
        twin = Override.objects.filter(alias=row.alias, project=row.project).exclude(pk=row.pk).first()
        if twin is not None:
            scope = f"the project {row.project}" if row.project else "all projects"
            text = f"override {twin.pk} of {row.alias} for {scope} is there already ({twin.model}): change that one."
            raise refused_field("alias", "already_exists", text)

    def _refuse(self, named: object) -> None:
        scope = "all projects" if named is None else f"the project '{str(named)[:80]}'"
        raise Forbidden(f"This key may not change overrides for {scope}: name its own.", code="project_not_granted")
