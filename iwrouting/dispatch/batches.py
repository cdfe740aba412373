"""An embeddings call in batches: side by side, all or nothing, each batch repeated alone (design.md 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iwrouting.dispatch.buffered import Served, parse_answer, read_answer
from iwrouting.dispatch.ends import exhausted, stopped
from iwrouting.dispatch.job import Dispatcher, Job
from iwrouting.dispatch.walk import try_rung
from iwrouting.types import AttemptRecord, Rung
from iwrouting.upstream import Failure, Reply, read_usage
from iwrouting.upstream.failures import Step, bad_answer
from iwrouting.upstream.vectors import common_width, sort_items

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of one request: its number and its request body, with `size` items."""

    number: int
    body: Mapping[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One batch's answer, parsed; `data` in the order of the batch's items, `in_order` if it came so.

    `width` is how many numbers each of its vectors has.
    """

    served: Served
    parsed: dict[str, Any]
    data: list[dict[str, Any]]
    width: int
    in_order: bool


async def send_batches(dispatcher: Dispatcher, job: Job, batches: Sequence[Batch]) -> list[BatchAnswer]:
    """Send all batches to rung 0: vectors of different models do not mix, so there is no other rung.

    Raises UpstreamFailed or one of its kinds after the first batch that failed for good; the others are cancelled.
    """
    rung = job.resolution.chain[0]
    if rung.skip is not None:
        job.skip(rung, rung.skip)
        raise exhausted(job)
    gate = asyncio.Semaphore(AT_ONCE)
    tasks = [asyncio.create_task(_send(dispatcher, job, rung, batch, gate)) for batch in batches]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = next((task.exception() for task in done if task.exception() is not None), None)
        if failed is not None:
            job.cancel_code = "batch_failed"
            raise failed
        return _same_width(job, [task.result() for task in tasks])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(dispatcher: Dispatcher, job: Job, rung: Rung, batch: Batch, gate: asyncio.Semaphore) -> BatchAnswer:
    async def receive(job: Job, rung: Rung, attempt: AttemptRecord, reply: Reply) -> BatchAnswer | Failure:
        return await _receive(rung, attempt, reply, batch)

    async with gate:
        result = await try_rung(dispatcher, job, rung, receive, body=batch.body, batch=batch.number)
    if not isinstance(result, Failure):
        return result
    raise stopped(job, rung, result) if result.step is Step.STOP else exhausted(job)


async def _receive(rung: Rung, attempt: AttemptRecord, reply: Reply, batch: Batch) -> BatchAnswer | Failure:
    body = await read_answer(attempt, reply)
    if isinstance(body, Failure):
        return body
    large = len(body) > 65_536
    judged = await asyncio.to_thread(_judge, body, reply, batch.size) if large else _judge(body, reply, batch.size)
    if isinstance(judged, Failure):
        return judged
    parsed, data, width = judged
    in_order = all(a is b for a, b in zip(data, parsed["data"], strict=True))
    return BatchAnswer(Served(rung, attempt, body, read_usage(parsed)), parsed, data, width, in_order)


def _judge(body: bytes, reply: Reply, size: int) -> tuple[dict[str, Any], list[dict[str, Any]], int] | Failure:
    """The parsed answer, its items in order and the width of their vectors; a Failure for any that can't be right."""
    parsed = parse_answer(body, reply)
    if isinstance(parsed, Failure):
        return parsed
    items = sort_items(parsed.get("data"), size)
    width = common_width(items) if items else None
    return (parsed, items, width) if items and width else bad_answer("bad_vectors", 200)


def _same_width(job: Job, answers: list[BatchAnswer]) -> list[BatchAnswer]:
    """The answers, if their vectors can stand in one store. Raises UpstreamFailed."""
    odd = next((answer for answer in answers if answer.width != answers[0].width), None)
    if odd is None:
        return answers
    job.fail(odd.served.attempt, bad_answer("bad_vectors", 200))
    raise exhausted(job)
