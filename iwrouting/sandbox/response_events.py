"""A finished response as the events of its stream, in the provider's order (openai-facts.md 2d and 3)."""

from __future__ import annotations

from collections.abc import Iterator

from iwrouting.sandbox.answer import Event, Json
from iwrouting.sandbox.words import pieces, slices

PADDING = "sandboxsandboxsandbox"


def events(response: Json, request: Json) -> list[Event]:
    """All events: created, in progress, the output items, the terminal one; numbered from 0."""
    padded = (request.get("stream_options") or {}).get("include_obfuscation") is not False
    numbered = []
    for number, data in enumerate(unnumbered(response)):
        extra: Json = {"sequence_number": number}
        if padded and data["type"].endswith(".delta"):
            extra["obfuscation"] = PADDING[: 16 - number % 11]
        numbered.append(Event({**data, **extra}, named=True))
    return numbered


def unnumbered(response: Json) -> Iterator[Json]:
    """The events without their numbers."""
    opened = {**response, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    opened["incomplete_details"] = None
    queued = {**opened, "status": "queued"}
    yield {"type": "response.created", "response": queued if response["background"] else opened}
    if response["background"]:
        yield {"type": "response.queued", "response": queued}
    yield {"type": "response.in_progress", "response": opened}
    for index, item in enumerate(response["output"]):
        yield from item_events(item, index)
    kind = "response.completed" if response["status"] == "completed" else "response.incomplete"
    yield {"type": kind, "response": response}


def item_events(item: Json, index: int) -> Iterator[Json]:
    """One output item: added, its parts, done."""
    makers = {"message": message_events, "function_call": call_events, "web_search_call": search_events}
    maker = makers.get(item["type"])
    started = {**item, "status": "in_progress"} if "status" in item else item
    if item["type"] == "message":
        started = {**started, "content": []}
    elif item["type"] == "function_call":
        started = {**started, "arguments": ""}
    yield {"type": "response.output_item.added", "output_index": index, "item": started}
    if maker is not None:
        for data in maker(item):
            yield {"item_id": item["id"], "output_index": index, **data}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def message_events(item: Json) -> Iterator[Json]:
    """The text parts of a message: added, deltas, done."""
    for index, part in enumerate(item["content"]):
        at = {"content_index": index}
        yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
        for piece in pieces(part["text"]):
            yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **at, "part": part}


def call_events(item: Json) -> Iterator[Json]:
    """The arguments of a call: deltas, done."""
    for piece in slices(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", "delta": piece}
    yield {
        "type": "response.function_call_arguments.done",
        "arguments": item["arguments"],
        "name": item["name"],
    }


def search_events(_item: Json) -> Iterator[Json]:
    """The steps of a web search."""
    for step in ("in_progress", "searching", "completed"):
        yield {"type": f"response.web_search_call.{step}"}
