"""Storing what happened: the decision before any call, attempts and outcome before the answer (G1)."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from iwrouting.audit import DECISION, OUTCOME, Row, Rows, Settle, Verdict, decision_time
from iwrouting.calls.answers import decision_headers, served_headers
from iwrouting.calls.budget import NOTHING_LEFT, refusal, settlement
from iwrouting.calls.counting import count_ended
from iwrouting.calls.cutting import cut_short, outlasting, shutting_down
from iwrouting.calls.draft import Draft, Ending
from iwrouting.calls.held import held_by, held_row
from iwrouting.calls.purse import Purse
from iwrouting.calls.service import Service
from iwrouting.calls.usage import settled
from iwrouting.dispatch import Job
from iwrouting.errors import AuditUnavailable, RoutingError
from iwrouting.pricing import NOTHING_SENT, UNPRICED, Cost, cost
from iwrouting.types import AttemptRecord, Result, Rung, Skip, Usage

log = logging.getLogger(__name__)
OUTCOME_PATIENCE_S = 5.0
LATE_PATIENCE_S = 60.0
"""Nobody waits for these rows, so a database that comes back within a minute still gets them."""


async def decide(service: Service, draft: Draft) -> None:
    """Return once the decision is durable. Raises AuditUnavailable, ShuttingDown, and Forbidden where its run's budget
    does not suffice: then nothing may be sent.
    """
    rows = [(DECISION, draft.decision_row())]
    if draft.purse is None:
        future = service.writer.submit(rows)
    else:
        over = failed_ending(Result.REFUSED, refusal(draft.purse, NOTHING_LEFT))
        future = service.writer.submit(rows, claim=draft.purse.reserve, if_refused=[(OUTCOME, draft.outcome_row(over))])
    try:
        # Shielded: a caller that leaves now must not take the row out of its batch.
        verdict = await asyncio.shield(future)
    except asyncio.CancelledError as gone:
        if draft.purse is None:
            _leave_undecided(service, draft, rows)
        else:
            future.add_done_callback(partial(_left, service, draft, rows))
        if not cut_short(gone):
            raise
        error = shutting_down()
        error.extra_headers = decision_headers(draft)
        raise error from None
    except AuditUnavailable as error:
        _refuse_late(service, draft, rows, error)
        raise
    if draft.purse is not None and verdict is not None:
        _grant(service, draft, draft.purse, verdict)


def _grant(service: Service, draft: Draft, purse: Purse, verdict: Verdict) -> None:
    """Take what the run's budget gave. Raises Forbidden where that is nothing: the refusal is stored then."""
    purse.granted = verdict.granted
    if verdict.granted is None:
        draft.closed = True
        error = refusal(purse, verdict)
        count_ended(service.meters, draft, (), failed_ending(Result.REFUSED, error))
        error.extra_headers = decision_headers(draft)
        raise error


def _left(service: Service, draft: Draft, rows: Rows, future: asyncio.Future[Verdict | None]) -> None:
    """Close a decision on a budget whose caller left before it was stored, unless it was stored as refused."""
    if future.cancelled() or future.exception() is not None:
        _leave_undecided(service, draft, rows)
        return
    verdict = future.result()
    if verdict is None or verdict.granted is not None:
        leave(service, draft, [], Ending(cut_result(service), None))


def _leave_undecided(service: Service, draft: Draft, rows: Rows) -> None:
    """Queue the very rows of a decision that is not known to be stored with its outcome: none may stand alone.

    A full queue takes them too: the decision itself may stand in it.
    """
    ending = Ending(cut_result(service), None)
    draft.closed = True
    count_ended(service.meters, draft, (), ending)
    _queue(service, draft, [*rows, (OUTCOME, draft.outcome_row(ending))], _settle(draft, [], ending), keep=True)


def cut_result(service: Service) -> Result:
    """The result of a call that was cancelled: its caller left, or we cut it short at the end of the drain."""
    return Result.INTERRUPTED if service.cutting else Result.CLIENT_CLOSED


def _refuse_late(service: Service, draft: Draft, rows: Rows, error: AuditUnavailable) -> None:
    """Queue the very rows of a request that got its 503 with its outcome: whether they were stored is not known."""
    ending = failed_ending(Result.REFUSED, error)
    count_ended(service.meters, draft, (), ending)
    _queue(service, draft, [*rows, (OUTCOME, draft.outcome_row(ending))], _settle(draft, [], ending))


async def refuse(service: Service, draft: Draft, error: RoutingError) -> None:
    """Store decision and outcome of a request that is refused before any call, in one commit."""
    await record(service, draft, failed_ending(Result.REFUSED, error))


async def record(service: Service, draft: Draft, ending: Ending) -> None:
    """Store decision and outcome in one commit. Raises AuditUnavailable."""
    rows = [(DECISION, draft.decision_row()), (OUTCOME, draft.outcome_row(ending))]
    draft.closed = True
    future = service.writer.submit(rows)
    count_ended(service.meters, draft, (), ending)
    await asyncio.shield(future)


async def close(service: Service, draft: Draft, job: Job, ending: Ending) -> None:
    """Store the attempts and the outcome in one commit. Raises AuditUnavailable that names the decision."""
    more = await settled(service, draft, ending) if draft.fetches else []
    rows = [*ended_rows(service, draft, job.attempts, ending), *more]
    draft.closed = True
    count_ended(service.meters, draft, job.attempts, ending)
    claim = _settle(draft, job.attempts, ending)
    try:
        await outlasting(service.writer.submit(rows, patience_s=OUTCOME_PATIENCE_S, claim=claim, keep=True))
    except AuditUnavailable:
        error = AuditUnavailable(
            f"The provider was called, but the outcome of decision {draft.id} could not be stored.", should_retry=False
        )
        error.extra_headers = served_headers(draft, job, ending)
        raise error from None
    if more and draft.fetches:
        service.held.mark_recorded(draft.fetches.decision_id)


def ended_rows(service: Service, draft: Draft, attempts: list[AttemptRecord], ending: Ending) -> list[tuple[str, Row]]:
    """The rows of a call's end: its tries, its outcome, and what the provider keeps of it, unless that is stored."""
    if draft.fetches is not None:
        # Used by the call that made the response, not by a look at it.
        ending.usage, ending.cost = None, NOTHING_SENT
    rows = [*draft.attempt_rows(attempts), (OUTCOME, draft.outcome_row(ending))]
    held = held_by(draft, attempts, ending)
    if held is not None:
        service.held.add(held)
        rows.append(held_row(held))
    return rows


async def hold(service: Service, draft: Draft, job: Job, ending: Ending) -> None:
    """Store where a response is held that goes on without us, before its caller has its id. Raises AuditUnavailable."""
    held = held_by(draft, job.attempts, ending)
    if held is not None:
        await asyncio.shield(service.writer.submit([held_row(held)], patience_s=OUTCOME_PATIENCE_S))
        service.held.add(held)
        draft.is_kept = False


def leave(service: Service, draft: Draft, attempts: list[AttemptRecord], ending: Ending) -> None:
    """Queue attempts and outcome without waiting: for a caller that is gone."""
    draft.closed = True
    rows = ended_rows(service, draft, attempts, ending)
    count_ended(service.meters, draft, attempts, ending)
    _queue(service, draft, rows, _settle(draft, attempts, ending), keep=True)


def _settle(draft: Draft, attempts: list[AttemptRecord], ending: Ending) -> Settle | None:
    # An estimate is a lower bound: a budget that took it would overrun.
    usage = None if ending.estimated else ending.usage
    return None if draft.purse is None else settlement(draft.purse, attempts, usage)


def _queue(service: Service, draft: Draft, rows: Rows, claim: Settle | None, *, keep: bool = False) -> None:
    try:
        service.writer.submit(rows, patience_s=LATE_PATIENCE_S, claim=claim, keep=keep)
    except AuditUnavailable:
        log.error("the outcome of decision %s was not stored: the audit's queue takes nothing more", draft.id)


def failed_ending(result: Result, error: RoutingError) -> Ending:
    """The ending that an error means."""
    return Ending(
        result=result,
        status=error.status,
        error_type=error.type,
        error_code=error.code or "",
        error_param=error.param or "",
    )


def price(job: Job, rung: Rung | None, usage: Usage | None, *, estimated: bool = False) -> Cost:
    """What the served rung's usage cost, under the prices of the decision's configuration and time.

    `estimated`: the counts are ours, not the provider's.
    """
    if job.calls == 0 or job.path:
        return NOTHING_SENT
    if rung is None or usage is None:
        return UNPRICED
    prices = job.config.prices.get(rung.model or "", ())
    return cost(usage, prices, decision_time(job.decision_id), estimated=estimated)


def measure(draft: Draft, job: Job, ending: Ending) -> Ending:
    """Fill in what the tries tell: calls, fallbacks, time to first byte, and our own share of the latency."""
    called = [attempt for attempt in job.attempts if attempt.sent_at is not None]
    ending.calls = len(called)
    rungs = {attempt.rung for attempt in job.attempts if attempt.skip_reason != Skip.DUPLICATE}
    ending.fallbacks = max(0, len(rungs) - 1)
    spent = sum(attempt.end_us or 0 for attempt in called if attempt.batch is None)
    batches = [attempt.end_us or 0 for attempt in called if attempt.batch is not None]
    ending.overhead_us = max(0, draft.elapsed_us() - spent - max(batches, default=0) - job.waited_us)
    return ending
