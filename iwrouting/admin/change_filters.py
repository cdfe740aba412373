"""Filters and search of the change list: who, which kind, which row, by which way, since when. All in the address."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from iwrouting.admin.decision_filters import ALL, WINDOWS
from iwrouting.admin.filters import MOST_CHOICES, ChoiceFilter
from iwrouting.models import Change, HistoryRow
from iwrouting.models.contents import CONFIGURATION
from iwrouting.types import ChangeKind, Via

TYPE, OBJECT = "type", "object"


def rows_asked(params: Mapping[str, str]) -> Q:
    """The condition on history rows that an address names: a kind of rows, one row, a whole name. Empty for none."""
    condition = Q()
    if params.get(TYPE):
        condition &= Q(object_type=params[TYPE])
    if params.get(OBJECT):
        word, _, number = params[OBJECT].partition(":")
        condition &= Q(object_type=word, object_id=int(number)) if is_number(number) else Q(pk__in=[])
    term = params.get(SEARCH_VAR, "").strip()
    if term and not is_number(term):
        condition &= Q(name=term)
    return condition


def events_of(reference: str) -> Q:
    """The condition on lines without a revision that tell of a row, as `alias:12`, or of any row of a kind."""
    word, colon, number = reference.partition(":")
    if colon and not is_number(number):
        return Q(pk__in=[])
    named = Q(revision__isnull=True, details__contains=f'"object_type": {json.dumps(word)}')
    return named & Q(details__contains=f'"object_id": {number},') if colon else named


def is_number(text: str) -> bool:
    """Whether a text is a whole number that a database can hold."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def search(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Exact search: a revision, or the name of a row."""
    named = Q(revision__in=HistoryRow.objects.filter(name=term).values("revision"))
    named |= Q(revision__isnull=True, details__contains=f'"name": {json.dumps(term)}')
    return queryset.filter(named | Q(revision=int(term)) if is_number(term) else named)


class RowFilter(ChoiceFilter):
    """A filter on the rows that a change wrote."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The changes that wrote such a row, and lines without a revision that tell of it."""
        value = self.value()
        if not value:
            return queryset
        rows = HistoryRow.objects.filter(rows_asked({str(self.parameter_name): value})).values("revision")
        return queryset.filter(Q(revision__in=rows) | self.told(value))

    def told(self, value: str) -> Q:
        """Lines of events that tell of such a row."""
        return events_of(value)


class TypeFilter(RowFilter):
    """Changes of one kind of rows."""

    title, parameter_name = "what", TYPE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds of rows."""
        return [(word, word) for word in CONFIGURATION]


class ObjectFilter(RowFilter):
    """Changes of one row, as `alias:12`: a link of that row's page leads here."""

    title, parameter_name = "object", OBJECT

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one in force, by its name."""
        asked = request.GET.get(OBJECT, "")
        row = (
            HistoryRow.objects.filter(rows_asked({OBJECT: asked})).only("name", "object_type").first()
            if asked
            else None
        )
        return [(asked, f"{row.object_type} {row.name}")] if row is not None else []

    def has_output(self) -> bool:
        """Only while one is chosen: there are too many to choose from."""
        return bool(self.value())


class AuthorFilter(ChoiceFilter):
    """Changes by one person or process."""

    title, parameter_name = "who", "author"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those who have changed something."""
        names = Change.objects.order_by("author").values_list("author", flat=True).distinct()
        return [(name, name) for name in names[:MOST_CHOICES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Their changes."""
        return queryset.filter(author=self.value()) if self.value() else queryset


class ViaFilter(ChoiceFilter):
    """Changes by one way."""

    title = parameter_name = "via"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The ways."""
        return [(via.value, via.value) for via in Via]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The changes that came that way."""
        return queryset.filter(via=self.value()) if self.value() else queryset


class KindFilter(ChoiceFilter):
    """Lines of one kind: changes of the configuration, or what became otherwise without one."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds."""
        return [(kind.value, kind.value.replace("_", "-")) for kind in ChangeKind]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The lines of that kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TimeFilter(ChoiceFilter):
    """The time preset; all times without one."""

    title, parameter_name = "time", "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The presets."""
        return [(name, words) for name, (words, _) in WINDOWS.items()]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The presets alone: all times are one of them."""
        chosen = self.value() if self.value() in WINDOWS else ALL
        for name, (words, _) in WINDOWS.items():
            address = changelist.get_query_string({self.parameter_name: name})
            yield {"selected": name == chosen, "query_string": address, "display": words}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The lines since then."""
        span = WINDOWS.get(self.value() or ALL, WINDOWS[ALL])[1]
        return queryset if span is None else queryset.filter(at__gte=timezone.now() - span)


FILTERS = (TimeFilter, KindFilter, TypeFilter, ObjectFilter, AuthorFilter, ViaFilter)
