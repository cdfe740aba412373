"""What chat refuses: status, type, param and code of each refusal, as the real provider gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

USER = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}

Row = tuple[dict[str, Any], int, str | None, str | None]


def chat(model: str = "gpt-4.1", messages: Any = None, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [USER] if messages is None else messages, **more}


MODEL: list[Row] = [
    ({"messages": [USER]}, 400, None, None),
    (chat(model=""), 400, None, None),
    (chat(model=7), 400, "model", "invalid_type"),  # type: ignore[arg-type]
    (chat("gpt-9"), 404, None, "model_not_found"),
    (chat("gpt-5.1-codex"), 404, "model", None),
    (chat("o3-deep-research"), 404, "model", None),
    (chat("text-embedding-3-small"), 404, "model", None),
]

MEMBERS: list[Row] = [
    ({"model": "gpt-4.1"}, 400, "messages", "missing_required_parameter"),
    (chat(top_k=3), 400, "top_k", "unknown_parameter"),
    (chat(temperature="warm"), 400, "temperature", "invalid_type"),
    (chat(temperature=True), 400, "temperature", "invalid_type"),
    (chat(temperature=2.5), 400, "temperature", "decimal_above_max_value"),
    (chat(top_p=-0.5), 400, "top_p", "decimal_below_min_value"),
    (chat(n=0), 400, "n", "integer_below_min_value"),
    (chat(n=1.5), 400, "n", "invalid_type"),
    (chat(max_tokens=0), 400, "max_tokens", "integer_below_min_value"),
    (chat(max_tokens=32769), 400, "max_tokens", "invalid_value"),
    (chat(max_completion_tokens=40000), 400, "max_completion_tokens", "invalid_value"),
    (chat(stream="yes"), 400, "stream", "invalid_type"),
    (chat(stream_options={"include_usage": True}), 400, "stream_options", None),
    (chat(stream=True, stream_options={"usage": True}), 400, "stream_options.usage", "unknown_parameter"),
    (chat(stream=True, stream_options={"include_usage": 1}), 400, "stream_options.include_usage", "invalid_type"),
    (chat(stop=["a", "b", "c", "d", "e"]), 400, "stop", "array_above_max_length"),
    (chat(stop=[1]), 400, "stop[0]", "invalid_type"),
    (chat(service_tier="gold"), 400, "service_tier", "invalid_value"),
    (chat(verbosity="loud"), 400, "verbosity", "invalid_value"),
]

MESSAGES: list[Row] = [
    (chat(messages=[]), 400, "messages", "empty_array"),
    (chat(messages="hi"), 400, "messages", "invalid_type"),
    (chat(messages=["hi"]), 400, "messages[0]", "invalid_type"),
    (chat(messages=[{"content": "hi"}]), 400, "messages[0].role", "missing_required_parameter"),
    (chat(messages=[{"role": "boss", "content": "hi"}]), 400, "messages[0].role", "invalid_value"),
    (chat(messages=[USER, {"role": "user"}]), 400, "messages[1].content", "invalid_type"),
    (chat(messages=[{"role": "user", "content": None}]), 400, "messages[0].content", "invalid_type"),
    (chat(messages=[{"role": "assistant"}]), 400, "messages[0].content", "invalid_type"),
    (chat(messages=[{"role": "user", "content": ["hi"]}]), 400, "messages[0].content[0]", "invalid_type"),
    (
        chat(messages=[{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}]),
        400,
        "messages[0].content[0].type",
        "invalid_value",
    ),
    (
        chat(messages=[{"role": "user", "content": [{"type": "text"}]}]),
        400,
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (chat(messages=[USER, {"role": "tool", "tool_call_id": "x", "content": "1"}]), 400, "messages.[1].role", None),
    (chat(messages=[{"role": "assistant", "tool_calls": [CALL]}, USER]), 400, "messages.[1].role", None),
    (
        chat(messages=[{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "1"}]),
        400,
        "messages[1].tool_call_id",
        "missing_required_parameter",
    ),
    (
        chat(
            messages=[
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_2", "content": "1"},
            ]
        ),
        400,
        "messages.[1].tool_call_id",
        None,
    ),
]

BY_MODEL: list[Row] = [
    (chat("gpt-5-mini", max_tokens=50), 400, "max_tokens", "unsupported_parameter"),
    (chat("gpt-5.1", max_tokens=50), 400, "max_tokens", "unsupported_parameter"),
    (chat("gpt-5-mini", temperature=0.4), 400, "temperature", "unsupported_value"),
    (chat("gpt-5-mini", top_p=0.4), 400, "top_p", "unsupported_value"),
    (chat("gpt-6.1-sol", temperature=0), 400, "temperature", "unsupported_value"),
    (chat("gpt-5.1", temperature=0.4, reasoning_effort="low"), 400, "temperature", "unsupported_value"),
    (chat("gpt-6-luna", temperature=0.4), 400, "temperature", "unsupported_value"),
    (chat("gpt-5-mini", logprobs=True), 400, "logprobs", "unsupported_parameter"),
    (chat("gpt-5-mini", stop="x"), 400, "stop", "unsupported_parameter"),
    (chat("gpt-5.1", presence_penalty=0.5), 400, "presence_penalty", "unsupported_parameter"),
    (chat("gpt-5.1", frequency_penalty=0.5), 400, "frequency_penalty", "unsupported_parameter"),
    (chat("gpt-5.1", logit_bias={"1": 5}), 400, "logit_bias", "unsupported_parameter"),
    (chat("gpt-4.1", reasoning_effort="low"), 400, None, None),
    (chat("gpt-5.1", reasoning_effort="minimal"), 400, "reasoning_effort", "unsupported_value"),
    (chat("gpt-5-mini", reasoning_effort="none"), 400, "reasoning_effort", "unsupported_value"),
    (chat("gpt-6.1-sol", reasoning_effort="none"), 400, "reasoning_effort", "unsupported_value"),
    (chat("gpt-5.1", reasoning_effort="hard"), 400, "reasoning_effort", "invalid_value"),
    (chat("gpt-4.1", verbosity="low"), 400, "verbosity", "unsupported_value"),
    (chat("gpt-5.6-sol", tools=[ADD]), 400, "reasoning_effort", None),
]

SHAPES: list[Row] = [
    (chat(tools=[]), 400, "tools", "empty_array"),
    (chat(tools=[{"function": {"name": "f"}}]), 400, "tools[0].type", "missing_required_parameter"),
    (chat(tools=[{"type": "function"}]), 400, "tools[0].function", "missing_required_parameter"),
    (chat(tools=[{"type": "web_search"}]), 400, "tools[0].type", "invalid_value"),
    (chat(tools=[{"type": "function", "function": {}}]), 400, "tools[0].function.name", "missing_required_parameter"),
    (chat(tools=[{"type": "function", "function": {"name": "a b"}}]), 400, "tools[0].function.name", "invalid_value"),
    (
        chat(tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "array"}}}]),
        400,
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        chat(tools=[{"type": "function", "function": {"name": "f", "strict": True, "parameters": LOOSE}}]),
        400,
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (chat(tool_choice="auto"), 400, "tool_choice", None),
    (chat(tools=[ADD], tool_choice="always"), 400, "tool_choice", "invalid_value"),
    (
        chat(tools=[ADD], tool_choice={"type": "function", "function": {"name": "sub"}}),
        400,
        "tool_choice",
        "invalid_value",
    ),
    (chat(response_format={"type": "yaml"}), 400, "response_format.type", "invalid_value"),
    (chat(response_format={}), 400, "response_format.type", "missing_required_parameter"),
    (chat(response_format={"type": "json_object"}), 400, "messages", None),
    (chat(response_format={"type": "json_schema"}), 400, "response_format.json_schema", "missing_required_parameter"),
    (
        chat(response_format={"type": "json_schema", "json_schema": {"schema": {}}}),
        400,
        "response_format.json_schema.name",
        "missing_required_parameter",
    ),
    (
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x"}}),
        400,
        "response_format.json_schema.schema",
        "missing_required_parameter",
    ),
    (
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": LOOSE}}),
        400,
        "response_format",
        None,
    ),
]


@pytest.mark.parametrize(("body", "status", "param", "code"), MODEL + MEMBERS + MESSAGES + BY_MODEL + SHAPES)
def test_it_refuses(
    sandbox: SandboxProcess, body: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, body)
    error = answer.error
    assert set(error) == {"message", "type", "param", "code"}
    assert (answer.status, error["type"], error["param"], error["code"]) == (
        status,
        "invalid_request_error",
        param,
        code,
    )
    assert error["message"]
    assert answer.headers["x-request-id"].startswith("req_")


ACCEPTED = [
    chat(temperature=0.4, max_tokens=50, stop=["zzz"], presence_penalty=1, logprobs=True, top_logprobs=2),
    chat("gpt-5.1", temperature=0.4),
    chat("gpt-5.1", temperature=0.4, reasoning_effort="none", top_p=0.5),
    chat("gpt-5-mini", temperature=1, top_p=1, presence_penalty=0, stop=None, max_completion_tokens=500),
    chat("gpt-6-luna", temperature=0.4, reasoning_effort="none"),
    chat("gpt-5.6-sol", tools=[ADD], reasoning_effort="none"),
    chat("gpt-5.1", tools=[ADD], reasoning_effort="high"),
    chat("gpt-5-mini", reasoning_effort="minimal", verbosity="low"),
    chat(tools=None, stream_options=None, n=None, user="u", metadata={"a": "b"}, seed=1, store=False),
    chat(messages=[{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
    chat(
        messages=[
            {"role": "developer", "content": "x"},
            USER,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "3"},
        ]
    ),
]


@pytest.mark.parametrize("body", ACCEPTED, ids=range(len(ACCEPTED)))
def test_it_takes_what_the_model_takes(sandbox: SandboxProcess, body: dict[str, Any]) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, body)
    assert answer.status == 200, answer.body
    assert answer.json["choices"][0]["message"]["content"].startswith("sandbox: ")


def test_the_texts_that_clients_look_for(sandbox: SandboxProcess) -> None:
    def message(body: dict[str, Any]) -> str:
        return str(raw.post(sandbox.base_url, raw.CHAT, body).error["message"])

    assert message(chat("gpt-9")) == "The model `gpt-9` does not exist or you do not have access to it."
    assert message(chat("gpt-5.1-codex")) == (
        "This model is only supported in v1/responses and not in v1/chat/completions."
    )
    assert message(chat("gpt-5.1", max_tokens=5)) == (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    assert message(chat("gpt-5-mini", temperature=0.4)) == (
        "Unsupported value: 'temperature' does not support 0.4 with this model. "
        "Only the default (1) value is supported."
    )
    assert "Supported values are: 'none', 'low', 'medium', and 'high'." in message(
        chat("gpt-5.1", reasoning_effort="minimal")
    )


@pytest.mark.parametrize("body", [b"", b"{", b"not json", b"\xff\xfe", b"[" * 100_000])
def test_it_refuses_what_is_not_json(sandbox: SandboxProcess, body: bytes) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, body)
    assert answer.status == 400
    assert "could not parse the JSON body" in answer.error["message"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null"])
def test_it_refuses_json_that_is_no_object(sandbox: SandboxProcess, body: bytes) -> None:
    assert raw.post(sandbox.base_url, raw.CHAT, body).status == 400


def test_a_prompt_over_the_window_is_refused(sandbox: SandboxProcess) -> None:
    long = chat("gpt-5.1", messages=[{"role": "user", "content": "x" * (272_000 * 4)}])
    answer = raw.post(sandbox.base_url, raw.CHAT, json.dumps(long).encode())
    error = answer.error
    assert (answer.status, error["param"], error["code"]) == (400, "messages", "context_length_exceeded")
    assert "272000" in error["message"]
    fitting = chat("gpt-4.1", messages=long["messages"])
    assert raw.post(sandbox.base_url, raw.CHAT, fitting).status == 200
