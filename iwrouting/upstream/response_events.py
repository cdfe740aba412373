"""A whole response as the events of the stream that the caller asked for (faults.md U20). Pure; nothing is invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iwrouting.upstream.translate.wire import dumps

Json = dict[str, Any]
PARTS = {"output_text": "text", "refusal": "refusal"}
"""The kinds of content part that come in deltas, each with the member that holds the text."""

BLANK: Mapping[str, Json] = {"message": {"content": []}, "function_call": {"arguments": ""}}
"""What an item has at its beginning in the place of what comes in deltas."""


def response_frames(response: Mapping[str, Any]) -> list[bytes]:
    """The frames of a response, the terminal one last; no terminal one for a response that is not at its end."""
    frames = []
    for number, event in enumerate(_events(response)):
        head = b"event: " + str(event["type"]).encode() + b"\ndata: "
        frames.append(head + dumps({**event, "sequence_number": number}) + b"\n\n")
    return frames


def _events(response: Mapping[str, Any]) -> Iterator[Json]:
    started = {**response, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    output = response.get("output")
    for index, item in enumerate(output if isinstance(output, list) else ()):
        if isinstance(item, dict):
            yield from _item(item, index)
    if response.get("status") in ("completed", "incomplete"):
        yield {"type": f"response.{response['status']}", "response": dict(response)}


def _item(item: Json, index: int) -> Iterator[Json]:
    blank = BLANK.get(str(item.get("type")), {})
    status = {"status": "in_progress"} if "status" in item else {}
    yield {"type": "response.output_item.added", "output_index": index, "item": {**item, **status, **blank}}
    where = {"item_id": item.get("id"), "output_index": index}
    if item.get("type") == "message":
        yield from _parts(item, where)
    elif item.get("type") == "function_call" and isinstance(item.get("arguments"), str):
        yield {"type": "response.function_call_arguments.delta", **where, "delta": item["arguments"]}
        named = {"name": item.get("name"), "arguments": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **where, **named}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _parts(item: Json, where: Json) -> Iterator[Json]:
    content = item.get("content")
    for place, part in enumerate(content if isinstance(content, list) else ()):
        member = PARTS.get(str(part.get("type"))) if isinstance(part, dict) else None
        if member is None or not isinstance(part.get(member), str):
            continue
        at = {**where, "content_index": place}
        told = {"logprobs": part.get("logprobs") or []} if member == "text" else {}
        yield {"type": "response.content_part.added", **at, "part": {**part, member: ""}}
        yield {"type": f"response.{part['type']}.delta", **at, "delta": part[member], **told}
        yield {"type": f"response.{part['type']}.done", **at, member: part[member], **told}
        yield {"type": "response.content_part.done", **at, "part": part}
