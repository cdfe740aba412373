"""The change list: one line for each change of the configuration, and for what became otherwise without one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iwrouting.admin.base import ReadOnlyAdmin
from iwrouting.admin.change_export import FORMS, MOST, exported
from iwrouting.admin.change_filters import FILTERS, rows_asked, search
from iwrouting.admin.change_page import page, told_fields
from iwrouting.admin.differences import LIST, TONES, shortened, shown_fields
from iwrouting.admin.show import NOTHING, admin_url, badge, lines, link, moment
from iwrouting.models import Change, HistoryRow
from iwrouting.types import ChangeKind, Operation

MOST_ROWS = 4
"""Rows of one change that the list shows."""

MOST_FIELDS = 4
QUIET = {ChangeKind.CONFIGURATION}
KNOWN = {ALL_VAR, ERROR_FLAG, PAGE_VAR, SEARCH_VAR, *(each.parameter_name for each in FILTERS)}
"""What the address of the list may say."""

INSTEAD = "enter the number of a revision, or the whole name of a row, as the search."


class Lines(ChangeList):
    """A page of changes: one query for them, one for the first rows of each."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's lines with their rows, those that are asked for where the address names some."""
        super().get_results(request)
        found = list(self.result_list)
        rows = first_rows([line.revision for line in found if line.revision is not None], request.GET.dict())
        for line in found:
            line.rows = rows.get(line.revision, [])
        self.result_list = found


def first_rows(revisions: list[int], params: dict[str, str]) -> dict[int, list[Any]]:
    """By revision its first rows, each with the number of all of them (`total`)."""
    place = Window(RowNumber(), partition_by=F("revision"), order_by="id")
    total = Window(Count("*"), partition_by=F("revision"))
    rows = HistoryRow.objects.filter(rows_asked(params), revision__in=revisions).defer("content")
    rows = rows.annotate(place=place, total=total).filter(place__lte=MOST_ROWS)
    found: dict[int, list[Any]] = {}
    for row in rows.order_by("id"):
        found.setdefault(row.revision, []).append(row)
    return found


class ChangeAdmin(ReadOnlyAdmin[Change]):
    """The list of changes and the page of each; read only, for everybody."""

    list_display = ("at_shown", "author", "via", "what", "reason", "revision_shown")
    list_display_links = ("at_shown",)
    list_filter = FILTERS
    sortable_by = ()
    search_fields = ("revision",)
    search_help_text = "A revision, or the whole name of an alias, project, model, upstream or key."
    show_full_result_count = False
    empty_note = "No changes yet. Everything that is saved here, by the API or by a command, becomes a line."
    change_list_template = "admin/iwrouting/change/change_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that reads the rows with its page."""
        return Lines

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact search by revision or name."""
        term = search_term.strip()
        return (search(queryset, term) if term else queryset), False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Our filters alone."""
        return lookup in {each.parameter_name for each in FILTERS}

    def get_urls(self) -> list[URLPattern]:
        """With the exports, and the address of a revision."""
        own = [
            path("export/<str:form>/", self.admin_site.admin_view(self.export), name="iwrouting_change_export"),
            path("revision/<int:number>/", self.admin_site.admin_view(self.revision), name="iwrouting_change_revision"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with links that export what it is filtered to."""
        if unknown := [(name, str(value)) for name, value in request.GET.items() if name not in KNOWN]:
            return self._without(request, unknown)
        query = request.GET.copy()
        query.pop("p", None)
        exports = [
            (form, f"{reverse('admin:iwrouting_change_export', args=[form])}?{query.urlencode()}") for form in FORMS
        ]
        return super().changelist_view(request, {"exports": exports, **(extra_context or {})})

    def _without(self, request: HttpRequest, unknown: list[tuple[str, str]]) -> HttpResponse:
        """To the list without what it can't be filtered by, which the list tells."""
        self.require_view(request)
        query = request.GET.copy()
        for name, value in unknown:
            query.pop(name)
            text = f"'{name[:40]}={value[:40]}' is no filter of this list: {INSTEAD}"
            self.message_user(request, text, messages.WARNING)
        return HttpResponseRedirect(f"{reverse(f'admin:{LIST}')}?{query.urlencode()}")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one change."""
        self.require_view(request)
        line = self.get_object(request, object_id)
        if line is None:
            self.message_user(request, f"There is no change {object_id}.", messages.WARNING)
            return HttpResponseRedirect(reverse(f"admin:{LIST}"))
        context = {**self.admin_site.each_context(request), **page(request.user, line), "opts": self.opts}
        return TemplateResponse(request, "admin/iwrouting/change/page.html", context)

    def revision(self, request: HttpRequest, number: int) -> HttpResponse:
        """To the page of the change that became a revision."""
        self.require_view(request)
        line = Change.objects.filter(revision=number).only("pk").first()
        if line is None:
            raise Http404(f"No change became revision {number}.")
        return HttpResponseRedirect(admin_url("change", "change", line.pk))

    def export(self, request: HttpRequest, form: str) -> HttpResponse:
        """The lines of the current filter as a file."""
        self.require_view(request)
        if form not in FORMS:
            raise Http404(f"There is no export as {form[:20]!r}: csv and jsonl.")
        found = self.get_changelist_instance(request).queryset
        count = found.count()
        if count > MOST:
            text = f"These are {count:,} changes, and an export takes {MOST:,}: choose a shorter time or a filter."
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(f"{reverse(f'admin:{LIST}')}?{request.GET.urlencode()}")
        return exported(found, rows_asked(request.GET.dict()), form)

    @admin.display(description="At (UTC)", ordering="at")
    def at_shown(self, line: Change) -> SafeString | str:
        """When it was committed."""
        return moment(line.at)

    @admin.display(description="What: field, old → new")
    def what(self, line: Any) -> SafeString | str:
        """The first rows of a change with what became of them; what an event tells of."""
        kind = format_html("{} ", badge(line.kind.replace("_", "-"), "info")) if line.kind not in QUIET else ""
        rows = [_row(row) for row in line.rows]
        more = line.rows[0].total - len(line.rows) if line.rows else 0
        if more:
            rows.append(link(admin_url("change", "change", line.pk), f"and {more:,} more"))
        return format_html("{}{}", kind, lines(rows or _told(line)))

    @admin.display(description="Revision", ordering="revision")
    def revision_shown(self, line: Change) -> SafeString | str:
        """The revision that it became."""
        return NOTHING if line.revision is None else link(admin_url("change", "change", line.pk), line.revision)


def _row(row: HistoryRow) -> SafeString:
    fields = list(shown_fields(json.loads(row.changed))) if row.operation == Operation.CHANGE else []
    told = [f"{each.name}: {shortened(each.before)} → {shortened(each.after)}" for each in fields[:MOST_FIELDS]]
    if len(fields) > MOST_FIELDS:
        told.append(f"and {len(fields) - MOST_FIELDS} more fields")
    word = badge(row.operation, TONES[Operation(row.operation)]) if row.operation != Operation.CHANGE else ""
    here = link(f"?{history_query(row)}", f"{row.object_type} {row.name}")
    return format_html('{} {} <span class="iw-change">{}</span>', here, word, "; ".join(told))


def history_query(row: HistoryRow) -> str:
    """The filter by one row."""
    return f"object={row.object_type}:{row.object_id}"


def _told(line: Change) -> Iterable[SafeString | str]:
    """What a line tells that wrote no rows: what came to which row, or which variables became otherwise."""
    details = json.loads(line.details)
    if {"object_type", "object_id", "name", "what"} <= details.keys():
        row = f"{details['object_type']}:{details['object_id']}"
        return [
            format_html("{} {}", link(f"?object={row}", f"{details['object_type']} {details['name']}"), details["what"])
        ]
    if details.get("discarded"):
        return ["what SQL had changed was discarded"]
    return [f"{each.name}: {shortened(each.before)} → {shortened(each.after)}" for each in told_fields(details)]
