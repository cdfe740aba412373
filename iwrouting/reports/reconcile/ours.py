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

from django.db.models import Model, QuerySet

from iwrouting.models import Attempt, Decision, Outcome, Writer
from iwrouting.reports.reconcile.lines import Decided, Ended, Tried

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
)
TRIED = (
    "decision_id",
    "seq",
    "kind",
    "model",
    "upstream",
    "endpoint",
    "status",
    "error_type",
    "error_code",
    "upstream_request_id",
)
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
    low: str | None = FIRST
    while low is not None:
        high = _end_of_window(span, low)
        ended = _rows(Outcome, ENDED, span, low, high)
        tried = _rows(Attempt, TRIED, span, low, high)
        decided = _rows(Decision, DECIDED, span, low, high)
        yield Window(
            [Decided(str(row[0]), *row[1:]) for row in decided],
            [Tried(str(row[0]), *row[1:]) for row in tried],
            [Ended(str(row[0]), *row[1:]) for row in ended],
        )
        low = high


def requests(span: Span) -> Iterator[tuple[str, str, int]]:
    """Every decision that has a request id: that id, the decision, and the number of the client's own retry."""
    for window in _decided_windows(span):
        yield from ((row.request, row.decision, row.retry or 0) for row in window if row.request)


def upstream_requests(span: Span) -> Iterator[tuple[str, str, int]]:
    """Every attempt that has the provider's id: that id, the decision, the number of the attempt."""
    for window in windows(span):
        yield from ((row.request, row.decision, row.seq) for row in window.tried if row.request)


def undrained(using: str) -> dict[str, float]:
    """The writers that hold rows which the database does not have yet, and the Unix time at which each began."""
    rows = Writer.objects.using(using).filter(journal_bytes__gt=0) | Writer.objects.using(using).filter(queued__gt=0)
    return {row.id: row.started_at.timestamp() for row in rows.filter(swept_at=None)}


def unfinished(using: str) -> frozenset[str]:
    """The writers that may still close decisions of theirs, or have them closed."""
    rows = Writer.objects.using(using).filter(ended_at=None, swept_at=None)
    return frozenset(rows.values_list("id", flat=True))


def _decided_windows(span: Span) -> Iterator[list[Decided]]:
    low = FIRST
    while high := _end_of_window(span, low):
        yield [Decided(str(row[0]), *row[1:]) for row in _rows(Decision, DECIDED, span, low, high)]
        low = high
    yield [Decided(str(row[0]), *row[1:]) for row in _rows(Decision, DECIDED, span, low, None)]


def _end_of_window(span: Span, low: str) -> str | None:
    found = _between(Decision, "id", span, low, None).values_list("id", flat=True)[WINDOW - 1 : WINDOW]
    return next((str(each) for each in found), None)


def _rows(model: type[Model], columns: tuple[str, ...], span: Span, low: str, high: str | None) -> Any:
    return _between(model, columns[0], span, low, high).values_list(*columns)


def _between(model: type[Model], key: str, span: Span, low: str, high: str | None) -> QuerySet[Any]:
    """Rows whose decision comes after `low`, up to `high`, in the order of the decisions.

    The times say the same as the ids: they let PostgreSQL pass over whole partitions.
    """
    start = max(filter(None, (span.start, _moment(low))))
    found: QuerySet[Any] = model._default_manager.using(span.using).filter(
        **{f"{key}__gt": low, "decision_at__gte": start}
    )
    if span.end is not None:
        found = found.filter(decision_at__lt=span.end)
    if high is not None:
        found = found.filter(**{f"{key}__lte": high, "decision_at__lte": _moment(high)})
    return found.order_by(key, "seq") if model is Attempt else found.order_by(key)


def _moment(decision: str) -> datetime:
    milliseconds = int(decision[:8] + decision[9:13], 16)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
