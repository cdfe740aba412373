"""Projects, by slug or by the backend's own id. PUT, which the backend uses at run time, stands in ../projects.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q, QuerySet

from iwrouting.api.management.resources.bodies import RowBody
from iwrouting.api.management.resources.filters import Filters, flag, text, times
from iwrouting.api.management.resources.refusals import not_granted
from iwrouting.api.management.resources.resource import Switched
from iwrouting.errors import UnknownProject
from iwrouting.models import Project
from iwrouting.types import KeyFacts
from iwrouting.types.faults import ObjectType


class ProjectRow(RowBody):
    """A project as it is stored."""

    class Meta:
        model = Project
        fields = (
            "external_id",
            "slug",
            "name",
            "owner",
            "enabled",
            "strict_parameters",
            "max_context_tokens",
            "max_run_tokens",
            "created_at",
            "updated_at",
            "revision",
            "change_reason",
            "acknowledge",
            "dry_run",
        )


class Projects(Switched):
    """A key for some projects sees and changes its own, and makes none."""

    called = "project"
    object_type, path, lookup, body = ObjectType.PROJECT, "projects", "slug", ProjectRow
    fixed = ("slug",)
    filters: ClassVar[Filters] = {
        "slug": text("slug"),
        "external_id": text("external_id"),
        "owner": text("owner"),
        "enabled": flag("enabled"),
        **times("updated_at"),
    }

    def rows(self, key: KeyFacts) -> QuerySet[Any]:
        """The key's own."""
        return self.every() if key.projects is None else self.every().filter(slug__in=key.projects)

    def named(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        """By slug or external id: neither means two projects."""
        return rows.filter(Q(slug=name) | Q(external_id=name))

    def find(self, key: KeyFacts, name: str) -> Any:
        """The project. Raises Forbidden, the same whether it exists or not, or UnknownProject."""
        found = None if "\0" in name else self.named(self.rows(key), name).first()
        if found is None and key.projects is not None:
            raise not_granted(name)
        if found is None:
            raise UnknownProject(f"There is no project '{name[:80]}'. PUT or POST makes it.", param="external_id")
        return found

    def check_said(self, key: KeyFacts, said: Mapping[str, Any]) -> None:
        """A key for some projects is asked about each row: `find` and `check_row`."""

    def check_row(self, key: KeyFacts, row: Project) -> None:
        """None but the key's own."""
        if key.projects is not None and row.slug not in key.projects:
            raise not_granted(row.external_id or row.slug)
