"""A whole chat completion as the stream that the caller asked for (faults.md U20). Pure; nothing is invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iwrouting.upstream.sse import DONE
from iwrouting.upstream.translate.wire import frame_of

Json = dict[str, Any]
HEAD = ("id", "created", "model", "service_tier", "system_fingerprint")
"""What every chunk repeats of the completion."""

APART = ("role", "tool_calls")
"""Members of a message that have chunks of their own."""


def chat_frames(completion: Mapping[str, Any], include_usage: bool) -> list[bytes]:
    """The frames of a completion, terminal marker included: role, deltas, finish, and usage where it was asked for.

    A choice that has no message or no finish reason gets none either: the stream is then not whole (G2). What the
    provider said beside content, such as a refusal or reasoning, is one delta each, under its own name.
    """
    head = {name: completion[name] for name in HEAD if completion.get(name) is not None}
    head["object"] = "chat.completion.chunk"
    usage = completion.get("usage") if include_usage else None
    nothing: Json = {"usage": None} if include_usage else {}
    choices = completion.get("choices")
    found = [frame_of({**head, "choices": [choice], **nothing}) for choice in _choices(choices)]
    if isinstance(usage, dict):
        found.append(frame_of({**head, "choices": [], "usage": usage}))
    return [*found, DONE]


def _choices(choices: object) -> Iterator[Json]:
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if not isinstance(choice, dict):
            continue
        index = choice["index"] if type(choice.get("index")) is int else place
        for delta, logprobs in _deltas(choice):
            yield {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        if isinstance(choice.get("finish_reason"), str):
            yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]}


def _deltas(choice: Json) -> Iterator[tuple[Json, Json | None]]:
    """The deltas of a choice; the probabilities go with the first one after the role."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return
    yield {"role": message.get("role", "assistant"), "content": "", "refusal": None}, None
    logprobs = choice.get("logprobs")
    for name, value in message.items():
        if name not in APART and value not in (None, "", [], {}):
            yield {name: value}, logprobs
            logprobs = None
    calls = message.get("tool_calls")
    for place, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            yield {"tool_calls": [{"index": place, **call}]}, logprobs
            logprobs = None
    if logprobs is not None:
        yield {}, logprobs
