"""The models, tools, answers and events that the tests of this folder speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from iwrouting import catalogue
from iwrouting.types import ModelFacts
from iwrouting.upstream.failures import Failure
from iwrouting.upstream.translate import ResponsesStream, chat_to_responses, responses_to_chat

Json = dict[str, Any]
CODEX = catalogue.models()["gpt-5.1-codex"].facts
RESEARCH = catalogue.models()["o3-deep-research"].facts
FREE = ModelFacts("codex-free", frozenset({"responses"}), reasoning=True)
"""A Responses-only model without parameter rules of its own."""

TOLD = "translated chat to responses"
ID, NOW = "chatcmpl-1", 1_700_000_000
HELLO = [{"role": "user", "content": "Say hello"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
ADD = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": SCHEMA}}
USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 2},
    "output_tokens": 1024,
    "output_tokens_details": {"reasoning_tokens": 1000},
    "total_tokens": 1054,
}


def translated(facts: ModelFacts = FREE, *, strict: bool = False, **body: Any) -> tuple[Json, list[str]]:
    """The Responses request of a chat body, and its changes after the first one."""
    found = chat_to_responses({"model": "code", "messages": HELLO, **body}, facts, strict=strict)
    assert found.changes[0] == TOLD
    return found.body, list(found.changes[1:])


def items(*messages: Any, facts: ModelFacts = FREE) -> list[Json]:
    """The input items of messages."""
    found: list[Json] = translated(facts, messages=list(messages))[0]["input"]
    return found


def message(*parts: Json, index: int = 0, status: str = "completed") -> Json:
    """A message item of an answer."""
    return {"id": f"msg_{index}", "type": "message", "status": status, "role": "assistant", "content": list(parts)}


def said(text: str, **more: Any) -> Json:
    """An output_text part."""
    return {"type": "output_text", "text": text, "annotations": [], **more}


def call(name: str = "add", arguments: str = '{"a":1}', index: int = 0) -> Json:
    """A function_call item of an answer; its own id differs from its call id."""
    return {
        "id": f"fc_{index}",
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{index}",
        "name": name,
        "arguments": arguments,
    }


REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}


def response(*output: Json, status: str = "completed", **more: Any) -> Json:
    """A response object."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_600_000_000.0,
        "status": status,
        "model": "gpt-5.1-codex-2025",
        "error": None,
        "incomplete_details": None,
        "output": list(output),
        "service_tier": "default",
        "usage": USAGE,
        **more,
    }


def incomplete(reason: str, *output: Json) -> Json:
    """A response that ended before its end."""
    return response(*output, status="incomplete", incomplete_details={"reason": reason})


def chat(body: Json) -> Json:
    """The chat completion of a response."""
    found = responses_to_chat(body, chat_id=ID, created=NOW)
    assert isinstance(found, dict), found
    return found


def failed(body: Json) -> Failure:
    """The failure inside a response."""
    found = responses_to_chat(body, chat_id=ID, created=NOW)
    assert isinstance(found, Failure), found
    return found


def event(kind: str, **members: Any) -> Json:
    """An event of a stream."""
    return {"type": f"response.{kind}", "sequence_number": 7, **members}


def opening() -> list[Json]:
    """The events before any output."""
    started = response(status="in_progress", usage=None)
    return [event("created", response=started), event("in_progress", response=started)]


def chunks_of(frames: bytes) -> list[Json]:
    """The chunks of chat frames; comments left out."""
    found = [frame for frame in frames.split(b"\n\n") if frame and not frame.startswith(b":")]
    assert all(frame.startswith(b"data: {") for frame in found)
    return [json.loads(frame[6:]) for frame in found]


def streamed(events: Iterable[Json], **options: Any) -> tuple[list[Json], ResponsesStream]:
    """The chunks of a whole stream, and the translator at its end."""
    stream = ResponsesStream(ID, created=NOW, **options)
    return chunks_of(b"".join(stream.feed(each) for each in events)), stream


def deltas(chunks: list[Json]) -> list[Json]:
    """The deltas of chunks after the role, the end left out."""
    found = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    return [choice["delta"] for choice in found[1:] if choice["finish_reason"] is None]


def joined(chunks: list[Json]) -> Json:
    """What a client makes of chunks: a message, and why it ended."""
    made: Json = {"content": None, "refusal": None, "tool_calls": [], "finish_reason": None}
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        made["finish_reason"] = choice["finish_reason"] or made["finish_reason"]
        for name in ("content", "refusal"):
            if choice["delta"].get(name):
                made[name] = (made[name] or "") + choice["delta"][name]
        for part in choice["delta"].get("tool_calls", ()):
            add_call(made["tool_calls"], part)
    return made


def add_call(calls: list[Json], part: Json) -> None:
    """Put one tool-call delta in its place; a new one comes with its id."""
    if part["index"] == len(calls):
        calls.append({"id": part["id"], "type": part["type"], "function": dict(part["function"])})
    else:
        calls[part["index"]]["function"]["arguments"] += part["function"]["arguments"]
