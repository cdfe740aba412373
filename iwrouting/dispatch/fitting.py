"""One rung's request, made from the original one: where it goes, in which API's words, with which changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import orjson

from iwrouting.dispatch.capping import cap_output
from iwrouting.dispatch.job import Job
from iwrouting.errors import BadRequest
from iwrouting.types import AttemptRecord, Endpoint, ModelFacts, Rung
from iwrouting.upstream import Failure, adapt
from iwrouting.upstream.failures import Step
from iwrouting.upstream.mending import mend
from iwrouting.upstream.params import needs_responses
from iwrouting.upstream.translate import chat_param, chat_to_responses
from iwrouting.upstream.translate.notes import shown
from iwrouting.upstream.translate.reverse import request_for_chat, responses_param

log = logging.getLogger(__name__)
LONG_CHAT = 200
"""From so many messages and parts on, a translation leaves the event loop to others."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits one rung: `payload` is `body` as sent; `fresh`: over a new connection."""

    endpoint: Endpoint
    body: Mapping[str, Any]
    payload: bytes
    changes: tuple[str, ...]
    fresh: bool = False


async def fit(job: Job, rung: Rung, body: Mapping[str, Any]) -> Fitted | Failure:
    """Adapt or translate a request for a rung's model; a Failure that names the field for one that can't be.

    A chat with function tools goes translated to a model that takes them beside its reasoning at /responses alone;
    where it can't be translated, it goes to chat without reasoning, which is told.
    """
    if job.path:
        return Fitted(job.endpoint, {}, b"", ())
    if job.pin and rung.upstream != job.pin:
        return elsewhere(job)
    facts = job.facts(rung)
    endpoint = facts.served_at(job.endpoint) or job.endpoint
    if endpoint != job.endpoint:
        return await _translated(job, body, facts)
    if endpoint == Endpoint.CHAT and needs_responses(body, facts):
        translated = await _translated(job, body, facts)
        adapted = _adapted(job, body, facts) if isinstance(translated, Failure) else translated
        return translated if isinstance(adapted, Failure) else adapted
    return _adapted(job, body, facts)


@lru_cache(maxsize=1_000)
def report_gap(model: str, param: str) -> None:
    """Say in the log, once a worker, that a rule is missing (openai-facts.md 4a: an alarm)."""
    log.warning("the catalogue does not know that %s refuses %s", model, param)


def elsewhere(job: Job) -> Failure:
    """Why a rung can't go on from what another upstream holds."""
    param = "previous_response_id" if job.body.get("previous_response_id") is not None else "conversation"
    message = f"{param}: what it names is held by the upstream '{job.pin}', and this model is served by another one."
    return Failure(Step.NEXT, "invalid_request_error", "unsupported_parameter", param, 400, message)


async def refit(job: Job, rung: Rung, fitted: Fitted, failure: Failure) -> Fitted | None:
    """The request without what the provider refused of it, for one more try; None where that is not ours to change.

    The refusal of a chat model at this endpoint alone leads to the other one (openai-facts.md 4a).
    """
    if job.strict:
        return None
    report_gap(rung.model or "", shown(failure.param))
    if failure.status == 404:
        if not fitted.endpoint == job.endpoint == Endpoint.CHAT:
            return None
        moved = await _translated(job, job.body, job.facts(rung))
        return moved if isinstance(moved, Fitted) else None
    mended = mend(fitted.body, failure.param)
    if mended is None:
        return None
    return Fitted(fitted.endpoint, mended.body, orjson.dumps(mended.body), (*fitted.changes, mended.change))


def _adapted(job: Job, body: Mapping[str, Any], facts: ModelFacts) -> Fitted | Failure:
    try:
        adapted, changes = adapt(body, facts, job.endpoint, strict=job.strict)
    except BadRequest as error:
        return _unfit(error)
    return _fitted(job, facts, job.endpoint, adapted, changes)


async def _translated(job: Job, body: Mapping[str, Any], facts: ModelFacts) -> Fitted | Failure:
    reverse = job.endpoint == Endpoint.RESPONSES
    translate = partial(request_for_chat if reverse else chat_to_responses, body, facts, strict=job.strict)
    try:
        long = _length(body.get("input" if reverse else "messages")) >= LONG_CHAT
        translated = await asyncio.to_thread(translate) if long else translate()
    except BadRequest as error:
        return _unfit(error)
    endpoint = Endpoint.CHAT if reverse else Endpoint.RESPONSES
    return _fitted(job, facts, endpoint, translated.body, translated.changes)


def _fitted(
    job: Job, facts: ModelFacts, endpoint: Endpoint, body: Mapping[str, Any], changes: tuple[str, ...]
) -> Fitted:
    """The request as sent, within what the run's budget gave it."""
    if job.output_cap is not None:
        body, capped = cap_output(body, facts, endpoint, job.output_cap)
        changes = (*changes, *capped)
    return Fitted(endpoint, body, orjson.dumps(body), changes)


def _unfit(error: BadRequest) -> Failure:
    return Failure(Step.NEXT, error.type, error.code or "", error.param or "", error.status, error.message)


def _length(messages: object) -> int:
    if not isinstance(messages, list):
        return 0
    contents = (message.get("content") for message in messages if isinstance(message, dict))
    return len(messages) + sum(len(content) for content in contents if isinstance(content, list))


def blamed(job: Job, attempt: AttemptRecord, failure: Failure) -> Failure:
    """A failure in the words of the API that the caller speaks."""
    if attempt.endpoint == job.endpoint:
        return failure
    param = responses_param if job.endpoint == Endpoint.RESPONSES else chat_param
    return replace(failure, param=param(failure.param))
