"""The walk along the chain: one try, its repetition, the next rung, the end (design.md 5)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp

from iwrouting.dispatch.ends import exhausted, stopped
from iwrouting.dispatch.fitting import blamed, fit
from iwrouting.dispatch.job import PATHS, Dispatcher, Job, microseconds_since
from iwrouting.types import AttemptRecord, Endpoint, Rung, Skip
from iwrouting.upstream import Failure, Reply, classify, transport_failure
from iwrouting.upstream.client import AddressRefused, MissingSecret, missing_secret
from iwrouting.upstream.failures import Step, bad_answer

T = TypeVar("T")
Receive = Callable[[Job, Rung, AttemptRecord, Reply], Awaitable["T | Failure"]]
TRIES = 2
TOO_LATE_S = 0.02
"""With no more time than this left, no other try is begun: it could only be cut."""


async def walk(dispatcher: Dispatcher, job: Job, receive: Receive[T]) -> T:
    """Try the rungs in order until one answers. Raises UpstreamFailed or one of its kinds."""
    for rung in job.resolution.chain:
        if rung.skip is not None:
            job.skip(rung, rung.skip)
            continue
        result = await try_rung(dispatcher, job, rung, receive)
        if not isinstance(result, Failure):
            return result
        if result.step is Step.STOP:
            raise stopped(job, rung, result)
        if time.monotonic() + TOO_LATE_S >= job.deadline:
            break
    raise exhausted(job)


async def try_rung(
    dispatcher: Dispatcher,
    job: Job,
    rung: Rung,
    receive: Receive[T],
    *,
    body: Mapping[str, Any] | None = None,
    batch: int | None = None,
) -> T | Failure:
    """One rung, with one repetition where the failure allows it. Returns the last failure if none answered.

    `body` is a part of the job's request, sent as batch number `batch`. A request that can't be put into the words
    of the rung's API is a rung passed over.
    """
    fitted = await fit(job, rung, body or job.body)
    if isinstance(fitted, Failure):
        job.fail(job.skip(rung, Skip.CAPABILITY), fitted)
        return fitted
    for try_number in range(1, TRIES + 1):
        attempt = job.begin(rung, try_number, fitted.endpoint, fitted.changes, len(fitted.payload), batch)
        result = await _once(dispatcher, job, rung, attempt, fitted.payload, receive)
        if not isinstance(result, Failure):
            return result
        result = blamed(job, attempt, result)
        job.fail(attempt, result)
        if result.step is not Step.RETRY or try_number == TRIES:
            break
        if not await _back_off(dispatcher, job, result):
            break
    return result


async def _once(
    dispatcher: Dispatcher, job: Job, rung: Rung, attempt: AttemptRecord, payload: bytes, receive: Receive[T]
) -> T | Failure:
    try:
        async with asyncio.timeout_at(job.deadline - time.monotonic() + asyncio.get_running_loop().time()):
            return await _exchange(dispatcher, job, rung, attempt, payload, receive)
    except MissingSecret as error:
        attempt.sent_at = attempt.bytes_sent = None
        return missing_secret(str(error))
    except AddressRefused:
        attempt.sent_at = attempt.bytes_sent = None
        return Failure(Step.STOP, "configuration_error", "address_refused", account=True)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return transport_failure(error)
    except asyncio.CancelledError:
        attempt.error_type = attempt.error_code = job.cancel_code
        raise
    finally:
        if attempt.end_us is None:
            attempt.end_us = microseconds_since(attempt.sent_ns)


async def _exchange(
    dispatcher: Dispatcher, job: Job, rung: Rung, attempt: AttemptRecord, payload: bytes, receive: Receive[T]
) -> T | Failure:
    upstream = dispatcher.upstream(job, rung)
    attempt_id = f"{job.decision_id}-{attempt.seq}"
    reply = await dispatcher.upstreams.post(upstream, PATHS[Endpoint(attempt.endpoint)], payload, attempt_id=attempt_id)
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


async def _back_off(dispatcher: Dispatcher, job: Job, failure: Failure) -> bool:
    """Wait before the repetition; False where the provider asks for more patience than we have: go on instead."""
    asked = failure.retry_after_s or 0.0
    delay = max(asked, dispatcher.conf.retry_backoff_ms / 1000 * (0.75 + random.random() / 4))  # noqa: S311 - jitter
    if asked > dispatcher.conf.retry_after_max_s or time.monotonic() + delay >= job.deadline:
        return False
    start = time.monotonic_ns()
    await asyncio.sleep(delay)
    job.waited_us += microseconds_since(start)
    return True
