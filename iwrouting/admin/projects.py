"""Projects: the tenants."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from iwrouting.admin.actions import SwitchableAdmin
from iwrouting.admin.overrides import ROW, HoldsOverrides, OverrideInline
from iwrouting.admin.show import NOTHING, admin_url, link, moment, on_off
from iwrouting.models import Decision, Project


class ProjectOverrides(OverrideInline[Project]):
    """The project's overrides, on its page."""

    fields = ("alias", *ROW)


class ProjectAdmin(SwitchableAdmin[Project], HoldsOverrides[Project]):
    """The list and the form of projects."""

    inlines = (ProjectOverrides,)
    listed = ("project", "slug")
    fixed = ("slug",)
    list_display = ("slug", "name", "external_id_shown", "owner", "switch", "overrides_on", "keys_shown", "updated")
    list_filter = ("enabled",)
    search_fields = ("slug", "name", "external_id", "owner")
    search_help_text = "Slug, name, external id or owner."
    fieldsets = (
        (None, {"fields": ("slug", "name", "external_id", "owner", "enabled")}),
        ("Parameters", {"fields": ("strict_parameters",)}),
        ("Limits", {"fields": ("max_context_tokens", "max_run_tokens")}),
    )
    empty_note = "No projects. Add one, or let the backend make it: PUT /api/v1/projects/<external id>."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """With the numbers of overrides and keys."""
        on = Count("overrides", filter=Q(overrides__enabled=True), distinct=True)
        counts = {"on": on, "total": Count("overrides", distinct=True), "key_count": Count("keys", distinct=True)}
        return super().get_queryset(request).annotate(**counts)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """Only a project without decisions may go: the audit names it by its slug."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not Decision.objects.filter(project=obj.slug).exists())

    @admin.display(description="External id", ordering="external_id")
    def external_id_shown(self, project: Project) -> str:
        """InfinityWindow's own id."""
        return project.external_id or NOTHING

    @admin.display(description="Enabled", ordering="enabled")
    def switch(self, project: Project) -> SafeString:
        """The switch."""
        return on_off(project.enabled)

    @admin.display(description="Overrides on / total", ordering="total")
    def overrides_on(self, project: Any) -> SafeString | str:
        """How many exceptions it has, with a link to them."""
        if not project.total:
            return "0 / 0"
        return link(f"{admin_url('override', 'changelist')}?project={project.slug}", f"{project.on} / {project.total}")

    @admin.display(description="API keys", ordering="key_count")
    def keys_shown(self, project: Any) -> SafeString | str:
        """How many keys call for it, with a link to them."""
        if not project.key_count:
            return "0"
        return link(f"{admin_url('apikey', 'changelist')}?project={project.slug}", project.key_count)

    @admin.display(description="Updated (UTC)", ordering="updated_at")
    def updated(self, project: Project) -> SafeString | str:
        """When it was last saved."""
        return moment(project.updated_at)
