"""A chat answer in events: nothing goes out before the first output event, and no false end ever (G2, design.md 5)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from iwrouting.calls.account import close, hold, measure, price
from iwrouting.calls.answers import StreamAnswer, comment, decision_headers, error_event, served_headers
from iwrouting.calls.buffered import abandon, give_up, internal_error, ok_result
from iwrouting.calls.cutting import cut_short, shutting_down
from iwrouting.calls.draft import Draft, Ending
from iwrouting.calls.estimating import take_usage
from iwrouting.calls.fetching import FetchRequest
from iwrouting.calls.requests import ChatRequest, ResponsesRequest
from iwrouting.calls.service import Service
from iwrouting.conf.redact import redact
from iwrouting.dispatch import Job, OpenStream, open_stream
from iwrouting.errors import AuditUnavailable, RoutingError, UpstreamFailed
from iwrouting.types import Result
from iwrouting.upstream import Failure

EVENTS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-accel-buffering": "no"}
WAITING = b": waiting for the first output\n\n"
EARLY = "x-iw-early"
log = logging.getLogger(__name__)


async def answer_stream(
    service: Service, draft: Draft, job: Job, request: ChatRequest | ResponsesRequest | FetchRequest
) -> StreamAnswer:
    """Open the stream; headers go out after IW_STREAM_HOLD_S at the latest. Raises RoutingError as long as none did."""
    if not request.include_usage:
        options = request.body.get("stream_options") or {}
        job.body = {**request.body, "stream_options": {**options, "include_usage": True}}
    opening = asyncio.create_task(
        open_stream(service.dispatcher, job, choices=request.choices, keep_usage=request.include_usage)
    )
    try:
        done, _ = await asyncio.wait({opening}, timeout=service.conf.stream_hold_s)
    except asyncio.CancelledError as gone:
        job.note_cut(gone)
        await _cancel(opening)
        raise
    if not done:
        headers = EVENTS | decision_headers(draft) | {EARLY: "1"}
        events = _early(service, draft, job, opening)
    else:
        stream = opening.result()
        headers = EVENTS | served_headers(draft, job, measure(draft, job, _ending(stream)))
        events = _relay(service, draft, job, stream)
    closing = _closing(service, draft, job, events)
    # Begun before the answer is handed on: generators that never began would never come to their ends either.
    await anext(events)
    await anext(closing)
    return StreamAnswer(closing, headers)


async def _closing(
    service: Service, draft: Draft, job: Job, events: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The events; however they end, the decision gets its outcome, and the caller an error event where we failed.

    `events` has begun.
    """
    told = False
    try:
        yield b""
        async for part in events:
            # What comes once the outcome is stored tells the end: no other may follow.
            told = draft.closed
            yield part
    except RoutingError as error:
        yield error_event(await _given_up(service, draft, job, error), draft.endpoint)
    except asyncio.CancelledError as gone:
        job.note_cut(gone)
        if told or not cut_short(gone):
            raise
        await events.aclose()
        if not draft.closed:
            abandon(service, draft, job)
        yield error_event(shutting_down(draft.id, sent=job.calls > 0), draft.endpoint, job.number)
    except Exception:
        log.exception("decision %s failed", draft.id)
        yield error_event(await _given_up(service, draft, job, internal_error()), draft.endpoint)
    finally:
        await events.aclose()
        if not draft.closed:
            abandon(service, draft, job)


async def _early(
    service: Service, draft: Draft, job: Job, opening: asyncio.Task[OpenStream]
) -> AsyncGenerator[bytes, None]:
    try:
        yield b""
        yield WAITING
        while not opening.done():
            await asyncio.wait({opening}, timeout=service.conf.stream_hold_s)
            if not opening.done():
                yield WAITING
        stream = opening.result()
    except (asyncio.CancelledError, GeneratorExit) as gone:
        job.note_cut(gone)
        await _cancel(opening)
        raise
    relay = _relay(service, draft, job, stream, early=True)
    try:
        async for part in relay:
            yield part
    finally:
        await relay.aclose()


async def _given_up(service: Service, draft: Draft, job: Job, error: RoutingError) -> RoutingError:
    if draft.closed:
        return error
    try:
        return await give_up(service, draft, job, error)
    except AuditUnavailable as worse:
        return worse


async def _relay(
    service: Service, draft: Draft, job: Job, stream: OpenStream, *, early: bool = False
) -> AsyncGenerator[bytes, None]:
    ending = _ending(stream)
    sent = 0
    try:
        yield b""
        if job.goes_on:
            await hold(service, draft, job, ending)
        async for part in stream.relay():
            sent += len(part)
            yield part
    except (asyncio.CancelledError, GeneratorExit) as gone:
        job.note_cut(gone)
        job.number = stream.scanner.number
        stream.close()
        if not draft.closed:
            stream.attempt.error_type = stream.attempt.error_code = job.cancel_code
            abandon(service, draft, job, _delivered(draft, job, ending, stream, sent, cut=True))
        raise
    except AuditUnavailable:
        stream.close()
        raise
    ending = _delivered(draft, job, ending, stream, sent, cut=stream.fault is not None)
    yield await _finish(service, draft, job, stream, ending, early=early)


async def _finish(
    service: Service, draft: Draft, job: Job, stream: OpenStream, ending: Ending, *, early: bool
) -> bytes:
    """Store the outcome, then say how the stream ended: the terminal marker only if it was whole and is recorded."""
    error = _stream_error(draft, stream.fault) if stream.fault else None
    if stream.fault is not None and error is not None:
        job.fail(stream.attempt, stream.fault)
        ending.result = Result.TRUNCATED
        ending.error_type, ending.error_code, ending.error_param = error.type, error.code or "", error.param or ""
    ending.cost = price(job, stream.rung, ending.usage, estimated=ending.estimated)
    ending = measure(draft, job, ending)
    try:
        await close(service, draft, job, ending)
    except AuditUnavailable as unavailable:
        error = unavailable
    last = stream.scanner.terminal if error is None else error_event(error, draft.endpoint, stream.scanner.number)
    return comment(served_headers(draft, job, ending)) + last if early else last


def _ending(stream: OpenStream) -> Ending:
    return Ending(
        result=ok_result(stream.rung.rung),
        status=200,
        rung=stream.rung,
        endpoint=stream.attempt.endpoint,
        first_byte_us=stream.attempt.first_byte_us,
    )


def _delivered(draft: Draft, job: Job, ending: Ending, stream: OpenStream, sent: int, *, cut: bool) -> Ending:
    ending.finish_reason = stream.scanner.finish_reason
    take_usage(draft, job, ending, stream, cut=cut)
    ending.bytes_delivered = sent
    ending.chunks_delivered = stream.attempt.chunks
    return ending


def _stream_error(draft: Draft, fault: Failure) -> RoutingError:
    text = redact(fault.message) if fault.message else f"The provider's stream ended early ({fault.code})."
    return UpstreamFailed(
        f"{text} Decision {draft.id}.",
        type=fault.type if fault.message else None,
        code=fault.code if fault.message else f"stream_{fault.code}",
        param=fault.param or None,
        should_retry=False,
    )


async def _cancel(task: asyncio.Task[OpenStream]) -> None:
    if task.done() and not task.cancelled() and task.exception() is None:
        task.result().close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
