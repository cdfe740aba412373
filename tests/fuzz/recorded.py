"""Valid requests, answers and streams as the strict sandbox takes and gives them: the seeds of all mutation."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from iwrouting.sandbox import KEY
from iwrouting.sandbox.answer import Answer
from iwrouting.sandbox.exchange import Exchange
from iwrouting.sandbox.log import Log
from iwrouting.sandbox.plan import Plan
from iwrouting.sandbox.routing import respond
from iwrouting.sandbox.state import Sandbox
from tests.translate.cast import event, message, opening, response

Json = dict[str, Any]
SANDBOX = Sandbox(log=Log(None), plan=Plan())
SHAPE: Json = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}
USER = {"role": "user", "content": "call add"}
CALLED = {
    "role": "assistant",
    "content": "Adding.",
    "tool_calls": [{"id": "call_a", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}],
}
PARTS = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:,x", "detail": "low"}}]
FUNCTION = {"name": "add", "description": "Adds.", "parameters": SHAPE}

CHAT: dict[str, Json] = {
    "text": {"messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "write 12 words"}]},
    "tools": {"messages": [USER], "tools": [{"type": "function", "function": {**FUNCTION, "strict": False}}], "n": 2},
    "history": {"messages": [USER, CALLED, {"role": "tool", "tool_call_id": "call_a", "content": "3"}]},
    "parts": {"messages": [{"role": "user", "content": PARTS}], "max_completion_tokens": 40, "metadata": {"a": "b"}},
    "shaped": {
        "messages": [USER],
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SHAPE, "strict": True}},
    },
}

RESPONSES: dict[str, Json] = {
    "text": {"input": "write 12 words", "instructions": "Be brief"},
    "tools": {"input": [USER], "tools": [{"type": "function", **FUNCTION}], "tool_choice": "required"},
    "history": {
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "call add"}]},
            {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "3"}]},
        ],
        "store": False,
    },
    "shaped": {
        "input": [{"role": "user", "content": "as json"}, {"role": "assistant", "content": "hm"}, USER],
        "text": {"format": {"type": "json_schema", "name": "x", "schema": SHAPE, "strict": True}},
        "max_output_tokens": 100,
    },
    "cut": {"input": "write 400 words", "max_output_tokens": 90},
}
CHAT_MODEL, RESPONSES_MODEL, RESEARCH_MODEL = "gpt-4.1", "gpt-5.1-codex", "o3-deep-research"


def ask(path: str, body: Json) -> Answer:
    """The sandbox's answer, which must be a 200."""
    data = json.dumps(body).encode()
    key = {"authorization": f"Bearer {KEY}"}
    exchange = Exchange(
        n=1, method="POST", path=path, query="", headers=key, body=data, bytes_in=len(data), request_id="req_1"
    )
    answer, _ = respond(SANDBOX, exchange)
    assert answer.status == 200, answer.body()
    return answer


def frames(answer: Answer) -> list[bytes]:
    """The frames of a streamed answer."""
    return [each.frame() for each in answer.events or ()]


LOGPROB = {"token": "I", "logprob": -0.5, "bytes": [73], "top_logprobs": [{"token": "We", "logprob": -1.5}]}
CITED = {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "https://example.org", "title": "t"}
SAID = {"type": "output_text", "text": "I see.", "annotations": [CITED], "logprobs": [LOGPROB]}
REFUSAL = {"type": "refusal", "refusal": "I can't."}
JUDGED = {
    "type": "moderation_result",
    "model": "omni-moderation-latest",
    "flagged": False,
    "categories": {"violence": False},
    "category_scores": {"violence": 0.1},
    "category_applied_input_types": {"violence": ["text"]},
}
UNJUDGED = {"type": "error", "code": "server_error", "message": "No moderation."}
MODERATION = {"input": JUDGED, "output": UNJUDGED}
RARE = response(message(SAID, REFUSAL), moderation=MODERATION, service_tier="flex")
"""What the sandbox never says: a refusal, probabilities, a citation, a moderation."""


def rare() -> list[bytes]:
    """The stream of that response, with a keepalive and an event of an unknown kind."""
    at = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
    second = {**at, "content_index": 1}
    told = [
        *opening(),
        {"type": "keepalive", "sequence_number": 3},
        event("output_item.added", output_index=0, item=message(status="in_progress")),
        event("content_part.added", **at, part={"type": "output_text", "text": ""}),
        event("output_text.delta", **at, delta="I ", logprobs=[LOGPROB]),
        event("output_text.delta", **at, delta="see.", logprobs=[]),
        event("output_text.annotation.added", **at, annotation_index=0, annotation=CITED),
        event("output_text.done", **at, text="I see.", logprobs=[LOGPROB]),
        event("content_part.added", **second, part={"type": "refusal", "refusal": ""}),
        *(event("refusal.delta", **second, delta=piece) for piece in ("I ", "can't.")),
        event("refusal.done", **second, refusal="I can't."),
        event("unheard_of", **at, delta="no"),
        event("content_part.done", **second, part=REFUSAL),
        event("output_item.done", output_index=0, item=message(SAID, REFUSAL)),
        event("completed", response=RARE),
    ]
    return [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in told]


@cache
def chat_answers() -> list[Json]:
    """Whole chat completions."""
    return [ask("/v1/chat/completions", {"model": CHAT_MODEL, **body}).payload for body in CHAT.values()]


@cache
def chat_streams() -> list[list[bytes]]:
    """Streams of chunks with their usage."""
    more = {"model": CHAT_MODEL, "stream": True, "stream_options": {"include_usage": True}}
    return [frames(ask("/v1/chat/completions", {**body, **more})) for body in CHAT.values()]


@cache
def responses() -> list[Json]:
    """Whole response objects."""
    found = [ask("/v1/responses", {"model": RESPONSES_MODEL, **body}).payload for body in RESPONSES.values()]
    return [*found, searched().payload, RARE]


@cache
def responses_streams() -> list[list[bytes]]:
    """Streams of events."""
    more = {"model": RESPONSES_MODEL, "stream": True}
    found = [frames(ask("/v1/responses", {**body, **more})) for body in RESPONSES.values()]
    return [*found, frames(searched(stream=True)), rare()]


def searched(**more: Any) -> Answer:
    """An answer of deep research."""
    body = {"model": RESEARCH_MODEL, "input": "Find out", "tools": [{"type": "web_search_preview"}]}
    return ask("/v1/responses", {**body, **more})
