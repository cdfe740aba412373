"""The calls, each as a table of contents: authorise, resolve, decide, dispatch, account, answer (design.md 8)."""

from __future__ import annotations

from functools import partial
from typing import Any

from iwrouting.calls.account import decide, refuse
from iwrouting.calls.answers import Answer, StreamAnswer, decision_headers
from iwrouting.calls.buffered import answer_whole, conclude
from iwrouting.calls.caller import Caller, identify, require, turned_away
from iwrouting.calls.deciding import allowed_s, guard_age, guard_loop, is_strict, resolve_call
from iwrouting.calls.draft import Draft
from iwrouting.calls.fetching import FetchRequest, pinned, resolve_held, uninterrupted
from iwrouting.calls.limits import keep_limits
from iwrouting.calls.listing import list_models, show_model
from iwrouting.calls.requests import read_chat, read_embeddings, read_responses
from iwrouting.calls.resolving import ResolveAsk, peek, resolve_recorded
from iwrouting.calls.service import Service
from iwrouting.calls.streamed import answer_stream
from iwrouting.calls.vectors import answer_vectors, beside, check_vectors
from iwrouting.dispatch import Job
from iwrouting.errors import RoutingError
from iwrouting.resolver import facts_of
from iwrouting.tokens import count_chat, count_embeddings, count_responses
from iwrouting.types import Endpoint, Resolution, Scope

__all__ = [
    "Answer",
    "Caller",
    "ResolveAsk",
    "Service",
    "StreamAnswer",
    "chat",
    "embeddings",
    "fetch",
    "identify",
    "list_models",
    "peek",
    "refuse_request",
    "require",
    "resolve_recorded",
    "responses",
    "show_model",
    "turned_away",
]


async def chat(service: Service, caller: Caller, body: dict[str, Any], size: int) -> Answer | StreamAnswer:
    """Serve a chat completion; `size` is the body's length in bytes. Raises RoutingError for every other answer."""
    draft = Draft(caller, Endpoint.CHAT, service.config, size)
    try:
        require(caller.key, Scope.CALL)
        request = read_chat(body)
        draft.is_stream, draft.is_kept = request.stream, body.get("store") is True
        resolution = resolve_call(draft, request.model, request.messages)
        resolution = await keep_limits(service, draft, resolution, body, partial(count_chat, body))
    except RoutingError as error:
        await _refused(service, draft, body, error)
        raise
    await decide(service, draft)
    job = _job(service, draft, resolution, request.body)
    if request.stream:
        return await conclude(service, draft, job, answer_stream(service, draft, job, request))
    return await conclude(service, draft, job, answer_whole(service, draft, job))


async def responses(service: Service, caller: Caller, body: dict[str, Any], size: int) -> Answer | StreamAnswer:
    """Serve a response, also one made in the background. Raises RoutingError for every other answer."""
    draft = Draft(caller, Endpoint.RESPONSES, service.config, size)
    try:
        require(caller.key, Scope.CALL)
        request = read_responses(body)
        draft.is_stream = request.stream
        draft.is_kept, draft.goes_on = body.get("store") is not False, request.background
        resolution = resolve_call(draft, request.model, request.messages)
        resolution = await keep_limits(service, draft, resolution, body, partial(count_responses, body))
        pin = await pinned(service.held, caller, request, resolution)
    except RoutingError as error:
        await _refused(service, draft, body, error)
        raise
    await decide(service, draft)
    job = _job(service, draft, resolution, request.body, pin=pin)
    if request.stream:
        return await conclude(service, draft, job, answer_stream(service, draft, job, request))
    whole = conclude(service, draft, job, answer_whole(service, draft, job))
    return await (uninterrupted(service, whole) if request.background else whole)


async def fetch(service: Service, caller: Caller, request: FetchRequest) -> Answer | StreamAnswer:
    """Retrieve, cancel or delete a response that a provider keeps, or list its input. Raises RoutingError."""
    draft = Draft(caller, request.action.endpoint, service.config, 0)
    try:
        require(caller.key, Scope.CALL)
        guard_loop(draft)
        guard_age(draft)
        resolution = resolve_held(draft, await service.held.own(caller, request.response_id), request)
    except RoutingError as error:
        await _refused(service, draft, {}, error)
        raise
    await decide(service, draft)
    job = _job(service, draft, resolution, {}, method=request.action.method, path=request.path)
    if request.stream:
        return await conclude(service, draft, job, answer_stream(service, draft, job, request))
    return await conclude(service, draft, job, answer_whole(service, draft, job))


async def embeddings(service: Service, caller: Caller, body: dict[str, Any], size: int) -> Answer:
    """Serve embeddings, cut into batches where the limits ask for it. Raises RoutingError for every other answer."""
    draft = Draft(caller, Endpoint.EMBEDDINGS, service.config, size)
    try:
        require(caller.key, Scope.CALL)
        request = await beside(size, read_embeddings, body)
        resolution = resolve_call(draft, request.model)
        await beside(size, check_vectors, request, facts_of(draft.config, resolution.model or ""), service.conf)
        resolution = await keep_limits(service, draft, resolution, body, partial(count_embeddings, request.items))
    except RoutingError as error:
        await _refused(service, draft, body, error)
        raise
    await decide(service, draft)
    job = _job(service, draft, resolution, request.body)
    return await conclude(service, draft, job, answer_vectors(service, draft, job, request))


async def refuse_request(
    service: Service, caller: Caller, endpoint: str, body: dict[str, Any], size: int, error: RoutingError
) -> None:
    """Record a request that is refused before it comes to a call (design.md 6). Raises AuditUnavailable."""
    await _refused(service, Draft(caller, endpoint, service.config, size), body, error)


async def _refused(service: Service, draft: Draft, body: dict[str, Any], error: RoutingError) -> None:
    asked = body.get("model") or body.get("alias")
    if not draft.asked and isinstance(asked, str):
        draft.asked = asked
    error.extra_headers = decision_headers(draft)
    await refuse(service, draft, error)


def _job(
    service: Service,
    draft: Draft,
    resolution: Resolution,
    body: dict[str, Any],
    *,
    pin: str = "",
    method: str = "POST",
    path: str = "",
) -> Job:
    seconds, hurried = allowed_s(draft, resolution, service.conf)
    return Job(
        draft.id,
        resolution,
        draft.config,
        Endpoint(draft.endpoint.partition(".")[0]),
        body,
        deadline=draft.caller.started_ns / 1e9 + seconds,
        hurried=hurried,
        strict=is_strict(draft),
        pin=pin,
        method=method,
        path=path,
        output_cap=draft.purse.output_cap if draft.purse else None,
    )
