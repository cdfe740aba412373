"""Our own ledger, read from the database in windows of decision ids: constant memory, no long transaction.

In each window the outcomes are read before the attempts and these before the decisions: whoever sees an outcome must
see what was committed with it or before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Model, Q, QuerySet

from iwrouting.conf import settings
from iwrouting.models import Attempt, Decision, Outcome, QuarantinedRow, Writer
from iwrouting.reports.reconcile.lines import Decided, Ended, Tried
from iwrouting.types.ids import A_MS, EPOCH, first_id

WINDOW = 2_000
HALF_A_MS = 0.0005
FIRST = str(UUID(int=0))

DECIDED = (
    "id",
    "project",
    "request_id",
    "model_asked",
    "endpoint",
    "is_stream",
    "is_test",
    "writer_id",
    "client_retry",
    "key_id",
    "model_resolved",
    "upstream",
    "estimate_tokens",
)
TRIED = ("decision_id", "seq", "kind", "model", "upstream", "status", "error_type", "upstream_request_id")
ENDED = (
    "decision_id",
    "origin",
    "result",
    "status",
    "model_served",
    "upstream_served",
    "calls",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "tokens_source",
    "cost_pico",
    "cost_state",
    "ended_at",
)


@dataclass(frozen=True, slots=True)
class Span:
    """Decisions from `start` up to, not including, `end`: aware times; None: no bound. `using`: the database."""

    start: datetime | None = None
    end: datetime | None = None
    using: str = "default"

    def within(self, low: float | None, high: float | None) -> Span:
        """The same, with an open end at these Unix times where they are known; `high` belongs to it."""
        start = self.start if self.start or low is None else datetime.fromtimestamp(low, UTC)
        end = self.end if self.end or high is None else datetime.fromtimestamp(high + 0.001, UTC)
        return Span(start, end, self.using)

    @property
    def seconds(self) -> tuple[float, float]:
        """The Unix times between which the ids of its decisions lie, with a margin: ids hold milliseconds."""
        low = -inf if self.start is None else self.start.timestamp() - HALF_A_MS
        return low, inf if self.end is None else self.end.timestamp() - HALF_A_MS


@dataclass(frozen=True, slots=True)
class Window:
    """Our rows of some decisions that follow on each other, each list in the order of the decisions' ids."""

    decided: list[Decided]
    tried: list[Tried]
    ended: list[Ended]


def windows(span: Span) -> Iterator[Window]:
    """All rows of the span. Raises django.db.DatabaseError."""
    for low, high in _bounds(span):
        ended = _rows(Outcome, ENDED, span, low, high)
        tried = _rows(Attempt, TRIED, span, low, high)
        decided = _rows(Decision, DECIDED, span, low, high)
        yield Window(
            [Decided(str(row[0]), *row[1:]) for row in decided],
            [Tried(str(row[0]), *row[1:]) for row in tried],
            [Ended(str(row[0]), *row[1:]) for row in ended],
        )


def requests(span: Span) -> Iterator[tuple[str, str, int]]:
    """Every decision that has a request id: that id, the decision, and the number of the client's own retry."""
    for low, high in _bounds(span):
        for decision, request, retry in _rows(Decision, ("id", "request_id", "client_retry"), span, low, high):
            if request:
                yield request, str(decision), retry or 0


def upstream_requests(span: Span) -> Iterator[tuple[str, str, int]]:
    """Every attempt that has the provider's id: that id, the decision, the number of the attempt."""
    for low, high in _bounds(span):
        for decision, request, seq in _rows(Attempt, ("decision_id", "upstream_request_id", "seq"), span, low, high):
            if request:
                yield request, str(decision), seq


def undrained(using: str) -> dict[str, float]:
    """The writers whose journals may hold rows that the database lacks, and the Unix time at which each began.

    One that says so; and one that has fallen silent without an end, until it is swept: nobody knows what it holds.
    """
    silent = datetime.now(UTC) - timedelta(seconds=settings().writer_dead_s)
    holds = Q(journal_bytes__gt=0) | Q(ended_at=None) & (~Q(mode="database") | Q(heartbeat_at__lt=silent))
    rows = Writer.objects.using(using).filter(holds, swept_at=None)
    return {row.id: row.started_at.timestamp() for row in rows}


def quarantined(using: str) -> frozenset[str]:
    """The decisions of which a row is not in its table, but in quarantine. Of a duplicate the table has the other."""
    kept = QuarantinedRow.objects.using(using).exclude(decision_id=None).exclude(reason="duplicate")
    return frozenset(map(str, kept.values_list("decision_id", flat=True).iterator()))


def unfinished(using: str) -> frozenset[str]:
    """The writers that may still close decisions of theirs, or have them closed."""
    rows = Writer.objects.using(using).filter(ended_at=None, swept_at=None)
    return frozenset(rows.values_list("id", flat=True))


def _bounds(span: Span) -> Iterator[tuple[str, str | None]]:
    """The decisions after which a window begins and up to which it goes; None: to the end of the span."""
    low: str | None = FIRST if span.start is None else str(first_id(span.start))
    while low is not None:
        ids = _between(Decision, "id", span, low, None).values_list("id", flat=True)[WINDOW - 1 : WINDOW]
        high = next((str(each) for each in ids), None)
        yield low, high
        low = high


def _rows(model: type[Model], columns: tuple[str, ...], span: Span, low: str, high: str | None) -> Any:
    return list(_between(model, columns[0], span, low, high).values_list(*columns))


def _between(model: type[Model], key: str, span: Span, low: str, high: str | None) -> QuerySet[Any]:
    """Rows whose decision comes after `low`, up to `high`, in the order of the decisions."""
    rows: QuerySet[Any] = model._default_manager.using(span.using)
    found = rows.filter(**{f"{key}__gt": low})
    if high is not None:
        found = found.filter(**{f"{key}__lte": high})
    elif span.end is not None:
        found = found.filter(**{f"{key}__lt": str(first_id(span.end))})
    if connections[span.using].vendor == "postgresql":
        found = _in_partitions(found, span, low, high)
    return found.order_by(key, "seq") if model is Attempt else found.order_by(key)


def _in_partitions(rows: QuerySet[Any], span: Span, low: str, high: str | None) -> QuerySet[Any]:
    """The same rows: their times say what their ids say, and let PostgreSQL pass over whole partitions.

    SQLite would take its index of the times, and sort.
    """
    found = rows.filter(decision_at__gte=_moment(low))
    if high is not None:
        return found.filter(decision_at__lte=_moment(high))
    return found if span.end is None else found.filter(decision_at__lt=span.end)


def _moment(decision: str) -> datetime:
    milliseconds = int(decision[:8] + decision[9:13], 16)
    return EPOCH + milliseconds * A_MS
