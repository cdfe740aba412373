"""There and back over the strict sandbox: it takes what we send, and the SDK parses what we make of its answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from iwrouting.types import ModelFacts
from iwrouting.upstream.sse import FrameSplitter
from iwrouting.upstream.translate import ResponsesStream, chat_to_responses, responses_to_chat
from iwrouting.upstream.translate.wire import event_of
from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess
from tests.translate.bodies import bodies
from tests.translate.cast import ADD, CODEX, ID, NOW, RESEARCH, Json, chunks_of, joined

RESPONSES = "/v1/responses"
SUB = {"type": "function", "function": {"name": "sub", "parameters": {"type": "object", "properties": {}}}}
DONE = [
    {"role": "user", "content": "call add"},
    {
        "role": "assistant",
        "content": "Adding.",
        "tool_calls": [{"id": "call_a", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call_a", "content": [{"type": "text", "text": "3"}]},
]
SHAPE = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {}}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,x"}}

CASES: dict[str, Json] = {
    "text": {},
    "sampled": {"temperature": 0.4, "top_p": 0.5, "stop": "x", "n": 3, "seed": 1, "logit_bias": {"1": 1}},
    "short": {"max_tokens": 5},
    "cut": {"max_completion_tokens": 70, "text": "write 100 words"},
    "one tool": {"tools": [ADD], "text": "call add"},
    "two tools": {"tools": [ADD, SUB], "text": "call add and call sub"},
    "forced": {"tools": [ADD, SUB], "tool_choice": {"type": "function", "function": {"name": "sub"}}},
    "allowed": {
        "tools": [ADD, SUB],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [{"type": "function", "function": {"name": "sub"}}]}},
    },
    "one at a time": {"tools": [ADD, SUB], "parallel_tool_calls": False, "text": "call add and call sub"},
    "answered": {"tools": [ADD], "messages": DONE},
    "history": {"messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"},
                             {"role": "assistant", "content": "Ho"}, {"role": "user", "content": "Hello"}]},
    "refused before": {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "refusal": "No."},
                                    {"role": "user", "content": "Please"}]},
    "image": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, IMAGE]}]},
    "shaped": {"response_format": SHAPE, "verbosity": "low", "reasoning_effort": "low"},
    "searching": {"web_search_options": {"search_context_size": "low"}},
    "named": {"metadata": {"a": "b"}, "user": "u", "service_tier": "flex", "prompt_cache_key": "k", "store": True},
}  # fmt: skip


def asked(case: Json) -> Json:
    """The chat request of a case; `text` is what its user says."""
    messages = case.get("messages") or [{"role": "user", "content": case.get("text", "Say hello")}]
    return {"model": "code", **{k: v for k, v in case.items() if k != "text"}, "messages": messages}


def whole(sandbox: SandboxProcess, body: Json, facts: ModelFacts) -> Json:
    """The sandbox's whole answer, translated back."""
    got = raw.post(sandbox.base_url, RESPONSES, chat_to_responses(body, facts).body)
    assert got.status == 200, got.body
    found = responses_to_chat(got.json, chat_id=ID, created=NOW)
    assert isinstance(found, dict)
    return found


def in_pieces(sandbox: SandboxProcess, body: Json, facts: ModelFacts) -> list[Json]:
    """The chunks of the sandbox's stream, translated back."""
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    got = raw.post(sandbox.base_url, RESPONSES, chat_to_responses(body, facts).body)
    assert got.status == 200, got.body
    stream = ResponsesStream(ID, created=NOW, include_usage=True)
    frames = FrameSplitter().feed(got.body)
    chunks = chunks_of(b"".join(stream.feed(event_of(frame) or {}) for frame in frames))
    assert stream.finished
    return chunks


@pytest.mark.parametrize("facts", [CODEX, RESEARCH], ids=lambda facts: facts.id)
@pytest.mark.parametrize("name", CASES)
def test_chat_request__is_taken_and_its_answer_is_the_same_whole_and_in_pieces(
    sandbox: SandboxProcess, name: str, facts: ModelFacts
) -> None:
    body = asked(CASES[name])
    answer = whole(sandbox, body, facts)
    chunks = in_pieces(sandbox, body, facts)
    parsed = ChatCompletion.model_validate(answer, strict=True)
    pieces = [ChatCompletionChunk.model_validate(chunk, strict=True) for chunk in chunks]
    message, made = answer["choices"][0]["message"], joined(chunks)
    assert made["content"] == message["content"]
    assert [call["function"] for call in made["tool_calls"]] == [
        call["function"] for call in message.get("tool_calls", ())
    ]
    assert made["finish_reason"] == parsed.choices[0].finish_reason
    assert pieces[-1].usage is not None
    assert parsed.usage is not None
    assert pieces[-1].usage.total_tokens == parsed.usage.total_tokens
    assert message["content"] or message.get("tool_calls") or made["finish_reason"] == "length"


def test_tools_are_called_and_answered(sandbox: SandboxProcess) -> None:
    first = whole(sandbox, asked(CASES["two tools"]), CODEX)["choices"][0]
    assert first["finish_reason"] == "tool_calls"
    assert [call["function"]["name"] for call in first["message"]["tool_calls"]] == ["add", "sub"]
    answers = [{"role": "tool", "tool_call_id": c["id"], "content": "3"} for c in first["message"]["tool_calls"]]
    messages: list[Any] = [{"role": "user", "content": "call add and call sub"}, first["message"], *answers]
    second = whole(sandbox, {"model": "code", "messages": messages, "tools": [ADD, SUB]}, CODEX)["choices"][0]
    assert second["message"]["content"].startswith("sandbox: gpt-5.1-codex heard")
    assert second["finish_reason"] == "stop"


def test_limit_on_output__cuts_with_length(sandbox: SandboxProcess) -> None:
    found = whole(sandbox, asked(CASES["short"]), CODEX)
    assert (found["choices"][0]["finish_reason"], found["choices"][0]["message"]["content"]) == ("length", None)
    assert found["usage"]["completion_tokens_details"]["reasoning_tokens"] == 16


def test_nothing_is_stored(sandbox: SandboxProcess) -> None:
    got = raw.post(sandbox.base_url, RESPONSES, chat_to_responses(asked({}), CODEX).body)
    assert raw.get(sandbox.base_url, f"{RESPONSES}/{got.json['id']}").status == 404


def test_research__searches(sandbox: SandboxProcess) -> None:
    got = raw.post(sandbox.base_url, RESPONSES, chat_to_responses(asked({"tools": [ADD]}), RESEARCH).body)
    assert [item["type"] for item in got.json["output"]] == ["reasoning", "web_search_call", "message"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies())
def test_any_chat_request__is_taken(sandbox: SandboxProcess, body: Json) -> None:
    """But for what no provider takes of it: here a choice among tools that are not there."""
    if "tools" not in body:
        body.pop("tool_choice", None)
    if not body.get("stream"):
        body.pop("stream_options", None)
    for facts in (CODEX, RESEARCH):
        got = raw.post(sandbox.base_url, RESPONSES, chat_to_responses(body, facts).body)
        assert got.status == 200, got.body
