"""A chat answer that comes whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from iwrouting.calls.account import close, cut_result, failed_ending, leave, measure, price
from iwrouting.calls.answers import Answer, served_headers
from iwrouting.calls.cutting import cut_short, shutting_down
from iwrouting.calls.draft import Draft, Ending
from iwrouting.calls.service import Service
from iwrouting.dispatch import Job, Served, send_buffered
from iwrouting.errors import RoutingError, ShuttingDown
from iwrouting.types import SHUTTING_DOWN, Result

T = TypeVar("T")
log = logging.getLogger(__name__)
JSON = {"content-type": "application/json"}


async def answer_whole(service: Service, draft: Draft, job: Job) -> Answer:
    """Dispatch, account, answer. Raises RoutingError."""
    served = await send_buffered(service.dispatcher, job)
    ending = measure(draft, job, _ending(job, served))
    headers = served_headers(draft, job, ending)
    await close(service, draft, job, ending)
    return Answer(served.body, JSON | headers)


async def conclude(service: Service, draft: Draft, job: Job, work: Awaitable[T]) -> T:
    """Do what follows a decision; whatever happens to it, the decision gets its outcome, once.

    Raises RoutingError with the headers of what was tried, also for what nobody expected.
    """
    try:
        return await work
    except asyncio.CancelledError as gone:
        job.note_cut(gone)
        if draft.closed:
            raise
        if not cut_short(gone):
            abandon(service, draft, job)
            raise
        error = shutting_down(draft.id, sent=job.calls > 0)
        raise await give_up(service, draft, job, error, Result.INTERRUPTED) from None
    except RoutingError as error:
        raise error if draft.closed else await give_up(service, draft, job, error) from None
    except Exception as error:
        log.exception("decision %s failed", draft.id)
        if draft.closed:
            raise
        raise await give_up(service, draft, job, internal_error()) from error


def internal_error() -> RoutingError:
    """What the caller is told of an error of ours."""
    return RoutingError(
        "An internal error; it is logged with the request id.", code="internal_error", should_retry=False
    )


async def give_up(
    service: Service, draft: Draft, job: Job, error: RoutingError, result: Result = Result.ERROR
) -> RoutingError:
    """Store a call that no rung answered, and return its error with headers."""
    ending = failed_ending(result, error)
    ending.cost = price(job, None, None)
    ending = measure(draft, job, ending)
    error.extra_headers = served_headers(draft, job, ending)
    await close(service, draft, job, ending)
    return error


def abandon(service: Service, draft: Draft, job: Job, ending: Ending | None = None) -> None:
    """Store a call whose caller left, or that we cut short at shutdown; nobody waits for it."""
    result = cut_result(service)
    ending = ending or Ending(result, None)
    ending.result = result
    if job.cancel_code != Result.CLIENT_CLOSED:
        ending.error_code = job.cancel_code
    if job.cancel_code == SHUTTING_DOWN:
        ending.error_type = ShuttingDown.type
    ending.cost = price(job, ending.rung, ending.usage, estimated=ending.estimated)
    leave(service, draft, job.attempts, measure(draft, job, ending))


def ok_result(rung: int) -> Result:
    """`ok`, or `ok_after_fallback` when a later rung than the first served."""
    return Result.OK_AFTER_FALLBACK if rung > 0 else Result.OK


def _ending(job: Job, served: Served) -> Ending:
    return Ending(
        result=ok_result(served.rung.rung),
        status=200,
        rung=served.rung,
        endpoint=served.attempt.endpoint,
        finish_reason=served.finish_reason,
        usage=served.usage,
        cost=price(job, served.rung, served.usage),
        first_byte_us=served.attempt.first_byte_us,
        bytes_delivered=len(served.body),
    )
