"""The audit in the admin: decisions with all that belongs to them, and the environments they were made in."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin import decision_filters, show
from iwrouting.admin.again_page import again_parts, then_address
from iwrouting.admin.base import ReadOnlyAdmin
from iwrouting.admin.decision_filters import (
    FILTERS,
    WINDOWS,
    CappedPaginator,
    hints,
    id_condition,
    search,
    shorter,
    window_of,
)
from iwrouting.admin.decision_page import page, shown_outcome
from iwrouting.admin.links import service_url
from iwrouting.admin.references import References
from iwrouting.admin.require import MAY_SEE_CHANGES
from iwrouting.models import Decision, EnvironmentSnapshot, Outcome, QuarantinedRow
from iwrouting.models.patience import OutOfTime, cursor_for

LOOKS = "responses."
"""How the endpoints begin at which a stored response is looked at, cancelled, deleted, or its usage recorded."""

MOST_QUARANTINED = 50
LISTED = (
    "decision_at", "project", "alias", "inferred_mode", "endpoint", "model_asked", "model_resolved", "source",
    "request_id",
)  # fmt: skip
LISTED_OUTCOME = (
    "decision_id", "decision_at", "origin", "result", "model_served", "calls", "fallbacks", "latency_us",
    "prompt_tokens", "completion_tokens", "cost_pico", "cost_state",
)  # fmt: skip


class DecisionList(ChangeList):
    """A page of decisions: one query for them, one for their outcomes, both within the page's times."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Only the columns that the list shows."""
        return super().get_queryset(request, exclude_parameters).only(*LISTED)

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows with their outcomes."""
        super().get_results(request)
        rows = list(self.result_list) if self.result_count else []
        if rows:
            times = [row.decision_at for row in rows]
            outcomes = Outcome.objects.filter(decision_at__range=(min(times), max(times))).only(*LISTED_OUTCOME)
            prefetch_related_objects(rows, Prefetch("outcomes", outcomes.order_by("origin")))
        self.result_list = rows


def outcome_of(decision: Decision) -> Outcome | None:
    """The outcome of a row of the list, read with the page."""
    return shown_outcome(decision.outcomes.all())


def id_of(text: str) -> UUID | None:
    """The id in an address; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


class DecisionAdmin(ReadOnlyAdmin[Decision]):
    """The list of decisions and the page of each."""

    list_display = (
        "at", "project_shown", "alias_shown", "models_shown", "source_shown", "result", "attempts_shown",
        "latency", "tokens", "cost", "request_shown",
    )  # fmt: skip
    list_display_links = ("at",)
    list_filter = FILTERS
    list_max_show_all = 200
    sortable_by = ()
    search_fields = ("request_id",)
    search_help_text = "A whole request id, decision id or run id."
    paginator = CappedPaginator
    show_full_result_count = False
    empty_note = "No decisions yet. Send a test request."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that reads outcomes with its page."""
        return DecisionList

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Our filters alone: any other condition in the address could scan the audit."""
        return lookup in {each.parameter_name for each in FILTERS}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact search by id."""
        term = search_term.strip()
        return (search(queryset, term) if term else queryset), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Decision | None:
        """The decision of an id in the address."""
        given = id_of(object_id)
        return None if given is None else Decision.objects.filter(id_condition(given)).first()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; while there is no decision at all, how to make the first."""
        window = WINDOWS[window_of(request)][0]
        context = {"service_url": service_url(request), "window": window, "any_decision": Decision.objects.exists}
        try:
            with cursor_for(decision_filters.PATIENCE_S, hints(request)):
                return super().changelist_view(request, {**context, **(extra_context or {})})
        except OutOfTime:
            return self._shorter(request)

    def _shorter(self, request: HttpRequest) -> HttpResponse:
        """The same list over a shorter time. Raises OutOfTime where there is none."""
        name, window = shorter(request), WINDOWS[window_of(request)][0]
        if not name:
            raise OutOfTime(f"A list of {window} took longer than {decision_filters.PATIENCE_S:.0f} s.")
        text = f"These filters over the time “{window}” take the database too long. Here is “{WINDOWS[name][0]}”"
        self.message_user(request, f"{text}; a project or an alias helps, too.", messages.WARNING)
        asked = request.GET.copy()
        asked["when"] = name
        asked.pop("p", None)
        return HttpResponseRedirect(f"{request.path}?{asked.urlencode()}")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one decision."""
        decision = self.get_object(request, object_id)
        self.require_view(request, decision)
        if decision is None:
            return self._no_decision(request, object_id)
        attempts = list(decision.attempts.filter(decision_at=decision.decision_at).order_by("seq"))
        outcomes = list(decision.outcomes.filter(decision_at=decision.decision_at))
        kept_out = list(QuarantinedRow.objects.filter(decision_id=decision.pk).order_by("at", "id")[:MOST_QUARANTINED])
        references = References(request.user, [decision.ladder], decision.environment_id)
        context = {
            **self.admin_site.each_context(request),
            **page(decision, attempts, outcomes, list(kept_out), references.link),
            "title": f"Decision {decision.pk}",
            "opts": self.opts,
            "decision": decision,
            "then": then_address(decision) if request.user.has_perm(MAY_SEE_CHANGES) else "",
        }
        return TemplateResponse(request, "admin/iwrouting/decision/page.html", context)

    def get_urls(self) -> list[URLPattern]:
        """With the page that resolves a decision again."""
        page = path("<uuid:pk>/again/", self.admin_site.admin_view(self.again_view), name="iwrouting_decision_again")
        return [page, *super().get_urls()]

    def again_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The decision resolved again, as of then and now. Nothing is sent or recorded."""
        self.require_view(request)
        decision = self.get_object(request, str(pk))
        if decision is None:
            return self._no_decision(request, str(pk))
        context = {**self.admin_site.each_context(request), **again_parts(decision), "opts": self.opts}
        return TemplateResponse(request, "admin/iwrouting/decision/again.html", context)

    def _no_decision(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Back to the list; to the quarantine where its row is."""
        given = id_of(object_id)
        if given is not None and QuarantinedRow.objects.filter(decision_id=given).exists():
            text = f"The row of decision {object_id} is in quarantine: the database refused it."
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(f"{show.admin_url('quarantinedrow', 'changelist')}?q={given}")
        self.message_user(request, f"There is no decision {object_id}.", messages.WARNING)
        return HttpResponseRedirect(show.admin_url("decision", "changelist"))

    @admin.display(description="At (UTC)", ordering="decision_at")
    def at(self, decision: Decision) -> SafeString | str:
        """When it was decided."""
        return show.moment(decision.decision_at)

    @admin.display(description="Project")
    def project_shown(self, decision: Decision) -> str:
        """Who asked."""
        return decision.project or show.NOTHING

    @admin.display(description="Alias")
    def alias_shown(self, decision: Decision) -> str:
        """What for, and the mode that auto was taken for; for what no alias is asked for: a look at a response."""
        if decision.endpoint.startswith(LOOKS):
            return decision.endpoint
        mode = f" ({decision.inferred_mode})" if decision.inferred_mode else ""
        return f"{decision.alias}{mode}" if decision.alias else show.NOTHING

    @admin.display(description="Asked → served")
    def models_shown(self, decision: Decision) -> SafeString:
        """What was asked for where the alias does not say it, who served it, and who was chosen where not the same."""
        outcome = outcome_of(decision)
        served = outcome.model_served if outcome else ""
        asked = "" if decision.model_asked == decision.alias else f"{decision.model_asked} "
        text = format_html('{}<span class="iw-model">→ {}</span>', asked, served or show.NOTHING)
        if decision.model_resolved in ("", served):
            return text
        return format_html('{}<br><span class="iw-quiet">chosen: {}</span>', text, decision.model_resolved)

    @admin.display(description="Source")
    def source_shown(self, decision: Decision) -> SafeString | str:
        """Where the model came from."""
        return show.value_badge(decision.source)

    @admin.display(description="Result")
    def result(self, decision: Decision) -> SafeString | str:
        """How it ended."""
        outcome = outcome_of(decision)
        return show.value_badge(outcome.result) if outcome else show.badge("open", "info")

    @admin.display(description="Calls / fallbacks")
    def attempts_shown(self, decision: Decision) -> str:
        """Upstream calls, and rungs gone on to."""
        outcome = outcome_of(decision)
        return f"{outcome.calls} / {outcome.fallbacks}" if outcome else show.NOTHING

    @admin.display(description="Latency")
    def latency(self, decision: Decision) -> str:
        """From the request to the end of the answer."""
        outcome = outcome_of(decision)
        return show.milliseconds(outcome.latency_us if outcome else None)

    @admin.display(description="Tokens in / out")
    def tokens(self, decision: Decision) -> str:
        """As reported."""
        outcome = outcome_of(decision)
        if outcome is None or outcome.prompt_tokens is None:
            return show.NOTHING
        return f"{show.number(outcome.prompt_tokens)} / {show.number(outcome.completion_tokens)}"

    @admin.display(description="Cost")
    def cost(self, decision: Decision) -> SafeString | str:
        """In dollars, with its state where it is not exact."""
        outcome = outcome_of(decision)
        return show.cost(outcome.cost_pico, outcome.cost_state) if outcome else show.NOTHING

    @admin.display(description="Request id")
    def request_shown(self, decision: Decision) -> SafeString:
        """The caller's id of the request."""
        return format_html('<span class="iw-id">{}</span>', decision.request_id or show.NOTHING)


class EnvironmentSnapshotAdmin(ReadOnlyAdmin[EnvironmentSnapshot]):
    """The routing variables under which decisions were made."""

    list_display = ("id", "first_seen", "set_variables")
    fields = ("id", "first_seen", "variables")
    readonly_fields = fields
    empty_note = "No environment yet: one is stored with the first decision."

    @admin.display(description="First seen (UTC)", ordering="first_seen_at")
    def first_seen(self, row: EnvironmentSnapshot) -> SafeString | str:
        """When the first decision was made under it."""
        return show.moment(row.first_seen_at)

    @admin.display(description="Variables set")
    def set_variables(self, row: EnvironmentSnapshot) -> int:
        """How many routing variables it holds."""
        return len(_values(row))

    @admin.display(description="Routing variables")
    def variables(self, row: EnvironmentSnapshot) -> SafeString | str:
        """Each with its value; no other variable is ever stored."""
        pairs = (f"{name} = {value or '(blank)'}" for name, value in sorted(_values(row).items()))
        return show.lines(pairs) or "None was set."


def _values(row: EnvironmentSnapshot) -> dict[str, str]:
    try:
        found = json.loads(row.values)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
