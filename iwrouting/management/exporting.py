"""What `audit_export` writes: rows of the audit or of the change list in portions, each up to an id to go on after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from iwrouting.api.management.history.lines import ABOUT
from iwrouting.api.management.history.lines import FILTERS as CHANGE_FILTERS
from iwrouting.api.management.listing.filters import END, FILTERS, START
from iwrouting.api.management.resources.filters import Filters, lookups
from iwrouting.audit import decision_time
from iwrouting.errors import BadRequest
from iwrouting.models import Change, HistoryRow
from iwrouting.reports.export import walk
from iwrouting.reports.export.asked import Asked
from iwrouting.reports.export.changes import COLUMNS, sheet_rows, told
from iwrouting.reports.export.wide import columns_of, wide_rows
from iwrouting.snapshot.moments import moment_text
from iwrouting.types.sheets import as_line

CHANGES = "changes"
"""The list of changes; the others are views."""

VIEWS = {"decisions": "rpt_decisions_v1", "attempts": "rpt_attempts_v1", "fallbacks": "rpt_fallbacks_v1"}
JSONL, CSV = "jsonl", "csv"
Row = Mapping[str, Any]
Lines = tuple[QuerySet[Change], QuerySet[HistoryRow]]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows. `last`: the decision or change that they go up to, whole; `at`: the time of it."""

    rows: Sequence[Row]
    last: str
    at: datetime


def filters_of(what: str) -> Filters:
    """The filters of one kind of export, by name, as the API has them; its times are options of their own."""
    found = {**CHANGE_FILTERS, **ABOUT} if what == CHANGES else FILTERS
    return {name: each for name, each in found.items() if name not in (START, END, "at__gte", "at__lt")}


def portions(
    what: str, said: Mapping[str, str], start: datetime | None, end: datetime, after: str, form: str
) -> Iterator[Portion]:
    """All that is asked for, the oldest first. Raises BadRequest before the first, and django.db.DatabaseError.

    said: filters of `filters_of`, as texts. start, end: half open. after: go on after this id, where it is not empty.
    """
    if unknown := sorted(said.keys() - filters_of(what)):
        known = ", ".join(sorted(filters_of(what)))
        raise BadRequest(f"{unknown[0]}: unknown filter of {what}; known are {known}.")
    if what == CHANGES:
        return _portions_of_changes(_changes(said, start, end), _number(after), form)
    asked = Asked(start, end, None, lookups(filters_of(what), said))
    return _decisions(VIEWS[what], asked, end, _place(after))


def columns(what: str) -> Sequence[str]:
    """The headings of a sheet."""
    return COLUMNS if what == CHANGES else columns_of(VIEWS[what])


def line_maker(form: str, headings: Sequence[str]) -> Callable[[Row], str]:
    """What makes a line of a row."""
    if form == CSV:
        return lambda row: as_line(row.get(name) for name in headings)
    return lambda row: f"{json.dumps(row)}\n"


def _decisions(view: str, asked: Asked, end: datetime, after: walk.Place | None) -> Iterator[Portion]:
    for found in walk.decisions(asked, end, after):
        yield Portion(list(wide_rows(view, found)), str(found[-1].pk), found[-1].decision_at)


def _changes(said: Mapping[str, str], start: datetime | None, end: datetime) -> Lines:
    """The changes asked for, and the rows that are told with them. Raises BadRequest."""
    lines = Change.objects.filter(at__lt=end, **lookups(CHANGE_FILTERS, said))
    rows = HistoryRow.objects.filter(**lookups(ABOUT, said))
    if ABOUT.keys() & said.keys():
        lines = lines.filter(revision__in=rows.order_by().values("revision"))
    return (lines if start is None else lines.filter(at__gte=start)), rows


def _portions_of_changes(lines: Lines, after: int | None, form: str) -> Iterator[Portion]:
    asked, rows = lines
    for found in walk.changes(asked, after):
        each = told(found, rows)
        yield Portion(list(sheet_rows(each) if form == CSV else each), str(found[-1].pk), found[-1].at)


def _place(after: str) -> walk.Place | None:
    if not after:
        return None
    try:
        ident = UUID(after)
        return walk.Place(decision_time(ident.hex), ident)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"--after: {after[:80]!r} is no decision id: take the last one of the export before."
        ) from None


def _number(after: str) -> int | None:
    if not after:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadRequest(f"--after: {after[:80]!r} is no change: take the last one of the export before.")
    return int(after)


def up_to(portion: Portion) -> str:
    """Where a portion ends, in words."""
    return f"{moment_text(portion.at.astimezone(UTC))} ({portion.last})"
