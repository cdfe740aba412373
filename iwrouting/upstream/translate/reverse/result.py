"""A chat completion as a response object (openai-facts.md 2c). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iwrouting.upstream.failures import Failure, bad_answer
from iwrouting.upstream.translate.pieces import Json, is_citation, probabilities, responses_moderation, tail
from iwrouting.upstream.usage import read_usage

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reasons of answers that ended before their end."""

ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "user": None,
}
"""Members of a response that repeat the request, with what stands there where it did not say."""


@dataclass(frozen=True, slots=True)
class Echo:
    """What a response says of its request and itself. `key` makes the ids of its items, `created` is Unix seconds."""

    request: Mapping[str, Any]
    response_id: str
    key: str
    created: int

    def response(self, status: str, output: list[Json], model: str, **more: Any) -> Json:
        """A response object in one of its states."""
        given = {name: self.request.get(name) for name in ECHOED}
        repeated = {name: ECHOED[name] if value is None else value for name, value in given.items()}
        return {
            "id": self.response_id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": model,
            "output": output,
            "previous_response_id": None,
            "store": False,
            "truncation": "disabled",
            "usage": None,
            **repeated,
            **more,
        }

    def item_id(self, kind: str, number: int) -> str:
        """The id of an output item, the same wherever it is told."""
        return f"{kind}_{self.key}_{number}"

    def message(self, content: list[Json], status: str, number: int = 0) -> Json:
        """A message item."""
        item = {"id": self.item_id("msg", number), "type": "message", "status": status, "role": "assistant"}
        return {**item, "content": content}

    def call(self, call: Mapping[str, str], status: str, number: int) -> Json:
        """A function_call item; `call` has call_id, name and arguments."""
        return {"id": self.item_id("fc", number), "type": "function_call", "status": status, **call}


def chat_to_response(chat: Mapping[str, Any], echo: Echo) -> Json | Failure:
    """Translate a whole chat answer; a Failure for one without a readable choice."""
    choices = chat.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return bad_answer("bad_body", 200)
    status, details = state_of(choice.get("finish_reason"))
    calls = calls_of(message.get("tool_calls"))
    if calls is None:
        return bad_answer("bad_body", 200)
    parts = parts_of(message, choice.get("logprobs"))
    output = [echo.message(parts, status)] if parts else []
    output += [echo.call(call, status, number) for number, call in enumerate(calls)]
    model = chat["model"] if isinstance(chat.get("model"), str) else ""
    return echo.response(
        status,
        output,
        model,
        incomplete_details=details,
        usage=responses_usage_of(chat),
        **tail(chat, responses_moderation),
    )


def state_of(reason: object) -> tuple[str, Json | None]:
    """A finish reason as status and `incomplete_details`."""
    if isinstance(reason, str) and reason in INCOMPLETE:
        return "incomplete", {"reason": INCOMPLETE[reason]}
    return "completed", None


def parts_of(message: Mapping[str, Any], logprobs: object) -> list[Json]:
    """The content parts of a chat message."""
    parts: list[Json] = []
    if isinstance(message.get("content"), str):
        found = logprobs.get("content") if isinstance(logprobs, dict) else None
        parts.append(output_text(message["content"], probabilities(found), flat_citations(message.get("annotations"))))
    if isinstance(message.get("refusal"), str):
        parts.append({"type": "refusal", "refusal": message["refusal"]})
    return parts


def output_text(text: str, logprobs: list[Json], annotations: list[Json]) -> Json:
    """A text part."""
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs}


def flat_citations(annotations: object) -> list[Json]:
    """Web citations, flat as a response has them."""
    found = annotations if isinstance(annotations, list) else []
    cited = (each.get("url_citation") for each in found if isinstance(each, dict))
    return [{**each, "type": "url_citation"} for each in cited if isinstance(each, dict) and is_citation(each)]


def calls_of(calls: object) -> list[dict[str, str]] | None:
    """Tool calls as call_id, name and arguments; None where one is malformed."""
    found = []
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            return None
        made = {"call_id": call.get("id"), "name": function.get("name"), "arguments": function.get("arguments")}
        if not all(isinstance(value, str) for value in made.values()):
            return None
        found.append(made)
    return found


def responses_usage_of(chat: Mapping[str, Any]) -> Json | None:
    """The usage in the names of Responses, every member an integer: strict clients demand it (openai-facts.md 10)."""
    usage = read_usage(dict(chat))
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    cached = {"cached_tokens": usage.cached_tokens or 0, "cache_write_tokens": usage.cache_write_tokens or 0}
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": cached,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
