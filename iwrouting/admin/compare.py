"""Two revisions side by side: what was made, changed and deleted between them, by kind of rows."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from iwrouting.admin.change_filters import is_number
from iwrouting.admin.differences import TITLES, ShownRow, planned_row
from iwrouting.admin.require import MAY_SEE_CHANGES, require
from iwrouting.models import Revision
from iwrouting.models.contents import CONFIGURATION
from iwrouting.planning import plan_between
from iwrouting.snapshot.contents import NoSuchRevision, contents_at

Group = tuple[str, list[ShownRow]]


def compare_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The differences from one revision to another; both stand in the address."""
    require(request, MAY_SEE_CHANGES)
    last = Revision.current()
    asked = {"from": request.GET.get("from", str(max(last - 1, 0))), "to": request.GET.get("to", str(last))}
    context: dict[str, Any] = {**site.each_context(request), "title": "Compare revisions", "asked": asked}
    try:
        context["groups"] = between(request.user, *(_number(name, text) for name, text in asked.items()))
    except (NoSuchRevision, ValueError) as error:
        context["fault"] = str(error)
    return TemplateResponse(request, "admin/iwrouting/config/compare.html", context)


def between(user: Any, first: int, second: int) -> list[Group]:
    """What differs, by kind, for a person. Raises NoSuchRevision."""
    plan = plan_between(contents_at(first), contents_at(second), first)
    groups = (
        (TITLES[word], [planned_row(user, row) for row in plan.changes if row.object_type == word])
        for word in CONFIGURATION
    )
    return [group for group in groups if group[1]]


def _number(name: str, text: str) -> int:
    if not is_number(text.strip()):
        raise ValueError(f"{name}: {text[:40]!r} is no revision; they are whole numbers.")
    return int(text)
