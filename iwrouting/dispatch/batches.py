"""An embeddings call in batches: side by side, all or nothing, each batch repeated alone (design.md 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from iwrouting.dispatch.breakers import Permit
from iwrouting.dispatch.buffered import Served, parse_answer, read_answer
from iwrouting.dispatch.ends import exhausted, stopped
from iwrouting.dispatch.job import Dispatcher, Job
from iwrouting.dispatch.walk import admitted, try_rung
from iwrouting.types import AttemptRecord, Rung
from iwrouting.upstream import Failure, Reply, read_usage
from iwrouting.upstream.failures import Step, bad_answer
from iwrouting.upstream.vectors import Expected, common_width, expected_vectors, renumbered, sort_items

AT_ONCE = 8
LARGE = 65_536
"""A longer answer is judged beside the event loop."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of one request: its number and its request body, with `size` items from number `start` on.

    `whole`: it is all of the request.
    """

    number: int
    body: Mapping[str, Any]
    size: int
    start: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One batch's answer. `items` None: the provider's very bytes, in `served`, are the answer to the whole request.

    Otherwise `items` are the answer's items as JSON, in order, numbered as the caller's, without the brackets;
    `head` has the answer's other members. `width` is how many numbers each vector has.
    """

    served: Served
    head: Mapping[str, Any]
    items: bytes | None
    width: int


async def send_batches(dispatcher: Dispatcher, job: Job, batches: Sequence[Batch]) -> list[BatchAnswer]:
    """Send all batches to rung 0: vectors of different models do not mix, so there is no other rung.

    Raises UpstreamFailed or one of its kinds after the first batch that failed for good; the others are cancelled.
    """
    rung = job.resolution.chain[0]
    if rung.skip is not None:
        job.skip(rung, rung.skip)
        raise exhausted(job)
    early = dispatcher.breakers.way_out(job.config, [rung]) is rung
    with admitted(dispatcher, job, rung, early=early) as permit:
        if permit is None:
            raise exhausted(job)
        return await _side_by_side(dispatcher, job, rung, batches, permit)


async def _side_by_side(
    dispatcher: Dispatcher, job: Job, rung: Rung, batches: Sequence[Batch], permit: Permit
) -> list[BatchAnswer]:
    gate = asyncio.Semaphore(AT_ONCE)
    tasks = [asyncio.create_task(_send(dispatcher, job, rung, batch, gate, permit)) for batch in batches]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = next((task.exception() for task in done if task.exception() is not None), None)
        if failed is not None:
            job.cancel_code = "batch_failed"
            raise failed
        return _same_width(job, [task.result() for task in tasks])
    except asyncio.CancelledError as gone:
        job.note_cut(gone)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(
    dispatcher: Dispatcher, job: Job, rung: Rung, batch: Batch, gate: asyncio.Semaphore, permit: Permit
) -> BatchAnswer:
    expected = expected_vectors(batch.body, job.facts(rung))

    async def receive(job: Job, rung: Rung, attempt: AttemptRecord, reply: Reply) -> BatchAnswer | Failure:
        body = await read_answer(attempt, reply)
        if isinstance(body, Failure):
            return body
        if _received(job) > dispatcher.conf.max_embed_answer_mb * 2**20:
            return bad_answer("too_large", 200)
        judge = partial(_judge, rung, attempt, body, reply, batch, expected)
        return await asyncio.to_thread(judge) if len(body) > LARGE else judge()

    async with gate:
        result = await try_rung(dispatcher, job, rung, receive, permit, body=batch.body, batch=batch.number)
    if not isinstance(result, Failure):
        return result
    if not batch.whole:
        result = job.failures[-1] = renumbered(result, batch.start, batch.size)
    raise stopped(job, rung, result) if result.step in (Step.STOP, Step.LARGER) else exhausted(job)


def _received(job: Job) -> int:
    return sum(attempt.bytes_received or 0 for attempt in job.attempts)


def _judge(
    rung: Rung, attempt: AttemptRecord, body: bytes, reply: Reply, batch: Batch, expected: Expected
) -> BatchAnswer | Failure:
    """What an answer comes to; a Failure for any that can't be right."""
    parsed = parse_answer(body, reply)
    if isinstance(parsed, Failure):
        return parsed
    data = parsed.pop("data", None)
    items = sort_items(data, batch.size)
    width = common_width(items, expected) if items else None
    if not items or not width:
        return bad_answer("bad_vectors", 200)
    usage = read_usage(parsed)
    if batch.whole and all(a is b for a, b in zip(items, data, strict=True)):
        return BatchAnswer(Served(rung, attempt, body, usage), parsed, None, width)
    for index, item in enumerate(items, batch.start):
        item["index"] = index
    try:
        orjson.dumps(parsed)
        return BatchAnswer(Served(rung, attempt, b"", usage), parsed, orjson.dumps(items)[1:-1], width)
    except TypeError:
        # Nested deeper than it can be written again.
        return bad_answer("bad_body", 200)


def _same_width(job: Job, answers: list[BatchAnswer]) -> list[BatchAnswer]:
    """The answers, if their vectors can stand in one store. Raises UpstreamFailed."""
    odd = next((answer for answer in answers if answer.width != answers[0].width), None)
    if odd is None:
        return answers
    job.fail(odd.served.attempt, bad_answer("bad_vectors", 200))
    raise exhausted(job)
