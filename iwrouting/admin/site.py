"""The admin site: the menu, the label of the environment, and the pages beside the models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model as DjangoModel
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from iwrouting.admin.adoption import waiting
from iwrouting.admin.aliases import AliasAdmin
from iwrouting.admin.attention import attention_list, lifecycle_list
from iwrouting.admin.audit import DecisionAdmin, EnvironmentSnapshotAdmin
from iwrouting.admin.breakers import BreakerEventAdmin
from iwrouting.admin.catalogue import ModelAdmin as CatalogueModelAdmin
from iwrouting.admin.changes import ChangeAdmin
from iwrouting.admin.config_pages import config_urls, menu_entries
from iwrouting.admin.guards import guard_of
from iwrouting.admin.keeping import AlertAdmin, QuarantineAdmin, SealAdmin
from iwrouting.admin.keys import KeyAdmin
from iwrouting.admin.links import API_DOCS, guide_pages, service_url
from iwrouting.admin.overrides import OverrideAdmin
from iwrouting.admin.price_rows import unpriced_models
from iwrouting.admin.prices import PriceAdmin
from iwrouting.admin.projects import ProjectAdmin
from iwrouting.admin.runs import RunAdmin
from iwrouting.admin.show import NOTHING
from iwrouting.admin.system import MAY_SEE, SystemPages
from iwrouting.admin.upstreams import UpstreamAdmin, environment_facts
from iwrouting.admin.writers import WriterAdmin
from iwrouting.conf import settings
from iwrouting.models import (
    Alert,
    Alias,
    ApiKey,
    BreakerEvent,
    Change,
    Decision,
    EnvironmentSnapshot,
    Model,
    Override,
    Price,
    Project,
    QuarantinedRow,
    Run,
    Seal,
    Upstream,
    Writer,
)
from iwrouting.snapshot.builtin import SANDBOX

PAGES: dict[type[DjangoModel], type[ModelAdmin[Any]]] = {
    Decision: DecisionAdmin,
    Run: RunAdmin,
    EnvironmentSnapshot: EnvironmentSnapshotAdmin,
    BreakerEvent: BreakerEventAdmin,
    QuarantinedRow: QuarantineAdmin,
    Seal: SealAdmin,
    Alert: AlertAdmin,
    Writer: WriterAdmin,
    Alias: AliasAdmin,
    Override: OverrideAdmin,
    Project: ProjectAdmin,
    Model: CatalogueModelAdmin,
    Upstream: UpstreamAdmin,
    Price: PriceAdmin,
    ApiKey: KeyAdmin,
    Change: ChangeAdmin,
}
MENU = (
    ("Audit", ("Decision", "Run", "QuarantinedRow", "Seal", "EnvironmentSnapshot")),
    ("Routing", ("Resolve", "Project", "Override", "Alias")),
    ("Targets", ("Model", "Upstream", "Price")),
    ("History", ("Change", "Import/export")),
    ("System", ("System", "Alert", "Writer", "BreakerEvent")),
    ("Access", ("ApiKey", "User", "Group", "AccessAttempt", "AccessFailureLog", "AccessLog")),
)
"""The sections of the menu, and the models in each by name (ux.md 2)."""


class Site(AdminSite):
    """Django's admin under the product's name."""

    site_header = "iwrouting"
    site_title = "iwrouting"
    index_title = "Overview"
    empty_value_display = NOTHING

    def __init__(self, name: str = "admin") -> None:
        """Our pages register here and not by decorators: those run while Django is still making this very site."""
        super().__init__(name)
        self.system = SystemPages(self)
        # Its query would go round save() and the history: rows are deleted one by one.
        self.disable_action("delete_selected")
        for model, page in PAGES.items():
            self.register(model, page)

    def register(
        self,
        model_or_iterable: type[DjangoModel] | Iterable[type[DjangoModel]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Register, with our guard before the classes of other apps."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        for model in models:
            guard, page = guard_of(model), admin_class or ModelAdmin
            guarded = type(page.__name__, (guard, page), {}) if guard else page
            super().register(model, guarded, **options)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page shows: the environment, the sandbox, where the documents are."""
        return {
            **super().each_context(request),
            "development": settings().development,
            "sandbox": environment_facts().slug == SANDBOX,
            "api_docs": API_DOCS,
            "has_guide": bool(guide_pages()),
            "changed_by_sql": waiting(request),
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The menu by sections; what no section names comes last, under its own app."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        entries = {entry["object_name"]: entry for app in apps for entry in app["models"]}
        entries |= menu_entries(request)
        if system := self.system.menu_entry(request):
            entries["System"] = system
        menu = [_section(title, [entries.pop(name) for name in names if name in entries]) for title, names in MENU]
        rest = [{**app, "models": [entry for entry in app["models"] if entry in entries.values()]} for app in apps]
        return [section for section in (*menu, *rest) if section["models"]]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """With the pages of the guide and of the system."""
        own: list[URLPattern | URLResolver] = [
            *self.system.urls(),
            *config_urls(self),
            path("guide/", self.admin_view(self.guide), name="guide"),
            path("guide/<str:page>/", self.admin_view(self.guide), name="guide_page"),
        ]
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The overview; while there is no decision, how to make the first."""
        may_see = request.user.has_perm("iwrouting.view_decision")
        start = {"start": may_see and not Decision.objects.exists(), "service_url": service_url(request)}
        prices = {
            "unpriced": unpriced_models() if request.user.has_perm("iwrouting.view_price") else [],
            "may_price": request.user.has_perm("iwrouting.add_price"),
        }
        life = lifecycle_list() if request.user.has_perm("iwrouting.view_alias") else {}
        attention = {"attention": attention_list() if request.user.has_perm(MAY_SEE) else []}
        return super().index(request, {**start, **attention, **prices, **life, **(extra_context or {})})

    def guide(self, request: HttpRequest, page: str = "") -> HttpResponse:
        """The documents that come with the service, as text."""
        pages = guide_pages()
        if page and page not in pages:
            raise Http404(f"There is no page {page!r} in the guide.")
        context = {
            **self.each_context(request),
            "title": page or "Guide",
            "pages": list(pages),
            "text": pages[page].read_text(encoding="utf-8") if page else "",
        }
        return TemplateResponse(request, "admin/guide.html", context)


def _section(title: str, entries: list[Any]) -> dict[str, Any]:
    first = entries[0]["admin_url"] if entries else ""
    return {"name": title, "app_label": title.lower(), "app_url": first, "has_module_perms": True, "models": entries}
