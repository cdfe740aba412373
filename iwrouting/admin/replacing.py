"""Replacing a model wherever the configuration names it: the plan first, then exactly that as a new revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from iwrouting.admin.planned import Planned, carry_out
from iwrouting.admin.require import require
from iwrouting.admin.whatif import Table
from iwrouting.models import Revision
from iwrouting.planning.replacing import CannotReplace, Compared, Left, Replacing, plan_replacing, swap_one
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import configuration_of, contents_now

TEMPLATE = "admin/iwrouting/config/replace.html"
NEEDS = ("iwrouting.view_model", "iwrouting.view_alias", "iwrouting.view_override")
MAY_SEE_KEYS = "iwrouting.view_apikey"


def replace_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What replacing would do, and the button that does it; `old` and `new` stand in the address. Without `new` it is
    what the catalogue names."""
    require(request, *NEEDS)
    old, new = (request.GET.get(name, "").strip() for name in ("old", "new"))
    context: dict[str, Any] = {**site.each_context(request), "title": "Replace a model", "old": old, "new": new}
    try:
        base, now = Revision.current(), contents_now()
        config = configuration_of(now, base)
        context["models"] = sorted(config.models)
        if not old:
            return TemplateResponse(request, TEMPLATE, context)
        swaps = swap_one(config, old, new, timezone.now().date())
        found = plan_replacing(now, config, swaps, timezone.now())
    except (CannotReplace, SnapshotRefused) as error:
        return TemplateResponse(request, TEMPLATE, {**context, "fault": str(error)})
    return _planned(request, found, {**context, "new": swaps.models[old]})


def _planned(request: HttpRequest, found: Replacing, context: dict[str, Any]) -> HttpResponse:
    revision, shown = carry_out(request, Planned(found.plan))
    if revision is not None:
        messages.success(request, f"Replaced {context['old']} by {context['new']} as revision {revision}.")
        return HttpResponseRedirect(reverse("admin:iwrouting_change_revision", args=[revision]))
    left = [each for each in found.left if each.kind != "key" or request.user.has_perm(MAY_SEE_KEYS)]
    tables = [_compared(found.compared), _left(left)]
    return TemplateResponse(request, TEMPLATE, {**context, **shown, "tables": tables})


def _compared(lines: Sequence[Compared]) -> Table:
    rows: list[tuple[object, ...]] = [(each.what, each.before, each.after, each.meaning) for each in lines]
    return Table("How they differ", ("What", "Before", "After", "Meaning"), rows, "In nothing that is known.")


def _left(places: Sequence[Left]) -> Table:
    rows: list[tuple[object, ...]] = [(each.kind, each.name, each.told) for each in places]
    return Table("What goes on naming it", ("What", "Name", "Why, and where to change it"), rows, "Nothing.")
