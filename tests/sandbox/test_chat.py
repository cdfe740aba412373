"""Chat, buffered and streamed, through the official SDK."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are not among our pins
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello to the sandbox"}]
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 2},
        "unit": {"enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city"],
}


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": WEATHER}}


def said(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def chat(sandbox: SandboxProcess, **body: Any) -> Any:
    answer = raw.post(sandbox.base_url, raw.CHAT, body)
    assert answer.status == 200, answer.body
    return answer.json


def test_it_answers_and_says_that_it_is_the_sandbox(client: OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(model="gpt-4.1-mini", messages=HELLO)
    parsed = answer.parse()
    assert parsed.choices[0].message.content == "sandbox: gpt-4.1-mini heard 5 words: Say hello to the sandbox"
    assert parsed.choices[0].finish_reason == "stop"
    assert parsed.system_fingerprint == "sandbox"
    assert parsed.id.startswith("chatcmpl-")
    for header in ("x-sandbox", "openai-processing-ms", "openai-version", "openai-organization"):
        assert answer.headers[header]
    assert answer.headers["x-request-id"].startswith("req_")
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) > 0


def test_it_echoes_no_more_than_the_beginning(sandbox: SandboxProcess) -> None:
    text = "the first words stand here and a long prompt goes on until its SECRET end"
    content = chat(sandbox, model="gpt-4.1", messages=said(text))["choices"][0]["message"]["content"]
    assert "heard 15 words: the first words" in content
    assert "SECRET" not in content


def test_usage_adds_up_and_counts_reasoning(client: OpenAI) -> None:
    usage = client.chat.completions.create(model="gpt-5-mini", messages=HELLO).usage
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert usage.prompt_tokens == 3 + 3 + 1 + 6
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 < (usage.completion_tokens_details.reasoning_tokens or 0) < usage.completion_tokens


def test_a_model_without_reasoning_or_with_effort_none_has_no_reasoning_tokens(client: OpenAI) -> None:
    for model in ("gpt-4.1", "gpt-5.1"):
        usage = client.chat.completions.create(model=model, messages=HELLO).usage
        assert usage is not None
        assert usage.completion_tokens_details is not None
        assert usage.completion_tokens_details.reasoning_tokens == 0


def test_a_long_prefix_seen_before_is_cached(sandbox: SandboxProcess) -> None:
    def cached(model: str, tail: str) -> int:
        messages = [{"role": "system", "content": "A long system prompt. " * 400}, *said(tail)]
        usage = chat(sandbox, model=model, messages=messages)["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] < usage["prompt_tokens"]
        return int(usage["prompt_tokens_details"]["cached_tokens"])

    assert cached("gpt-4.1-nano", "one") == 0
    assert cached("gpt-4.1-nano", "another end") >= 1024
    assert cached("gpt-4.1-nano", "another end") % 128 == 0
    assert cached("gpt-4.1", "one") == 0


def test_the_same_request_gives_the_same_text_and_another_id(client: OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4.1", messages=HELLO)
    second = client.chat.completions.create(model="gpt-4.1", messages=HELLO)
    assert first.choices == second.choices
    assert first.usage == second.usage
    assert first.id != second.id


def test_a_stream_has_role_deltas_finish_usage_and_ends(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gpt-4.1", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]).startswith("sandbox: gpt-4.1 heard 5 words")
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert len({c.id for c in chunks}) == 1


def test_usage_is_null_in_the_other_chunks_and_absent_when_not_asked(sandbox: SandboxProcess) -> None:
    asked = raw.post(sandbox.base_url, raw.CHAT, raw.hello(stream=True, stream_options={"include_usage": True}))
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in asked.frames[:-1]]
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert all("obfuscation" in chunk for chunk in chunks[:-1])
    assert asked.frames[-1] == b"data: [DONE]"
    assert asked.headers["content-type"].startswith("text/event-stream")
    silent = {"include_obfuscation": False}
    plain = raw.post(sandbox.base_url, raw.CHAT, raw.hello(stream=True, stream_options=silent))
    assert b"usage" not in plain.body
    assert b"obfuscation" not in plain.body


def test_streamed_and_buffered_say_the_same(sandbox: SandboxProcess) -> None:
    body = {"model": "gpt-5-mini", "messages": said("write 300 words")}
    whole = chat(sandbox, **body)
    streamed = raw.post(sandbox.base_url, raw.CHAT, {**body, "stream": True, "stream_options": {"include_usage": True}})
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in streamed.frames[:-1]]
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks[:-1])
    assert text == whole["choices"][0]["message"]["content"]
    assert len(text.split()) == 300
    assert chunks[-1]["usage"] == whole["usage"]


def test_several_choices_are_told_apart_and_each_finishes(client: OpenAI, sandbox: SandboxProcess) -> None:
    answer = client.chat.completions.create(model="gpt-4.1", messages=HELLO, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) == 3
    chunks = list(client.chat.completions.create(model="gpt-4.1", messages=HELLO, n=3, stream=True))
    finished = [c.choices[0].index for c in chunks if c.choices[0].finish_reason]
    assert sorted(finished) == [0, 1, 2]


def test_the_output_limit_ends_the_answer_with_length(sandbox: SandboxProcess) -> None:
    answer = chat(sandbox, model="gpt-4.1", messages=said("write 100 words"), max_tokens=7)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 7
    assert len(answer["choices"][0]["message"]["content"]) == 28


def test_a_limit_below_the_reasoning_leaves_no_text(sandbox: SandboxProcess) -> None:
    answer = chat(sandbox, model="gpt-5-mini", messages=said("hi"), max_completion_tokens=20)
    assert answer["choices"][0]["message"]["content"] == ""
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 20


def test_stop_sequences_end_the_text(sandbox: SandboxProcess) -> None:
    answer = chat(sandbox, model="gpt-4.1", messages=said("hi"), stop=[" words"])
    assert answer["choices"][0]["message"]["content"] == "sandbox: gpt-4.1 heard 1"


def test_logprobs_cover_the_text(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4.1", messages=HELLO, logprobs=True, top_logprobs=1)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert "".join(entry.token for entry in logprobs.content) == answer.choices[0].message.content
    assert len(logprobs.content[0].top_logprobs) == 1


@pytest.mark.parametrize(
    ("choice", "text", "called"),
    [
        ("required", "hi", ["weather"]),
        ({"type": "function", "function": {"name": "time"}}, "hi", ["time"]),
        ("auto", "please call time now", ["time"]),
        ("auto", "call weather and call time", ["weather", "time"]),
        ("auto", "hi", []),
        ("none", "call time", []),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "time"}}]},
            },
            "call weather",
            ["time"],
        ),
    ],
)
def test_tools_are_called_when_required_named_or_asked_for(
    sandbox: SandboxProcess, choice: Any, text: str, called: list[str]
) -> None:
    answer = chat(
        sandbox, model="gpt-4.1", messages=said(text), tools=[tool("weather"), tool("time")], tool_choice=choice
    )
    message = answer["choices"][0]["message"]
    calls = message.get("tool_calls", [])
    assert [call["function"]["name"] for call in calls] == called
    assert (message["content"] is None) is bool(called)
    for call in calls:
        jsonschema.validate(json.loads(call["function"]["arguments"]), WEATHER)


def test_how_a_call_finishes(sandbox: SandboxProcess) -> None:
    body = {"model": "gpt-4.1", "messages": said("call weather"), "tools": [tool("weather")]}
    assert chat(sandbox, **body)["choices"][0]["finish_reason"] == "tool_calls"
    forced = {"type": "function", "function": {"name": "weather"}}
    assert chat(sandbox, **body, tool_choice=forced)["choices"][0]["finish_reason"] == "stop"
    cut = chat(sandbox, **body, max_tokens=4)["choices"][0]
    assert cut["finish_reason"] == "length"


def test_only_one_call_where_they_may_not_be_parallel(sandbox: SandboxProcess) -> None:
    answer = chat(
        sandbox,
        model="gpt-4.1",
        messages=said("call weather and call time"),
        tools=[tool("weather"), tool("time")],
        parallel_tool_calls=False,
    )
    assert len(answer["choices"][0]["message"]["tool_calls"]) == 1


def test_after_a_tools_result_it_talks(sandbox: SandboxProcess) -> None:
    body = {"model": "gpt-4.1", "tools": [tool("weather")]}
    first = chat(sandbox, **body, messages=said("call weather"))["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "sunny"}
    second = chat(sandbox, **body, messages=[*said("call weather"), first, result])["choices"][0]
    assert second["finish_reason"] == "stop"
    assert second["message"]["content"].startswith("sandbox: ")


def test_streamed_tool_calls_are_joined_by_the_sdks_helper(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "call weather and call time"}],
        tools=[
            {"type": "function", "function": {"name": "weather", "parameters": WEATHER}},
            {"type": "function", "function": {"name": "time", "parameters": WEATHER}},
        ],
    ) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [call.function.name for call in calls] == ["weather", "time"]
    for call in calls:
        jsonschema.validate(json.loads(call.function.arguments), WEATHER)
    assert final.choices[0].finish_reason == "tool_calls"
