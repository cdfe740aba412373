"""Responses calls of one live test through the SDK, and what their streams hold."""

from __future__ import annotations

import json
from typing import Any

from openai import OpenAI

from tests.live.live import Called, Live


def created(live: Live, model: str, given: Any = "Say hello", *, client: OpenAI | None = None, **more: Any) -> Called:
    """One whole response."""
    create: Any = (client or live.client()).responses.with_raw_response.create
    found = create(model=model, input=given, **more)
    return Called(found.parse(), found.headers)


def streamed(live: Live, model: str, given: Any = "Say hello", *, client: OpenAI | None = None, **more: Any) -> Called:
    """One streamed response, read to its end; `answer` has the events."""
    create: Any = (client or live.client()).responses.with_raw_response.create
    found = create(model=model, input=given, stream=True, **more)
    with found.parse() as opened:
        return Called(list(opened), found.headers)


def events_of(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream's bytes; comments left out."""
    lines = (line for frame in body.split(b"\n\n") for line in frame.split(b"\n"))
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]


def text_of(events: list[Any]) -> str:
    """The text that the deltas of a stream make."""
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")
