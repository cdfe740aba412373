"""Import/export: a bundle to download, and one to upload, plan and apply (docs/gitops.md). No secret is in either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from iwrouting.admin.change_filters import is_number
from iwrouting.admin.differences import WORDS
from iwrouting.admin.planned import Planned, carry_out
from iwrouting.admin.require import require
from iwrouting.models import Revision
from iwrouting.planning.bundles import BundleRefused, plan_bundle, read_bundle, write_bundle
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import NoSuchRevision, contents_at
from iwrouting.types import Via

MAY_EXPORT = tuple(f"iwrouting.view_{model}" for word, model in WORDS.items() if word != "key")
"""A bundle holds everything but API keys."""

MAY_IMPORT = "iwrouting.change_alias"
LONGEST = 1_000_000
"""Bytes of a bundle."""


@dataclass(frozen=True)
class Uploaded:
    """A bundle as it came: from a file, or with its plan."""

    name: str
    text: str
    prune: bool


def bundle_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Both; an upload is answered by its plan, and the plan's button by applying it."""
    require(request, *MAY_EXPORT)
    if request.method == "POST":
        require(request, MAY_IMPORT)
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Import/export",
        "may_import": request.user.has_perm(MAY_IMPORT),
        "revision": Revision.current(),
    }
    if request.method == "POST":
        try:
            answer = _planned(request, context)
        except BundleRefused as error:
            context["faults"] = [fault.told() for fault in error.faults]
        except (SnapshotRefused, ValueError) as error:
            context["faults"] = [str(error)]
        else:
            if answer is not None:
                return answer
    return TemplateResponse(request, "admin/iwrouting/config/bundle.html", context)


def export_bundle(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The configuration in force, or as of a revision of the address, as a file."""
    require(request, *MAY_EXPORT)
    asked = request.GET.get("revision") or str(Revision.current())
    try:
        if not is_number(asked):
            raise NoSuchRevision(f"{asked[:40]!r} is no revision; they are whole numbers.")
        text = write_bundle(contents_at(int(asked)))
    except NoSuchRevision as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:config_bundle"))
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="iwrouting-{asked}.yaml"'
    return answer


def _planned(request: HttpRequest, context: dict[str, Any]) -> HttpResponse | None:
    """The page of the applied revision; None where the plan is only shown. Raises BundleRefused or ValueError."""
    found = _uploaded(request)
    bundle = read_bundle(found.text, found.name)
    planned = plan_bundle(bundle, prune=found.prune)
    revision, shown = carry_out(
        request,
        Planned(planned.plan, planned.kept, planned.plan.missing, Via.IMPORT, {"bundle": found.name}, bundle.placed),
    )
    if revision is not None:
        messages.success(request, f"Applied {found.name} as revision {revision}.")
        return HttpResponseRedirect(reverse("admin:iwrouting_change_revision", args=[revision]))
    context |= {**shown, "bundle": found.text, "file": found.name, "prune": found.prune}
    return None


def _uploaded(request: HttpRequest) -> Uploaded:
    """Raises ValueError that says what to do."""
    file = request.FILES.get("file")
    if file is None and not request.POST.get("bundle"):
        raise ValueError("Choose a bundle: a YAML file, as the export or config_export writes it.")
    if file is not None and (file.size or 0) > LONGEST:
        raise ValueError(f"The file has {file.size:,} bytes, and a bundle at most {LONGEST:,}: use config_apply.")
    name = (file.name if file is not None else request.POST.get("file", "")) or "bundle"
    try:
        text = file.read().decode() if file is not None else request.POST["bundle"].replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError(f"{name[:80]} is no text in UTF-8.") from None
    return Uploaded(name[:80], text, "prune" in request.POST)
