"""Embeddings: cut into batches, sent side by side, joined in the caller's order, all or nothing (design.md 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any, ParamSpec, TypeVar

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
from iwrouting.errors import BadRequest
from iwrouting.tokens import TokenizersMissing, count_embeddings, estimate
from iwrouting.tokens.counting import SOURCE_KNOWN
from iwrouting.types import ModelFacts, Result
from iwrouting.upstream.usage import add_usage
from iwrouting.upstream.vectors import expected_vectors

P = ParamSpec("P")
T = TypeVar("T")
LARGE = 64 * 1024
"""A request of more bytes than this is read, checked and cut beside the event loop."""

FAR_OVER = 2
"""So many times over a model's input by its bytes, a text is worth an exact count."""

PROVIDER_TOKENS = 300_000
"""What a provider takes in one request (openai-facts.md 6). No token is shorter than a byte, so no batch exceeds it."""

BYTES_A_NUMBER: dict[type | None, int] = {str: 6, list: 22, None: 6}
"""About what one number of a vector takes in base64, and written out."""


def check_vectors(request: EmbeddingsRequest, facts: ModelFacts, conf: Settings) -> None:
    """Refuse what can't be answered, before any batch is paid for. Raises BadRequest that names item and limit."""
    most = facts.max_input
    for index, item in enumerate(request.items if most is not None else ()):
        if (count := over(item, most or 0, facts.id)) is not None:
            raise BadRequest(
                f"input[{index}]: {count} tokens; {facts.id} takes at most {most} in one item. Cut it.",
                param="input",
                code="context_length_exceeded",
            )
    expected = expected_vectors(request.body, facts)
    megabytes = len(request.items) * (expected.width or 0) * BYTES_A_NUMBER[expected.form] >> 20
    if megabytes > conf.max_embed_answer_mb:
        raise BadRequest(
            f"input: {len(request.items)} vectors of {expected.width} numbers are about {megabytes} MB; "
            f"IW_MAX_EMBED_ANSWER_MB allows {conf.max_embed_answer_mb}. Send fewer items in one request, or ask for "
            "encoding_format base64 or fewer dimensions.",
            param="input",
        )


def over(item: Any, most: int, model: str) -> int | None:
    """The tokens of an item that surely has more than `most`; None where it has not, or may not: that is the
    provider's to say. A text is counted only where it is far over by its bytes."""
    if isinstance(item, list):
        count = len(item)
    elif len(item) <= most or estimate(len(item.encode("utf-8", "replace"))) <= FAR_OVER * most:
        return None
    else:
        try:
            counted = count_embeddings([item], model)
        except TokenizersMissing:
            return None
        count = counted.tokens if counted.source == SOURCE_KNOWN else 0
    return count if count > most else None


def cut(request: EmbeddingsRequest, conf: Settings) -> list[Batch]:
    """The batches of a request under MAX_EMBED_ITEMS_PER_BATCH and MAX_EMBED_TOKENS_PER_BATCH; one stays untouched."""
    groups = list(_groups(request, conf))
    if len(groups) == 1:
        return [Batch(0, request.body, len(request.items))]
    starts = accumulate((len(group) for group in groups), initial=0)
    return [
        Batch(number, {**request.body, "input": group}, len(group), start, whole=False)
        for number, (group, start) in enumerate(zip(groups, starts, strict=False))
    ]


def _groups(request: EmbeddingsRequest, conf: Settings) -> Iterator[list[Any]]:
    group: list[Any] = []
    tokens = most = 0
    for item in request.items:
        size = len(item) if isinstance(item, list) else len(item.encode("utf-8", "replace"))
        cost = size if isinstance(item, list) else estimate(size)
        full = len(group) >= conf.max_embed_items_per_batch or tokens + cost > conf.max_embed_tokens_per_batch
        if group and (full or most + size > PROVIDER_TOKENS):
            yield group
            group, tokens, most = [], 0, 0
        group.append(item)
        tokens += cost
        most += size
    yield group


async def answer_vectors(service: Service, draft: Draft, job: Job, request: EmbeddingsRequest) -> Answer:
    """Cut, dispatch, account, answer. Raises RoutingError."""
    parts = await send_batches(service.dispatcher, job, await beside(draft.size, cut, request, service.conf))
    body = parts[0].served.body if parts[0].items is None else await asyncio.to_thread(join, parts)
    ending = measure(draft, job, _ending(job, parts, len(body)))
    headers = served_headers(draft, job, ending)
    await close(service, draft, job, ending)
    return Answer(body, JSON | headers)


async def beside(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what a large request would hold up the event loop with, in a thread; a small one is done at once."""
    return await asyncio.to_thread(work, *args, **kwargs) if size > LARGE else work(*args, **kwargs)


def join(parts: list[BatchAnswer]) -> bytes:
    """One answer out of many, in the caller's order, usage summed; vectors are not touched."""
    usage = add_usage([part.served.usage for part in parts if part.served.usage is not None])
    tokens = usage.prompt_tokens if usage else None
    head = {**parts[0].head, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    items = (part.items for part in parts if part.items is not None)
    return b"".join((orjson.dumps(head)[:-1], b',"data":[', b",".join(items), b"]}"))


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
