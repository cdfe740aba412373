"""Decisions and changes from the oldest on, a few at a time: constant memory, and no statement that takes long.

Each statement reads at most CHUNK rows out of at most one day. Between two of them nothing is held: retention, a
migration or a standby's replay waits for one statement, never for a whole export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from iwrouting.models import Change, Decision
from iwrouting.models.patience import cursor_for
from iwrouting.reports.export.asked import Asked

CHUNK = 1_000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A decision, which may not be there, as a place among the others."""

    at: datetime
    pk: UUID

    @property
    def beyond(self) -> Q:
        """The decisions after it. The time is bounded on its own, so that an index of it leads here at once."""
        return Q(decision_at__gte=self.at) & (Q(decision_at__gt=self.at) | Q(pk__gt=self.pk))


def decisions(asked: Asked, end: datetime, after: Place | None = None) -> Iterator[list[Decision]]:
    """The decisions asked for before `end`, after a place if one is given; id and time alone are read.

    Raises django.db.DatabaseError.
    """
    times = Decision.objects.values_list("decision_at", flat=True)
    first, last = times.order_by("decision_at").first(), times.order_by("-decision_at").first()
    if first is None or last is None:
        return
    # An end in the year 9999 is nobody's wish to look at each of its days; what is decided meanwhile may come too.
    start = max(at for at in (first, asked.start, after.at if after else None) if at is not None)
    for low, high in _days(start, min(end, max(last, datetime.now(UTC)) + DAY)):
        place = after
        while found := _chunk(replace(asked, start=low, end=high), place):
            yield found
            place = Place(found[-1].decision_at, found[-1].pk)
            if len(found) < CHUNK:
                break


def _chunk(asked: Asked, after: Place | None) -> list[Decision]:
    rows = asked.rows().only("decision_at").order_by("decision_at", "pk")
    with cursor_for(None, asked.hints):
        return list((rows.filter(after.beyond) if after else rows)[:CHUNK])


def _days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The days (UTC) of a time, and what of the first and the last is in it."""
    while start < end:
        midnight = datetime.combine((start + DAY).date(), datetime.min.time(), UTC)
        yield start, min(midnight, end)
        start = midnight


def changes(lines: QuerySet[Change], after: int | None = None) -> Iterator[list[Change]]:
    """These changes in the order of their numbers, after one if it is given. Raises django.db.DatabaseError."""
    last = after
    while found := list((lines.filter(pk__gt=last) if last is not None else lines).order_by("pk")[:CHUNK]):
        yield found
        last = found[-1].pk
