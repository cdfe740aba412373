"""The walk along the chain: one try, its repetition, the next rung, the end (design.md 5)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp

from iwrouting.dispatch.breakers import Held, Permit
from iwrouting.dispatch.deadline import rung_deadline
from iwrouting.dispatch.ends import exhausted, still_refused, stopped
from iwrouting.dispatch.fitting import Fitted, blamed, fit, refit
from iwrouting.dispatch.job import Dispatcher, Job, microseconds_since
from iwrouting.types import AttemptRecord, Rung, Skip
from iwrouting.upstream import Failure, Reply, classify, transport_failure
from iwrouting.upstream.client import AddressRefused, MissingSecret, missing_secret
from iwrouting.upstream.failures import CONNECTION_ERROR, SLOW_DOWN, Step, bad_answer, out_of_time

T = TypeVar("T")
Receive = Callable[[Job, Rung, AttemptRecord, Reply], Awaitable["T | Failure"]]
TRIES = 2
SLOW_DOWN_FACTOR = 4
TOO_LATE_S = 0.02
"""With no more time than this left, no try is begun: it could only be cut, and would be recorded but not sent."""


async def walk(dispatcher: Dispatcher, job: Job, receive: Receive[T], *, whole: bool = True) -> T:
    """Try the rungs in order until one answers. Raises UpstreamFailed or one of its kinds.

    `whole`: what is received is the whole answer. Otherwise whoever reads on tells `job.permit` how it ended.
    """
    free = [job.aimed_at(rung) for rung in job.resolution.chain if rung.skip is None]
    way_out = dispatcher.breakers.way_out(job.config, free)
    for rung in job.resolution.chain:
        if reason := passed_over(job, rung):
            job.skip(rung, reason)
            continue
        early = way_out is not None and way_out.rung == rung.rung
        with admitted(dispatcher, job, rung, early=early) as permit:
            if permit is None:
                continue
            result = await try_rung(dispatcher, job, rung, receive, permit, whole=whole)
        if not isinstance(result, Failure):
            return result
        if result.step is Step.STOP:
            raise stopped(job, rung, result)
        if too_late(job.deadline):
            break
    raise exhausted(job)


@contextmanager
def admitted(dispatcher: Dispatcher, job: Job, rung: Rung, *, early: bool) -> Iterator[Permit | None]:
    """Leave of the breakers to try a rung; None after recording that they hold it.

    Raises the account's own refusal where the breaker of the account holds it: no other rung may mend that.
    """
    aimed = job.aimed_at(rung)
    permit = dispatcher.breakers.admit(job.config, aimed, job.decision_id, hurried=job.hurried, early=early)
    if isinstance(permit, Held):
        job.hold(rung, permit)
        if permit.failure is not None:
            raise stopped(job, rung, still_refused(permit.failure, permit.until - time.monotonic()))
        yield None
        return
    try:
        yield permit
    finally:
        permit.release()


def passed_over(job: Job, rung: Rung) -> Skip | None:
    """Why a rung is not tried: as resolved, or since a larger model than it refused the request as too long."""
    if rung.skip is not None or job.refused_window is None:
        return rung.skip
    window = job.facts(rung).input_window
    return None if window and job.refused_window and window > job.refused_window else Skip.WINDOW


def later(dispatcher: Dispatcher, job: Job, rung: Rung) -> int:
    """How many rungs after this one may still be tried, as far as is known now: time is kept for each."""
    rest = (other for other in job.resolution.chain[rung.rung + 1 :] if passed_over(job, other) is None)
    return sum(1 for other in rest if not dispatcher.breakers.holds(job.config, job.aimed_at(other)))


async def try_rung(
    dispatcher: Dispatcher,
    job: Job,
    rung: Rung,
    receive: Receive[T],
    permit: Permit,
    *,
    whole: bool = True,
    body: Mapping[str, Any] | None = None,
    batch: int | None = None,
) -> T | Failure:
    """One rung, with one repetition where the failure allows it. Returns the last failure if none answered.

    `body` is a part of the job's request, sent as batch number `batch`. A request that can't be put into the words
    of the rung's API is a rung passed over, and without time nothing is tried.
    """
    fitted = await fit(job, rung, body or job.body)
    if isinstance(fitted, Failure):
        job.fail(job.skip(rung, Skip.CAPABILITY), fitted)
        return fitted
    until = rung_deadline(time.monotonic(), job.deadline, later(dispatcher, job, rung))
    if too_late(until):
        job.failures.append(out_of_time())
        return job.failures[-1]
    for try_number in range(1, TRIES + 1):
        attempt = job.begin(rung, try_number, fitted.endpoint, fitted.changes, len(fitted.payload), batch)
        result = await _once(dispatcher, job, rung, attempt, fitted, receive, until)
        if not isinstance(result, Failure):
            job.permit = permit
            permit.served() if whole else permit.started()
            return result
        told = blamed(job, attempt, result)
        job.fail(attempt, told)
        again = await _again(dispatcher, job, permit, rung, fitted, result, until) if try_number < TRIES else None
        if again is None:
            break
        fitted = again
    permit.failed(told)
    if told.step is Step.LARGER:
        job.refused_window = max(job.refused_window or 0, job.facts(rung).input_window or 0)
    return told


async def _again(
    dispatcher: Dispatcher, job: Job, permit: Permit, rung: Rung, fitted: Fitted, failure: Failure, until: float
) -> Fitted | None:
    """The request for the repetition, after the wait that goes before it; None where there is none: a probe is one."""
    if failure.step is Step.ADAPT:
        return await refit(job, rung, fitted, failure)
    if failure.step is Step.RETRY and not permit.is_probe and await _back_off(dispatcher, job, failure, until):
        # A connection from the pool may have been closed by the provider while nobody looked; so may all of them.
        return replace(fitted, fresh=True) if failure.type == CONNECTION_ERROR else fitted
    return None


async def _once(
    dispatcher: Dispatcher,
    job: Job,
    rung: Rung,
    attempt: AttemptRecord,
    fitted: Fitted,
    receive: Receive[T],
    until: float,
) -> T | Failure:
    timer = asyncio.timeout_at(until - time.monotonic() + asyncio.get_running_loop().time())
    try:
        async with timer:
            return await _exchange(dispatcher, job, rung, attempt, fitted, receive)
    except MissingSecret as error:
        attempt.sent_at = attempt.bytes_sent = None
        return missing_secret(str(error))
    except AddressRefused:
        attempt.sent_at = attempt.bytes_sent = None
        return Failure(Step.STOP, "configuration_error", "address_refused", account=True)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return out_of_time() if timer.expired() else transport_failure(error)
    except asyncio.CancelledError as gone:
        job.note_cut(gone)
        attempt.error_type = attempt.error_code = job.cancel_code
        raise
    finally:
        if attempt.end_us is None:
            attempt.end_us = microseconds_since(attempt.sent_ns)


async def _exchange(
    dispatcher: Dispatcher, job: Job, rung: Rung, attempt: AttemptRecord, fitted: Fitted, receive: Receive[T]
) -> T | Failure:
    upstream = dispatcher.upstream(job, rung)
    attempt_id = f"{job.decision_id}-{attempt.seq}"
    path = job.target(fitted.endpoint)
    reply = await dispatcher.upstreams.send(
        upstream, path, fitted.payload, attempt_id=attempt_id, method=job.method, fresh=fitted.fresh
    )
    attempt.first_byte_us = microseconds_since(attempt.sent_ns)
    attempt.status = reply.status
    attempt.upstream_request_id = reply.request_id
    keep = False
    try:
        if reply.status != 200:
            return await _refusal(reply, attempt)
        result = await receive(job, rung, attempt, reply)
        keep = not isinstance(result, Failure)
        return result
    finally:
        if not keep:
            reply.close()


async def _refusal(reply: Reply, attempt: AttemptRecord) -> Failure:
    try:
        body = await reply.read()
    except ValueError:
        return bad_answer("too_large", reply.status)
    attempt.bytes_received = len(body)
    return classify(reply.status, reply.headers, body)


async def _back_off(dispatcher: Dispatcher, job: Job, failure: Failure, until: float) -> bool:
    """Wait before the repetition; False where the provider asks for more patience than we have: go on instead."""
    delay = back_off_s(failure, dispatcher.conf.retry_backoff_ms / 1000, random.random())  # noqa: S311 - jitter
    asked = failure.retry_after_s or 0.0
    if asked > dispatcher.conf.retry_after_max_s or too_late(until - delay):
        return False
    start = time.monotonic_ns()
    await asyncio.sleep(delay)
    job.waited_us += microseconds_since(start)
    return True


def too_late(until: float) -> bool:
    """Whether no try is worth beginning that must end by `until`, of the monotonic clock."""
    return time.monotonic() + TOO_LATE_S >= until


def back_off_s(failure: Failure, base_s: float, jitter: float) -> float:
    """Seconds before the repetition: what the provider asked for at least, else the base, and up to a quarter more.

    `jitter` is from 0 to 1. A provider that says `slow_down` gets four times the base.
    """
    base_s *= SLOW_DOWN_FACTOR if failure.code == SLOW_DOWN else 1
    return max(failure.retry_after_s or 0.0, base_s) + base_s * jitter / 4
