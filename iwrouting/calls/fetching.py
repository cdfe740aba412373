"""What can be done with a response that a provider keeps: sent to the upstream that holds it, and to no other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from iwrouting.calls.caller import Caller
from iwrouting.calls.cutting import outlasting
from iwrouting.calls.draft import Draft
from iwrouting.calls.held import HeldResponses, pin
from iwrouting.calls.requests import ResponsesRequest
from iwrouting.calls.service import Service
from iwrouting.types import HeldFacts, Resolution, Rung, Skip, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: the name on the decision, the provider's method, and the path after the response's id."""

    endpoint: str
    method: str
    path: str = ""


RETRIEVE = Action("responses.get", "GET")
CANCEL = Action("responses.cancel", "POST", "/cancel")
DELETE = Action("responses.delete", "DELETE")
INPUT_ITEMS = Action("responses.items", "GET", "/input_items")


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A response to be fetched with a query, such as `stream` and `starting_after`.

    `choices` and `include_usage` are what every response has: one answer, and its usage at the end.
    """

    action: Action
    response_id: str
    query: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] = field(default_factory=dict)
    choices: int = 1
    include_usage: bool = True

    @property
    def stream(self) -> bool:
        """Whether its events are asked for."""
        return self.action is RETRIEVE and dict(self.query).get("stream") == "true"

    @property
    def path(self) -> str:
        """The path and query at the provider."""
        query = f"?{urlencode(self.query)}" if self.query else ""
        return f"/responses/{quote(self.response_id, safe='')}{self.action.path}{query}"


def resolve_held(draft: Draft, held: HeldFacts, request: FetchRequest) -> Resolution:
    """The one rung that can do it: the upstream that holds the response, while it is one."""
    draft.fetches = held
    draft.is_stream = request.stream
    draft.asked = held.model
    draft.reason = f"response {held.response_id} of decision {held.decision_id}"
    upstream = draft.config.upstreams.get(held.upstream)
    skip = None if upstream is not None and upstream.enabled else Skip.MODEL_DISABLED
    draft.resolution = Resolution(
        asked=held.model,
        alias=None,
        kind=None,
        model=held.model,
        upstream=held.upstream,
        source=Source.EXPLICIT,
        ladder=(),
        chain=(Rung(0, None, held.model, Source.EXPLICIT, held.upstream, skip),),
        warnings=(),
        revision=draft.config.revision,
        environment_id=draft.config.environment.id,
    )
    return draft.resolution


async def pinned(held: HeldResponses, caller: Caller, request: ResponsesRequest, resolution: Resolution) -> str:
    """The upstream that alone can go on from what the request names; empty where it names nothing.

    What is not known here goes unchanged to the primary: that provider judges it. Raises BadRequest or Unavailable.
    """
    known = await pin(held, caller, request.previous) if request.previous else ""
    if known or not (request.previous or request.body.get("conversation")):
        return known
    return next((rung.upstream for rung in resolution.chain if rung.skip is None), resolution.upstream)


async def uninterrupted(service: Service, work: Coroutine[Any, Any, T]) -> T:
    """Wait for work that goes on to its end when its caller leaves: what it began goes on at the provider too."""
    task = asyncio.create_task(work)
    service.going_on.add(task)
    task.add_done_callback(service.going_on.discard)
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception() and None)
    return await outlasting(task)
