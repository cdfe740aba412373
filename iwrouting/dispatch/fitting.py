"""One rung's request, made from the original one: where it goes, in which API's words, with which changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from iwrouting.dispatch.job import Job
from iwrouting.errors import BadRequest
from iwrouting.types import AttemptRecord, Endpoint, Rung
from iwrouting.upstream import Failure, adapt
from iwrouting.upstream.failures import Step
from iwrouting.upstream.translate import chat_param, chat_to_responses

LONG_CHAT = 200
"""From so many messages and parts on, a translation leaves the event loop to others."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits one rung."""

    endpoint: Endpoint
    payload: bytes
    changes: tuple[str, ...]


async def fit(job: Job, rung: Rung, body: Mapping[str, Any]) -> Fitted | Failure:
    """Adapt or translate a request for a rung's model; a Failure that names the field for one that can't be."""
    facts = job.facts(rung)
    endpoint = facts.served_at(job.endpoint) or job.endpoint
    if endpoint == job.endpoint:
        adapted, changes = adapt(body, facts, endpoint)
        return Fitted(endpoint, orjson.dumps(adapted), changes)
    try:
        if _length(body["messages"]) < LONG_CHAT:
            translated = chat_to_responses(body, facts)
        else:
            translated = await asyncio.to_thread(chat_to_responses, body, facts)
    except BadRequest as error:
        return Failure(Step.NEXT, error.type, error.code or "", error.param or "", error.status, error.message)
    return Fitted(endpoint, orjson.dumps(translated.body), translated.changes)


def _length(messages: list[dict[str, Any]]) -> int:
    contents = (message.get("content") for message in messages)
    return len(messages) + sum(len(content) for content in contents if isinstance(content, list))


def blamed(job: Job, attempt: AttemptRecord, failure: Failure) -> Failure:
    """A failure in the words of the API that the caller speaks."""
    return failure if attempt.endpoint == job.endpoint else replace(failure, param=chat_param(failure.param))
