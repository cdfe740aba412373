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

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of one request: its number and its request body, with `size` items."""

    number: int
    body: Mapping[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One batch's answer, parsed; `data` in the order of the batch's items, `in_order` if it came so."""

    served: Served
    parsed: dict[str, Any]
    data: list[dict[str, Any]]
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
        return [task.result() for task in tasks]
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
    parsed = await asyncio.to_thread(parse_answer, body, reply) if len(body) > 65_536 else parse_answer(body, reply)
    if isinstance(parsed, Failure):
        return parsed
    data = sort_items(parsed.get("data"), batch.size)
    if data is None:
        return bad_answer("bad_vectors", 200)
    served = Served(rung, attempt, body, read_usage(parsed))
    return BatchAnswer(served, parsed, data, in_order=all(a is b for a, b in zip(data, parsed["data"], strict=True)))


def sort_items(data: object, size: int) -> list[dict[str, Any]] | None:
    """The items sorted by `index`, or None unless there is exactly one for each of `size` inputs (faults.md U25)."""
    if not isinstance(data, list) or len(data) != size or not all(isinstance(item, dict) for item in data):
        return None
    if any(not item.get("embedding") for item in data):
        return None
    by_index = {item.get("index"): item for item in data}
    if by_index.keys() != set(range(size)):
        return None
    return [by_index[index] for index in range(size)]
