"""Decisions without an outcome, and the rows that close them. Blocking: in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q

from iwrouting.audit.ids import decision_time, new_id
from iwrouting.audit.rows import OUTCOME, Row, finish_row
from iwrouting.audit.writing.budget import Settle
from iwrouting.conf import Settings
from iwrouting.models import Alias, Attempt, Decision, Outcome, RunReservation, Writer
from iwrouting.types import CostState, Result

ORIGIN_SWEEPER = "sweeper"
PAGE = 1000
OTHER_FOLDER = timedelta(minutes=10)
"""So long writers are waited for whose journal is elsewhere: their own host may replay it yet."""

UNSWEPT = Q(swept_at=None) | Q(heartbeat_at__gt=F("swept_at"))

CLOCKS = timedelta(hours=1)
"""By so much a host's clock may have stepped while a call was open."""


@dataclass(frozen=True, slots=True)
class Open:
    """A decision without an outcome."""

    id: UUID
    decision_at: datetime
    endpoint: str


def now() -> datetime:
    """The time by the clock that heartbeats are written by: the database's, where it has one."""
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found


def beating_writers(at: datetime, *, silent_s: float) -> set[str]:
    """Those that told of themselves within so many seconds before, and did not end."""
    since = at - timedelta(seconds=silent_s)
    return set(Writer.objects.filter(heartbeat_at__gte=since, ended_at=None).values_list("id", flat=True))


def ended_writers(at: datetime, *, dead_s: float, journal_id: str, wait_for: Sequence[str]) -> list[Writer]:
    """Those that ended or died by then and were not swept since, oldest first.

    `journal_id` is that of our own journals; those of other folders, and `wait_for`, are waited for longer. Who had no
    journal left none.
    """
    ours = Q(journal_id__in=[journal_id, ""]) & ~Q(id__in=wait_for)
    dead = Q(heartbeat_at__lt=at - timedelta(seconds=dead_s)) | Q(ended_at__isnull=False)
    late = Q(heartbeat_at__lt=at - max(OTHER_FOLDER, timedelta(seconds=dead_s)))
    return list(Writer.objects.filter(UNSWEPT, (ours & dead) | late).order_by("heartbeat_at", "id"))


def longest_call(conf: Settings) -> timedelta:
    """The longest time for which a call can be open."""
    aliases = Alias.objects.aggregate(most=Max("deadline_s"))["most"] or 0
    return timedelta(seconds=conf.stream_total_s + max(conf.deadline_s, aliases)) + CLOCKS


def open_decisions(writer_id: str, longest: timedelta) -> Iterator[list[Open]]:
    """A writer's decisions without an outcome, newest first, page by page; empty pages too.

    It goes back along the writer's own numbers, until no call can have been open for so long at its newest decision.
    So it reads neither other writers' rows nor, on PostgreSQL, months before.
    """
    # A writer's id tells when it began, by its own clock.
    begun = decision_time(writer_id) - CLOCKS
    newest = _page(writer_id, begun, None)[:1]
    if not newest:
        return
    since = newest[0]["decision_at"] - longest
    below: int | None = None
    while rows := list(_page(writer_id, max(begun, month_of(since)), below)[:PAGE]):
        yield [Open(row["id"], row["decision_at"], row["endpoint"]) for row in rows if row["is_open"]]
        # Not the last one's: usage that was told later carries the time of its call.
        if max(row["decision_at"] for row in rows) < since:
            return
        below = rows[-1]["writer_seq"]


def month_of(moment: datetime) -> datetime:
    """Where the partition begins that holds a moment. A later bound would make the last page read on to there."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _page(writer_id: str, since: datetime, below: int | None) -> Any:
    # Both bounds stand on both tables, as constants: so the planner leaves months out.
    within = (since, datetime.now(UTC) + timedelta(days=1))
    outcomes = Outcome.objects.filter(
        decision_id=OuterRef("id"), decision_at=OuterRef("decision_at"), decision_at__range=within
    )
    rows = Decision.objects.filter(writer_id=writer_id, decision_at__range=within)
    if below is not None:
        rows = rows.filter(writer_seq__lt=below)
    return rows.order_by("-writer_seq").values("id", "decision_at", "writer_seq", "endpoint", is_open=~Exists(outcomes))


def closing_rows(found: Sequence[Open]) -> list[tuple[Row, Settle | None]]:
    """For each the outcome that closes it, and what settles its run's reservation: all of it, for what it took nobody
    knows."""
    ids, times = [each.id for each in found], [each.decision_at for each in found]
    within = (min(times), max(times))
    sent = Attempt.objects.filter(decision_id__in=ids, decision_at__range=within, sent_at__isnull=False)
    calls = dict(sent.values("decision_id").annotate(calls=Count("id")).order_by().values_list("decision_id", "calls"))
    reserved = RunReservation.objects.filter(decision_id__in=ids).select_related("run")
    settles = {
        each.decision_id: Settle((each.run.project, each.run.run_id), str(each.decision_id), each.tokens)
        for each in reserved
    }
    return [(_outcome(each, calls.get(each.id, 0)), settles.get(each.id)) for each in found]


def _outcome(decision: Open, calls: int) -> Row:
    # A look at a stored response is not billed; of any other call nobody knows what it cost.
    state = CostState.NONE if decision.endpoint.startswith("responses.") else CostState.UNPRICED
    return finish_row(
        OUTCOME,
        {
            "id": new_id(),
            "decision_at": decision.decision_at,
            "decision_id": str(decision.id),
            "ended_at": datetime.now(UTC),
            "origin": ORIGIN_SWEEPER,
            "result": Result.INTERRUPTED.value,
            "calls": calls,
            "cost_state": state.value,
        },
    )
