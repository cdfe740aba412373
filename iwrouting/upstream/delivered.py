"""How much text an event of a stream carries: the measure of a stream that ended before any usage came. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WRITTEN = ("content", "refusal", "reasoning_content", "reasoning")
"""The members of a chat delta that hold what a model wrote, beside its tool calls."""


def chat_text(event: Mapping[str, Any]) -> int:
    """The bytes of text in a chat chunk: content, refusal, reasoning, arguments of calls."""
    choices = event.get("choices")
    size = 0
    for choice in choices if isinstance(choices, list) else ():
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if isinstance(delta, dict):
            size += sum(_size(delta[name]) for name in WRITTEN if name in delta)
            size += sum(_size(text) for text in _arguments(delta))
    return size


def responses_text(event: Mapping[str, Any]) -> int:
    """The bytes of text in an event of a Responses stream: whatever comes as a delta."""
    return _size(event.get("delta"))


def _arguments(delta: Mapping[str, Any]) -> Iterator[object]:
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        for name, member in (("function", "arguments"), ("custom", "input")):
            made = call.get(name) if isinstance(call, dict) else None
            if isinstance(made, dict):
                yield made.get(member)


def _size(text: object) -> int:
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0
