"""A Responses answer as a chat completion (openai-facts.md 2b). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from iwrouting.upstream.failures import Failure, bad_answer
from iwrouting.upstream.translate.pieces import (
    Json,
    chat_moderation,
    chat_usage,
    citations,
    failure_of,
    finish_reason,
    probabilities,
    tail,
)


@dataclass(slots=True)
class Message:
    """What the output items of a response say, in their order. None: no such part."""

    content: str | None = None
    refusal: str | None = None
    annotations: list[Json] = field(default_factory=list)
    calls: list[Json] = field(default_factory=list)
    logprobs: list[Json] = field(default_factory=list)

    def as_dict(self) -> Json:
        """The chat message."""
        said: Json = {"role": "assistant", "content": self.content, "refusal": self.refusal}
        said["annotations"] = self.annotations
        return {**said, "tool_calls": self.calls} if self.calls else said


def responses_to_chat(body: Mapping[str, Any], *, chat_id: str, created: int) -> Json | Failure:
    """Translate a whole answer, or say what failure the provider put into its 200.

    `chat_id` is the completion's own id; `created`, in Unix seconds, stands in where the answer has no time.
    """
    failure = failure_of(body)
    if failure is not None:
        return failure
    message = read_output(body.get("output"))
    if message is None:
        return bad_answer("bad_body", 200)
    choice = {
        "index": 0,
        "message": message.as_dict(),
        "logprobs": {"content": message.logprobs, "refusal": None} if message.logprobs else None,
        "finish_reason": finish_reason(body, called=bool(message.calls)),
    }
    usage = chat_usage(body)
    return {
        "id": chat_id,
        "object": "chat.completion",
        "created": created_at(body, created),
        "model": body["model"] if isinstance(body.get("model"), str) else "",
        "choices": [choice],
        **({} if usage is None else {"usage": usage}),
        **tail(body, chat_moderation),
    }


def created_at(response: Mapping[str, Any], otherwise: int) -> int:
    """When the response was made, in whole Unix seconds."""
    made = response.get("created_at")
    return int(made) if isinstance(made, int | float) and 0 <= made < 2**53 else otherwise


def read_output(output: object) -> Message | None:
    """The output items as one message; None where they are malformed. Reasoning and hosted calls are left out."""
    if not isinstance(output, list):
        return None
    message = Message()
    for item in output:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "message":
            for part in parts_of(item):
                _add_part(message, part)
        elif kind == "function_call":
            call = tool_call(item)
            if call is None:
                return None
            message.calls.append(call)
    return message


def parts_of(item: Mapping[str, Any]) -> Iterator[Json]:
    """The content parts of a message item."""
    content = item.get("content")
    return (part for part in (content if isinstance(content, list) else ()) if isinstance(part, dict))


def tool_call(item: Mapping[str, Any]) -> Json | None:
    """A function_call item as a tool call, joined by `call_id`, never the item's id; None where it is malformed."""
    call_id, name, arguments = (item.get(key) for key in ("call_id", "name", "arguments"))
    if not (isinstance(call_id, str) and isinstance(name, str) and isinstance(arguments, str)):
        return None
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _add_part(message: Message, part: Json) -> None:
    text, refusal = part.get("text"), part.get("refusal")
    if part.get("type") == "output_text" and isinstance(text, str):
        before = message.content or ""
        message.annotations += citations(part, len(before))
        message.logprobs += probabilities(part.get("logprobs"))
        message.content = before + text
    elif part.get("type") == "refusal" and isinstance(refusal, str):
        message.refusal = (message.refusal or "") + refusal
