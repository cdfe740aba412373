"""Restoring one row, or the whole configuration, to a revision: the plan first, then exactly that as a new revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from iwrouting.admin.change_filters import is_number
from iwrouting.admin.planned import Planned, carry_out
from iwrouting.admin.require import MAY_SEE_CHANGES, require
from iwrouting.models import HistoryRow
from iwrouting.planning.restoring import NoSuchObject, Object, Restoration, plan_restore
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import NoSuchRevision


def restore_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What restoring would do, and the button that does it; `revision` and `object` stand in the address."""
    require(request, MAY_SEE_CHANGES)
    context: dict[str, Any] = {**site.each_context(request), "title": "Restore", "asked": request.GET}
    try:
        found = _restoration(request.GET.dict())
    except (NoSuchRevision, NoSuchObject, SnapshotRefused, ValueError) as error:
        return TemplateResponse(request, "admin/iwrouting/config/restore.html", {**context, "fault": str(error)})
    planned = Planned(found.plan, found.kept, found.faults, details={"restored": found.revision})
    revision, shown = carry_out(request, planned)
    if revision is not None:
        messages.success(request, f"Restored {_what(request.GET.dict())} as revision {revision}.")
        return HttpResponseRedirect(reverse("admin:iwrouting_change_revision", args=[revision]))
    context |= {**shown, "what": _what(request.GET.dict()), "revision": found.revision}
    return TemplateResponse(request, "admin/iwrouting/config/restore.html", context)


def _restoration(params: Mapping[str, str]) -> Restoration:
    """Raises NoSuchRevision, NoSuchObject, SnapshotRefused, or ValueError for an address that names no revision."""
    revision, named = params.get("revision", ""), params.get("object", "")
    if not is_number(revision):
        raise ValueError(f"revision: {revision[:40]!r} is no revision; they are whole numbers.")
    return plan_restore(int(revision), [_object(named, int(revision))] if named else None)


def _object(reference: str, revision: int) -> Object:
    """What the row of a reference such as `override:12` was called under a revision, or else last.

    Raises NoSuchObject.
    """
    word, _, number = reference.partition(":")
    rows = HistoryRow.objects.filter(object_type=word, object_id=int(number)) if is_number(number) else None
    found = None if rows is None else rows.filter(revision__lte=revision).first() or rows.first()
    if found is None:
        raise NoSuchObject(f"History knows no {reference[:60]!r}.")
    return word, found.name


def _what(params: Mapping[str, str]) -> str:
    """What is restored, in words."""
    revision = int(params["revision"])
    if not params.get("object"):
        return f"the configuration of revision {revision}"
    word, name = _object(params["object"], revision)
    return f"the {word} {name} of revision {revision}"
