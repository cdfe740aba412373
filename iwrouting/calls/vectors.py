"""Embeddings: cut into batches, sent side by side, joined in the caller's order, all or nothing (design.md 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson

from iwrouting.calls.account import close, measure, price
from iwrouting.calls.answers import Answer, served_headers
from iwrouting.calls.buffered import JSON
from iwrouting.calls.draft import Draft, Ending
from iwrouting.calls.requests import EmbeddingsRequest
from iwrouting.calls.service import Service
from iwrouting.conf import Settings
from iwrouting.dispatch import Batch, Job, send_batches
from iwrouting.dispatch.batches import BatchAnswer
from iwrouting.tokens import estimate
from iwrouting.types import Result
from iwrouting.upstream.usage import add_usage


def cut(request: EmbeddingsRequest, conf: Settings) -> list[Batch]:
    """The batches of a request under MAX_EMBED_ITEMS_PER_BATCH and MAX_EMBED_TOKENS_PER_BATCH; one stays untouched."""
    groups = list(_groups(request, conf))
    if len(groups) == 1:
        return [Batch(0, request.body, len(request.items))]
    return [Batch(number, {**request.body, "input": group}, len(group)) for number, group in enumerate(groups)]


def _groups(request: EmbeddingsRequest, conf: Settings) -> Iterator[list[Any]]:
    group: list[Any] = []
    tokens = 0
    for item in request.items:
        cost = len(item) if isinstance(item, list) else estimate(len(item.encode("utf-8", "replace")))
        full = len(group) >= conf.max_embed_items_per_batch or tokens + cost > conf.max_embed_tokens_per_batch
        if group and full:
            yield group
            group, tokens = [], 0
        group.append(item)
        tokens += cost
    yield group


async def answer_vectors(service: Service, draft: Draft, job: Job, batches: list[Batch]) -> Answer:
    """Dispatch, account, answer. Raises RoutingError."""
    parts = await send_batches(service.dispatcher, job, batches)
    body = parts[0].served.body if len(parts) == 1 and parts[0].in_order else await asyncio.to_thread(join, parts)
    ending = measure(draft, job, _ending(job, parts, len(body)))
    headers = served_headers(draft, job, ending)
    await close(service, draft, job, ending)
    return Answer(body, JSON | headers)


def join(parts: list[BatchAnswer]) -> bytes:
    """One answer out of many: items renumbered in the caller's order, usage summed; vectors are not touched."""
    data = [item for part in parts for item in part.data]
    for index, item in enumerate(data):
        item["index"] = index
    first = {name: value for name, value in parts[0].parsed.items() if name not in ("data", "usage")}
    usage = add_usage([part.served.usage for part in parts if part.served.usage is not None])
    tokens = usage.prompt_tokens if usage else None
    return orjson.dumps({**first, "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})


def _ending(job: Job, parts: list[BatchAnswer], size: int) -> Ending:
    rung = job.resolution.chain[0]
    usages = [part.served.usage for part in parts]
    known = [usage for usage in usages if usage is not None]
    usage = known[0] if len(usages) == 1 and known else add_usage(known) if len(known) == len(usages) else None
    return Ending(
        result=Result.OK,
        status=200,
        rung=rung,
        usage=usage,
        cost=price(job, rung, usage),
        first_byte_us=parts[0].served.attempt.first_byte_us,
        bytes_delivered=size,
    )
