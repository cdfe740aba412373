"""Breakers in the admin: what became of them, what is not closed now, and a new chance for a target."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from iwrouting.admin.actions import Doing, confirm
from iwrouting.admin.base import ReadOnlyAdmin
from iwrouting.admin.configuration import ConfigAdmin
from iwrouting.admin.filters import ChoiceFilter
from iwrouting.admin.show import NOTHING, admin_url, badge, link, moment, number
from iwrouting.models import BreakerEvent, Model, OpenChange, Upstream

S = TypeVar("S", Model, Upstream)
STATES = ("closed", "open", "half_open")
TONES = {"closed": "good", "open": "bad", "half_open": "warn"}
MAY_RESET = "iwrouting.change_breakerevent"
LOOK_BACK = timedelta(days=1)
MOST_EVENTS = 2_000
"""So many of the latest transitions tell what stands now."""


class ResetsBreakers(ConfigAdmin[S]):
    """Rows whose breakers can be reset: each save of one gives its targets a new chance, in every worker."""

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Operators', who may change breakers, and those who may change the rows anyway."""
        return request.user.has_perm(MAY_RESET) or self.has_change_permission(request)

    @admin.action(description="Reset breakers", permissions=["reset"])
    def reset_breakers(self, request: HttpRequest, queryset: QuerySet[S]) -> HttpResponse | None:
        """Save the chosen rows as they are, which voids the breakers that stand for them."""
        rows = list(queryset)

        def act(made: OpenChange) -> str:
            made.raise_anyway()
            for row in rows:
                row.save()
                self.log_change(request, row, "Reset its breakers.")
            return f"Reset the breakers of {self.counted(rows)}."

        note = "Every worker gives these targets a new chance with its next call."
        return confirm(self, request, rows, Doing("reset_breakers", "Reset the breakers of", act, note=note))


class BreakerStateFilter(ChoiceFilter):
    """Transitions by the state that they led to."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of a breaker."""
        return [(state, state) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The transitions to the chosen state."""
        return queryset.filter(state=self.value()) if self.value() else queryset


class BreakerEventAdmin(ReadOnlyAdmin[BreakerEvent]):
    """The transitions, newest first, below what is not closed now."""

    list_display = ("at_shown", "target", "change", "reason", "opened_for", "worker", "decision")
    list_filter = (BreakerStateFilter,)
    fields = ("at_shown", "target", "secret_ref", "change", "reason", "opened_for", "worker", "decision")
    readonly_fields = fields
    search_fields = ("model", "upstream")
    search_help_text = "A part of a model's or an upstream's name."
    show_full_result_count = False
    sortable_by = ()
    empty_note = "No breaker has opened yet."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with what stands."""
        return super().changelist_view(request, {"standing": shown_standing(timezone.now()), **(extra_context or {})})

    @admin.display(description="At (UTC)")
    def at_shown(self, event: BreakerEvent) -> SafeString | str:
        """When it changed."""
        return moment(event.at)

    @admin.display(description="Target")
    def target(self, event: BreakerEvent) -> str:
        """What it stands for."""
        return target_name(event)

    @admin.display(description="Change")
    def change(self, event: BreakerEvent) -> SafeString:
        """From what to what."""
        return badge(f"{event.before} → {event.state}", TONES.get(event.state, "plain"))

    @admin.display(description="Open for")
    def opened_for(self, event: BreakerEvent) -> str:
        """For how long it opened."""
        return NOTHING if event.open_ms is None else f"{number(round(event.open_ms / 1000))} s"

    @admin.display(description="Worker")
    def worker(self, event: BreakerEvent) -> str:
        """Whose breaker it is."""
        return event.writer_id[-12:] or NOTHING

    @admin.display(description="After decision")
    def decision(self, event: BreakerEvent) -> SafeString | str:
        """The call that made it change."""
        if event.decision_id is None:
            return NOTHING
        return link(admin_url("decision", "change", event.decision_id), str(event.decision_id)[-12:])


@dataclass(frozen=True, slots=True)
class Standing:
    """A breaker that is not closed, in as many workers as say the same of it."""

    target: str
    state: str
    reason: str
    since: datetime
    due: datetime | None
    workers: int = 1


def shown_standing(now: datetime) -> list[dict[str, Any]]:
    """What is not closed now, as the page shows it."""
    return [
        {
            "target": each.target,
            "state": badge(each.state, TONES[each.state]),
            "reason": each.reason,
            "workers": each.workers,
            "since": moment(each.since),
            "probe": moment(each.due) if each.due else "under way",
        }
        for each in standing(now)
    ]


def standing(now: datetime) -> list[Standing]:
    """The breakers that are not closed by the transitions of the last day, one of several workers' being the latest."""
    latest: dict[tuple[str, ...], BreakerEvent] = {}
    for event in BreakerEvent.objects.filter(at__gte=now - LOOK_BACK).order_by("-at", "-id")[:MOST_EVENTS]:
        latest.setdefault((event.writer_id, event.upstream, event.model, event.secret_ref), event)
    found: dict[tuple[str, str], Standing] = {}
    workers = Counter[tuple[str, str]]()
    for event in latest.values():
        if event.state in ("open", "half_open"):
            key = target_name(event), event.state
            found.setdefault(key, _standing(event))
            workers[key] += 1
    return [replace(each, workers=workers[key]) for key, each in found.items()]


def _standing(event: BreakerEvent) -> Standing:
    due = None if event.open_ms is None else event.at + timedelta(milliseconds=event.open_ms)
    return Standing(target_name(event), event.state, event.reason, event.at, due)


def target_name(event: BreakerEvent) -> str:
    """What a breaker stands for, in words."""
    return f"{event.model} at {event.upstream}" if event.model else f"the account at {event.upstream}"
