"""Filters, search and paging of the decisions' list: bounded in time, exact, and never a scan for choices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from iwrouting.admin.filters import ChoiceFilter, project_choices
from iwrouting.admin.typed import TypedPaginator
from iwrouting.audit import decision_time
from iwrouting.models import Alias
from iwrouting.reports.export.asked import OPEN, RESULT, Asked
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
PATIENCE_S = 10.0
"""For one statement of the list."""


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
        """By the outcome that counts: a sweeper's does where it is alone."""
        value = self.value()
        return asked(request, value).of(queryset) if value else queryset


def asked(request: HttpRequest, result: str | None) -> Asked:
    """What the filters on time and result ask for."""
    return Asked(start=window_start(request), lookups={RESULT: result} if result else {})


def hints(request: HttpRequest) -> str:
    """Statements for PostgreSQL before the list is read."""
    result = request.GET.get(ResultFilter.parameter_name)
    return "SET LOCAL jit = off; " if result == OPEN else asked(request, result).hints or "SET LOCAL jit = off; "


def shorter(request: HttpRequest) -> str:
    """The name of the next shorter time preset, or an empty string."""
    names = list(WINDOWS)
    place = names.index(window_of(request))
    return names[place - 1] if place else ""


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
