"""The SDK's own types as the judge of what we emit: strictly, without its leniency towards missing and odd members."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from openai import BaseModel, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from tests.live.live import Live, events

CHAT = "/v1/chat/completions"
_adapters: dict[Any, TypeAdapter[Any]] = {}


def judged(kind: Any, data: bytes | str) -> Any:
    """A body as one of the SDK's types, no value coerced. Raises pydantic's ValidationError."""
    adapter = _adapters.setdefault(kind, TypeAdapter(kind))
    return adapter.validate_json(data, strict=True)


EVENTS: dict[str, Any] = {
    get_args(event.model_fields["type"].annotation)[0]: event for event in get_args(get_args(ResponseStreamEvent)[0])
}
"""The SDK's events by their `type`: trying all of them on each event would take ten times as long as all else."""


def judged_event(event: dict[str, Any]) -> Any:
    """An event of a Responses stream as the SDK's type. Raises KeyError for one of no known type."""
    return judged(EVENTS[event["type"]], json.dumps(event))


def strict(live: Live) -> OpenAI:
    """The SDK for the test's tenant, which raises where an answer is not of its types."""
    return OpenAI(
        base_url=live.base_url,
        api_key=live.home.key,
        max_retries=0,
        timeout=20,
        default_headers={"x-iw-run-id": live.run},
        _strict_response_validation=True,
    )


def completion(live: Live, body: dict[str, Any]) -> ChatCompletion:
    """One whole chat answer, judged."""
    got = live.post(CHAT, body)
    assert (got.status, got.headers["content-type"]) == (200, "application/json"), got.body
    assert got.headers["x-request-id"]
    found: ChatCompletion = judged(ChatCompletion, got.body)
    return found


def chunks(live: Live, body: dict[str, Any]) -> list[ChatCompletionChunk]:
    """The chunks of one streamed chat answer, each judged, after checking its end."""
    got = live.post(CHAT, {**body, "stream": True})
    assert (got.status, got.headers["content-type"].partition(";")[0]) == (200, "text/event-stream"), got.body
    *found, done = events(got.body)
    assert done == "[DONE]"
    assert got.headers["x-request-id"]
    return [judged(ChatCompletionChunk, json.dumps(each)) for each in found]


def unknown_members(value: Any, place: str = "") -> Iterator[str]:
    """The places of members that the SDK's types do not have."""
    if isinstance(value, BaseModel):
        yield from (f"{place}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from unknown_members(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from unknown_members(each, f"{place}[]")
