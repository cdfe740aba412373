"""Resolving and calling, written once: generators that yield what to ask of an SDK client.

A step is a function of the client, sync or async alike, since both have the same methods; `drivers` runs it and sends
back its result, or throws what it raised.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import httpx2
from openai import APIStatusError, Timeout

from iwrouting._client import context
from iwrouting._client.answers import Answer, Known, parse
from iwrouting._client.errors import RouterUnavailable
from iwrouting._client.router import Router
from iwrouting._client.settings import settings
from iwrouting.types import Kind

T = TypeVar("T")
Step: TypeAlias = Callable[[Any], Any]
Flow: TypeAlias = Generator[Step, Any, T]

RESOLVE_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5.0
RESOLVE_CONNECT_TIMEOUT_S = 2.0

_PREFIX = {Kind.ROLE: "role", Kind.CHAT_MODE: "mode"}
_IS_A: Mapping[str | None, str] = {
    Kind.ROLE: "a role; roles go through get_model_for_role",
    Kind.CHAT_MODE: "a chat mode; chat modes go through get_model_for_mode",
    Kind.EMBEDDING: "the embedding alias; it goes through get_embedding_model",
}


def resolving(router: Router, alias: str) -> Flow[Answer]:
    """The answer for an alias: still fresh, or revalidated, or fetched; without the service, the next best."""
    known = router.known(alias)
    if known is not None and known.is_fresh():
        return router.learn(alias, known)
    quiet = router.quiet()
    if quiet is not None:
        return router.fall_back(alias, quiet)
    try:
        fetched = yield from _fetching(router, alias, known)
    except RouterUnavailable as error:
        return router.fall_back(alias, error)
    return router.learn(alias, fetched)


def _fetching(router: Router, alias: str, known: Known | None) -> Flow[Known]:
    with router.contact() as headers:
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        try:
            response = yield _get(router.root, alias, headers)
        except APIStatusError as error:
            if error.status_code != httpx2.codes.NOT_MODIFIED or known is None:
                raise
            return known.renewed()
        try:
            return parse(alias, response.json(), response.headers.get("etag"))
        except ValueError as error:
            raise RouterUnavailable(router.root, str(error), response.request) from error


def _get(root: str, alias: str, headers: Mapping[str, str]) -> Step:
    project = context.current().project
    options = {
        "params": {"alias": alias, **({"project": project} if project else {})},
        "headers": headers,
        "timeout": _timeout(RESOLVE_TIMEOUT_S, RESOLVE_CONNECT_TIMEOUT_S),
        "max_retries": 0,
    }
    return lambda client: client.get(f"{root}/api/v1/resolve", cast_to=httpx2.Response, options=options)


def _timeout(most_s: float, connect_s: float) -> Timeout:
    seconds = min(settings().timeout or most_s, most_s)
    return Timeout(seconds, connect=min(seconds, connect_s))


def counting(router: Router, window: str | None, *, reset: bool = False) -> Flow[dict[str, Any]]:
    """The service's telemetry as it tells it; `reset`: and begin anew. Nothing is known of it without the service."""
    path = f"{router.root}/api/v1/telemetry"
    with router.contact() as headers:
        options = with_timeout({"headers": headers, "params": {} if window is None else {"window": window}})
        if reset:
            options["max_retries"] = 0
        response = (
            yield lambda client: (
                client.post(f"{path}/reset", cast_to=httpx2.Response, options=options)
                if reset
                else client.get(path, cast_to=httpx2.Response, options=options)
            )
        )
        found: dict[str, Any] = response.json()
    return found


def model_for(router: Router, kind: Kind, name: str) -> Flow[str]:
    """The model behind an alias of one kind. Raises ValueError if the alias is of another kind."""
    answer = yield from resolving(router, name)
    if answer.kind != kind and not _unknown_kind(answer):
        raise ValueError(f"{name!r} is {_IS_A.get(answer.kind, 'a model id, not an alias')}")
    return answer.model


def _unknown_kind(answer: Answer) -> bool:
    """An alias that only its environment variable knows."""
    return answer.kind is None and answer.source == "environment"


def calling(
    router: Router, kind: Kind, name: str, messages: Iterable[Mapping[str, object]], options: Mapping[str, Any]
) -> Flow[Any]:
    """A chat call by alias: the service decides and calls. `options` go to the SDK's `create` as they are."""
    given = with_timeout(options)
    with router.contact() as headers:
        extra = {**headers, **(given.pop("extra_headers", None) or {})}
        answer = yield lambda client: client.chat.completions.create(
            model=f"{_PREFIX[kind]}:{name}", messages=messages, extra_headers=extra, **given
        )
    return answer


def with_timeout(options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an SDK call with the configured time-out, unless they bring their own."""
    seconds = settings().timeout
    ours = {} if seconds is None else {"timeout": Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_S))}
    return {**ours, **options}
