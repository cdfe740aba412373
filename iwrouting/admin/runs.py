"""Runs of the Autopilot: read-only, but for an operator who raises the limit of one (docs/tokens.md)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MinValueValidator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from iwrouting.admin.base import ReadOnlyAdmin, missing
from iwrouting.admin.show import BREAK, NOTHING, admin_url, link, moment, number
from iwrouting.models import Run
from iwrouting.models.runs import REASON_LENGTH, with_budget

MAY_RAISE = "iwrouting.change_run"


class RaiseForm(forms.Form):
    """The new limit of a run, and why."""

    tokens = forms.IntegerField(
        label="New limit",
        validators=[MinValueValidator(1)],
        help_text="Tokens that this run may take in all, more than now. It can't be lowered again.",
    )
    reason = forms.CharField(
        min_length=REASON_LENGTH, max_length=300, help_text="Why. It is kept with your name and the time."
    )


class RunAdmin(ReadOnlyAdmin[Run]):
    """The list of runs and the page of each."""

    list_display = ("run_id", "project_shown", "used", "reserved", "limit", "refused", "last_seen")
    list_filter = ("project",)
    search_fields = ("run_id",)
    search_help_text = "A run's id, or a part of it."
    fields = ("run_id", "project_shown", "limit", "used", "reserved", "refused", "first_seen", "last_seen", "raises")
    readonly_fields = fields
    empty_note = "No runs under a budget. Set AUTOPILOT_MAX_TOKENS_PER_RUN, or a limit on a project."
    change_form_template = "admin/iwrouting/run/change.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """With what calls under way have set aside, and the limits of their projects."""
        return with_budget(super().get_queryset(request))

    def get_urls(self) -> list[URLPattern]:
        """With the page that raises a limit."""
        page = path("<int:pk>/raise/", self.admin_site.admin_view(self.raise_view), name="iwrouting_run_raise")
        return [page, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page, with the raise for those who may, where there is a limit to raise."""
        run = self.get_object(request, object_id)
        may = run is not None and request.user.has_perm(MAY_RAISE) and run.limit()[0] is not None
        return super().change_view(request, object_id, form_url, {"may_raise": may, **(extra_context or {})})

    def raise_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for limit and reason, then raise and record it."""
        if not request.user.has_perm(MAY_RAISE):
            raise PermissionDenied(missing(MAY_RAISE))
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404(f"There is no run with the number {pk}.")
        form = RaiseForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._raised(request, run, form):
            return HttpResponseRedirect(admin_url("run", "change", pk))
        limit, origin = run.limit()
        context = {
            **self.admin_site.each_context(request),
            "title": "Raise the limit of this run",
            "opts": self.opts,
            "run": run,
            "form": form,
            "now": f"{number(limit)} ({origin})" if limit is not None else NOTHING,
            "used": number(run.used_tokens),
            "reserved": number(run.reserved()),
        }
        return TemplateResponse(request, "admin/iwrouting/run/raise.html", context)

    def _raised(self, request: HttpRequest, run: Run, form: RaiseForm) -> bool:
        try:
            made = run.raise_limit(
                to=form.cleaned_data["tokens"],
                reason=form.cleaned_data["reason"],
                by=request.user.get_username(),
                via="admin",
            )
        except forms.ValidationError as error:
            for field, faults in error.message_dict.items():
                form.add_error(field, faults)
            return False
        self.log_change(request, run, [{"changed": {"fields": ["Limit"]}}])
        text = f"Raised the limit from {number(made.before_tokens)} to {number(made.after_tokens)} tokens."
        self.message_user(request, text, messages.SUCCESS)
        return True

    @admin.display(description="Project", ordering="project")
    def project_shown(self, run: Run) -> str:
        """Whose it is."""
        return run.project or NOTHING

    @admin.display(description="Used", ordering="used_tokens")
    def used(self, run: Run) -> SafeString | str:
        """The tokens of its ended calls, with a link to its decisions."""
        return link(f"{admin_url('decision', 'changelist')}?q={run.run_id}", number(run.used_tokens))

    @admin.display(description="Reserved", ordering="reserved_tokens")
    def reserved(self, run: Any) -> str:
        """What calls under way have set aside."""
        return number(run.reserved_tokens or 0)

    @admin.display(description="Limit")
    def limit(self, run: Run) -> str:
        """What it may take, and who says so."""
        tokens, origin = run.limit()
        return NOTHING if tokens is None else f"{number(tokens)} ({origin})"

    @admin.display(description="Refused calls", ordering="refused_calls")
    def refused(self, run: Run) -> str:
        """How many calls found too little left."""
        return number(run.refused_calls)

    @admin.display(description="First seen (UTC)", ordering="first_seen_at")
    def first_seen(self, run: Run) -> SafeString | str:
        """When its first call under a budget came."""
        return moment(run.first_seen_at)

    @admin.display(description="Last seen (UTC)", ordering="last_seen_at")
    def last_seen(self, run: Run) -> SafeString | str:
        """When it last reserved or settled."""
        return moment(run.last_seen_at)

    @admin.display(description="Raised")
    def raises(self, run: Run) -> SafeString | str:
        """Each raise of its limit: when, who, from what to what, why."""
        rows = (
            (moment(each.at), each.by, each.via, number(each.before_tokens), number(each.after_tokens), each.reason)
            for each in run.raises.all()
        )
        told = format_html_join(BREAK, "{} by {} ({}): {} → {} tokens. {}", rows)
        return format_html("{}", told) if told else NOTHING
