"""A configuration that somebody changed by SQL: every page says so; it is adopted or discarded here (design.md 7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from iwrouting.admin.differences import ShownRow, planned_row
from iwrouting.admin.require import MAY_SEE_CHANGES, require
from iwrouting.admin.show import admin_url
from iwrouting.models import Revision
from iwrouting.models.history import MIN_REASON, REASON_LENGTH
from iwrouting.planning import ChangeRefused, StalePlan
from iwrouting.planning.adopting import adopt, changed_by_sql, discard, unchanged
from iwrouting.snapshot import SnapshotRefused
from iwrouting.snapshot.contents import NoSuchRevision
from iwrouting.types.faults import Finding

SUPERUSERS = "Only superusers adopt or discard what was changed by SQL: it went past every right and every check."


class AdoptionForm(forms.Form):
    """Why; what was looked at; what of it was acknowledged."""

    change_reason = forms.CharField(
        label="Reason for change",
        min_length=MIN_REASON,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text="What happened, and why it is adopted or discarded. The change list keeps it with your name.",
    )
    touches = forms.IntegerField(widget=forms.HiddenInput)
    acknowledge = forms.BooleanField(label="Adopt anyway: I have seen these", required=False)


@dataclass
class Standing:
    """What SQL left: its differences, or why it can't be read; what would refuse it, and what is to be acknowledged."""

    rows: list[ShownRow] = field(default_factory=list)
    unreadable: str = ""
    faults: list[str] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()


def waiting(request: HttpRequest) -> Revision | None:
    """The counter while a change by SQL waits, for people who see changes; else None."""
    if not request.user.has_perm(MAY_SEE_CHANGES):
        return None
    counter = Revision.standing()
    return counter if counter.is_touched else None


def adoption_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What was changed by SQL, and the two things that a superuser can do about it."""
    require(request, MAY_SEE_CHANGES)
    if request.method == "POST" and not request.user.is_superuser:
        raise PermissionDenied(SUPERUSERS)
    counter = Revision.standing()
    form = AdoptionForm(request.POST or None, initial={"touches": counter.touches})
    if request.method == "POST" and form.is_valid() and (answer := _done(request, form)):
        return answer
    context = {
        **site.each_context(request),
        "title": "Changed by SQL",
        "counter": counter,
        "form": form,
        "standing": _standing(request) if counter.is_touched else None,
        "touches": counter.touches,
        "may_adopt": request.user.is_superuser,
        "superusers": SUPERUSERS,
    }
    return TemplateResponse(request, "admin/iwrouting/config/adoption.html", context)


def _standing(request: HttpRequest) -> Standing:
    try:
        found = changed_by_sql()
    except (SnapshotRefused, NoSuchRevision) as error:
        return Standing(unreadable=str(error))
    standing = Standing([planned_row(request.user, row) for row in found.plan.changes] if found else [])
    try:
        with transaction.atomic():
            standing.findings = adopt(author="rehearsal", reason="A look, which is taken back").findings
            transaction.set_rollback(True)
    except ValidationError as error:
        standing.faults = list(error.messages)
    return standing


def _done(request: HttpRequest, form: AdoptionForm) -> HttpResponse | None:
    """The change list once it is done; None where it was refused, which stands on the form."""
    values, who = form.cleaned_data, request.user.get_username()
    seen = frozenset(request.POST.getlist("shown_finding")) if values["acknowledge"] else frozenset[str]()
    try:
        with unchanged(values["touches"]):
            if "discard" in request.POST:
                made = discard(author=who, reason=values["change_reason"])
            else:
                made = adopt(author=who, reason=values["change_reason"], acknowledged=seen)
    except StalePlan as error:
        messages.warning(request, str(error))
        return HttpResponseRedirect(reverse("admin:config_adoption"))
    except ChangeRefused as error:
        form.add_error(None, [f"Not adopted: {text}" for text in error.messages])
        return None
    except ValidationError as error:
        form.add_error(None, error.messages)
        return None
    word = "Discarded" if "discard" in request.POST else "Adopted"
    messages.success(request, f"{word} what was changed by SQL, as revision {made.revision}.")
    return HttpResponseRedirect(admin_url("change", "changelist"))
