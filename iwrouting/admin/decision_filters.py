"""Filters, search and paging of the decisions' list: bounded in time, exact, and never a scan for choices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from iwrouting.admin.filters import ChoiceFilter, project_choices
from iwrouting.admin.typed import TypedPaginator
from iwrouting.audit import decision_time
from iwrouting.models import Alias, Outcome
from iwrouting.types import Result, Source

MOST_COUNTED = 10_000
DAY = "24h"
ALL = "all"
WINDOWS = {
    "1h": ("1 h", timedelta(hours=1)),
    DAY: ("24 h", timedelta(days=1)),
    "7d": ("7 d", timedelta(days=7)),
    "30d": ("30 d", timedelta(days=30)),
    ALL: ("all", None),
}
OPEN = "open"


class CappedPaginator(TypedPaginator):
    """Counts to 10,000 and no further; `capped` says that there are more."""

    @cached_property
    def found(self) -> int:
        """The rows found, or one more than are counted."""
        rows: Any = self.object_list
        return int(rows.order_by()[: MOST_COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        """The rows that can be paged through."""
        return min(self.found, MOST_COUNTED)

    @property
    def capped(self) -> bool:
        """Whether there are more than are counted."""
        return self.found > MOST_COUNTED


def window_of(request: HttpRequest) -> str:
    """The time preset in force: the one asked for, else all for a search, else the last day."""
    asked = request.GET.get(WindowFilter.parameter_name, "")
    if asked in WINDOWS:
        return asked
    return ALL if request.GET.get(SEARCH_VAR, "").strip() else DAY


def window_start(request: HttpRequest) -> datetime | None:
    """Since when decisions are looked at, or None for all."""
    span = WINDOWS[window_of(request)][1]
    return None if span is None else timezone.now() - span


class WindowFilter(ChoiceFilter):
    """The time preset; without one the last 24 hours, or all times where something is searched for."""

    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The presets."""
        return [(name, words) for name, (words, _) in WINDOWS.items()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The presets alone: there is no choice without one."""
        chosen = window_of(self.request)
        for name, (words, _) in WINDOWS.items():
            address = changelist.get_query_string({self.parameter_name: name})
            yield {"selected": name == chosen, "query_string": address, "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The decisions since then."""
        start = window_start(request)
        return queryset if start is None else queryset.filter(decision_at__gte=start)


class ResultFilter(ChoiceFilter):
    """How a decision ended; `open` has no outcome yet."""

    title = "result"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The results, and open."""
        return [*((result.value, result.value) for result in Result), (OPEN, "open (no outcome yet)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Driven by the outcomes' index on result and time; a sweeper's outcome counts only where it is alone."""
        value = self.value()
        if not value:
            return queryset
        same = Outcome.objects.filter(decision_id=OuterRef("pk"), decision_at=OuterRef("decision_at"))
        if value == OPEN:
            return queryset.filter(~Exists(same))
        twin = Outcome.objects.filter(
            decision_id=OuterRef("decision_id"), decision_at=OuterRef("decision_at"), origin="server"
        )
        outcomes = Outcome.objects.filter(Q(origin="server") | ~Exists(twin), result=value)
        start = window_start(request)
        if start is not None:
            outcomes = outcomes.filter(decision_at__gte=start)
        return queryset.filter(pk__in=outcomes.values("decision_id"))


class TextFilter(ChoiceFilter):
    """One of the audit's text columns, with choices that are configured, never read from the audit."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The decisions with that text."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class SourceFilter(TextFilter):
    """Where the model came from."""

    title = parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The sources."""
        return [(source.value, source.value) for source in Source]


class AliasFilter(TextFilter):
    """What was asked for."""

    title = parameter_name = "alias"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The aliases of now; one that is gone can still stand in the address."""
        return [(name, name) for name in Alias.objects.values_list("name", flat=True)]


class ProjectTextFilter(TextFilter):
    """Who asked."""

    title = parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The projects of now; one that is gone can still stand in the address."""
        return project_choices()


FILTERS = (WindowFilter, ResultFilter, SourceFilter, AliasFilter, ProjectTextFilter)


def id_condition(decision_id: UUID) -> Q:
    """The condition for the decision of an id, or one that nothing meets.

    Its time stands in the id: with it PostgreSQL looks into one partition instead of all (stack.md 1).
    """
    try:
        return Q(pk=decision_id, decision_at=decision_time(decision_id.hex))
    except OverflowError:
        return Q(pk__in=[])


def search(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Exact search: a decision id, dashed or not, else a request id or a run id."""
    try:
        found = queryset.filter(id_condition(UUID(term)))
    except ValueError:
        found = queryset.none()
    return found if found.exists() else queryset.filter(Q(request_id=term) | Q(run_id=term))
