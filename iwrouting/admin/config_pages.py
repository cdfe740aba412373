"""The pages about the configuration as a whole: resolve, as of, compare, restore, replace, import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from iwrouting.admin.adoption import adoption_page
from iwrouting.admin.as_of import as_of_page
from iwrouting.admin.bundle_page import bundle_page, export_bundle
from iwrouting.admin.compare import compare_page
from iwrouting.admin.replacing import replace_page
from iwrouting.admin.resolve_page import MAY_RESOLVE, resolve_page
from iwrouting.admin.restore import restore_page

Page = Callable[[AdminSite, HttpRequest], HttpResponse]
PAGES: dict[str, tuple[str, Page]] = {
    "resolve": ("resolve/", resolve_page),
    "config_as_of": ("config/as-of/", as_of_page),
    "config_adoption": ("config/adoption/", adoption_page),
    "config_bundle": ("config/bundle/", bundle_page),
    "config_export": ("config/bundle/export/", export_bundle),
    "config_restore": ("config/restore/", restore_page),
    "config_replace": ("config/replace/", replace_page),
    "config_compare": ("config/compare/", compare_page),
}
"""By the name of its address: the address, and what answers there."""

ENTRIES = (("Resolve", "resolve", MAY_RESOLVE), ("Import/export", "config_bundle", MAY_RESOLVE))
"""The entries of the menu: title, name of the address, and the permission that one needs to see it."""


def config_urls(site: AdminSite) -> list[URLPattern]:
    """The pages' addresses."""
    return [path(address, site.admin_view(_view(site, page)), name=name) for name, (address, page) in PAGES.items()]


def _view(site: AdminSite, page: Page) -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: page(site, request)


def menu_entries(request: HttpRequest) -> dict[str, dict[str, Any]]:
    """The pages in the menu, for those who may see them."""
    return {
        title: {"name": title, "object_name": title, "admin_url": reverse(f"admin:{name}"), "view_only": True}
        for title, name, permission in ENTRIES
        if request.user.has_perm(permission)
    }
