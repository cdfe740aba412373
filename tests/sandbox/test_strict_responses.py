"""What the Responses API refuses: status, param and code of each refusal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

RESPONSES = "/v1/responses"
ADD = {"type": "function", "name": "add", "parameters": {"type": "object", "properties": {}}}
CALL = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "3"}
SEARCH = {"type": "web_search_preview"}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}

Row = tuple[dict[str, Any], int, str | None, str | None]


def ask(model: str = "gpt-4.1", given: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"model": model, "input": given, **more}


def user(*parts: dict[str, Any], role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": list(parts)}]


MEMBERS: list[Row] = [
    ({"input": "hi"}, 400, None, None),
    (ask("gpt-9"), 404, None, "model_not_found"),
    (ask("text-embedding-3-small"), 400, "model", "unsupported_model"),
    ({"model": "gpt-4.1"}, 400, "input", "missing_required_parameter"),
    (ask(given=[]), 400, "input", "missing_required_parameter"),
    (ask(given=7), 400, "input", "invalid_type"),
    (ask(top_k=3), 400, "top_k", "unknown_parameter"),
    (ask(n=2), 400, "n", "unknown_parameter"),
    (ask(stop="x"), 400, "stop", "unknown_parameter"),
    (ask(messages=[]), 400, None, "unsupported_parameter"),
    (ask(max_tokens=50), 400, None, "unsupported_parameter"),
    (ask(reasoning_effort="low"), 400, None, "unsupported_parameter"),
    (ask(response_format={"type": "text"}), 400, None, "unsupported_parameter"),
    (ask(max_output_tokens=15), 400, "max_output_tokens", "integer_below_min_value"),
    (ask(max_output_tokens=99999), 400, "max_output_tokens", "integer_above_max_value"),
    (ask(max_output_tokens="many"), 400, "max_output_tokens", "invalid_type"),
    (ask(truncation="some"), 400, "truncation", "invalid_value"),
    (ask(stream_options={"include_obfuscation": False}), 400, "stream_options", None),
    (
        ask(stream=True, stream_options={"include_usage": True}),
        400,
        "stream_options.include_usage",
        "unknown_parameter",
    ),
    (ask(previous_response_id="resp_no"), 400, "previous_response_id", "previous_response_not_found"),
]

ITEMS: list[Row] = [
    (ask(given=["hi"]), 400, "input[0]", "invalid_type"),
    (ask(given=[{"content": "hi"}]), 400, "input[0].type", "missing_required_parameter"),
    (ask(given=[{"type": "memo"}]), 400, "input[0]", "invalid_value"),
    (ask(given=[{"role": "tool", "content": "hi"}]), 400, "input[0].role", "invalid_value"),
    (ask(given=[{"role": "user"}]), 400, "input[0].content", "missing_required_parameter"),
    (ask(given=[{"role": "user", "content": 1}]), 400, "input[0].content", "invalid_type"),
    (ask(given=user({"type": "text", "text": "hi"})), 400, "input[0].content[0]", "invalid_value"),
    (
        ask(given=user({"type": "input_text", "text": "hi"}, role="assistant")),
        400,
        "input[0].content[0]",
        "invalid_value",
    ),
    (ask(given=user({"type": "input_text"})), 400, "input[0].content[0].text", "missing_required_parameter"),
    (ask(given=user({"type": "input_text", "text": 1})), 400, "input[0].content[0].text", "invalid_type"),
    (ask(given=[{"type": "function_call", "name": "f"}]), 400, "input[0].call_id", "missing_required_parameter"),
    (ask(given=[OUTPUT]), 400, "input", None),
    (ask(given=[CALL]), 400, "input", None),
]

BY_MODEL: list[Row] = [
    (ask("gpt-5-mini", temperature=0.4), 400, "temperature", None),
    (ask("gpt-5.1-codex", top_p=0.4), 400, "top_p", None),
    (ask("gpt-5-mini", top_logprobs=2), 400, "top_logprobs", "unsupported_parameter"),
    (ask("gpt-4.1", reasoning={"effort": "low"}), 400, "reasoning.effort", "unsupported_parameter"),
    (ask("gpt-5.1-codex", reasoning={"effort": "none"}), 400, "reasoning.effort", "unsupported_value"),
    (ask("gpt-5.1", reasoning={"effort": "minimal"}), 400, "reasoning.effort", "unsupported_value"),
    (ask("gpt-5.1", reasoning={"effort": 1}), 400, "reasoning.effort", "invalid_type"),
    (ask("o3-deep-research"), 400, "tools", None),
    (ask("o3-deep-research", tools=[{"type": "code_interpreter"}]), 400, "tools", None),
    (ask("o3-deep-research", tools=[SEARCH, ADD]), 400, "tools", None),
    (ask("o3-deep-research", tools=[SEARCH, {"type": "image_generation"}]), 400, "tools", None),
    (ask("o3-deep-research", tools=[{"type": "mcp", "server_label": "x"}]), 400, "tools", None),
    (
        ask("o3-deep-research", tools=[SEARCH], reasoning={"effort": "low"}),
        400,
        "reasoning.effort",
        "unsupported_value",
    ),
    (
        ask(
            "o3-deep-research",
            tools=[SEARCH],
            text={"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
        ),
        400,
        "text.format",
        "unsupported_parameter",
    ),
]

SHAPES: list[Row] = [
    (ask(tools=[{"name": "f"}]), 400, "tools[0].type", "missing_required_parameter"),
    (ask(tools=[{"type": "telephone"}]), 400, "tools[0].type", "invalid_value"),
    (ask(tools=[{"type": "function", "parameters": {}}]), 400, "tools[0].name", "missing_required_parameter"),
    (ask(tools=[{"type": "function", "name": "f"}]), 400, "tools[0].parameters", "missing_required_parameter"),
    (
        ask(tools=[{"type": "function", "name": "f", "strict": True, "parameters": LOOSE}]),
        400,
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
    (ask(tools=[ADD], tool_choice="always"), 400, "tool_choice", "invalid_value"),
    (ask(tools=[ADD], tool_choice={"type": "function", "name": "sub"}), 400, "tool_choice", None),
    (ask(text={"format": {"type": "yaml"}}), 400, "text.format.type", "invalid_value"),
    (ask(text={"format": {"type": "json_object"}}), 400, "input", None),
    (
        ask(text={"format": {"type": "json_schema", "schema": {}}}),
        400,
        "text.format.name",
        "missing_required_parameter",
    ),
    (
        ask(text={"format": {"type": "json_schema", "name": "x"}}),
        400,
        "text.format.schema",
        "missing_required_parameter",
    ),
]


@pytest.mark.parametrize(("body", "status", "param", "code"), MEMBERS + ITEMS + BY_MODEL + SHAPES)
def test_it_refuses(
    sandbox: SandboxProcess, body: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = raw.post(sandbox.base_url, RESPONSES, body)
    error = answer.error
    assert set(error) == {"message", "type", "param", "code"}
    assert (answer.status, error["param"], error["code"]) == (status, param, code)


ACCEPTED = [
    ask("gpt-5.1-codex"),
    ask("gpt-4.1", temperature=0.4, top_p=0.5),
    ask("gpt-5.1", temperature=0.4),
    ask("gpt-5-mini", temperature=1, reasoning={"effort": "minimal"}),
    ask("gpt-5.6-sol", tools=[ADD]),
    ask("o3-deep-research", tools=[SEARCH, {"type": "code_interpreter", "container": {"type": "auto"}}]),
    ask("o3-deep-research", tools=[{"type": "mcp", "server_label": "x", "require_approval": "never"}]),
    ask(tools=[{**ADD, "parameters": None}]),
    ask(
        given=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "ho"},
            {"role": "user", "content": "?"},
        ]
    ),
    ask(given=[{"role": "user", "content": "add"}, CALL, OUTPUT]),
    ask(given=user({"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "data:,"})),
    ask(given="json please", text={"format": {"type": "json_object"}, "verbosity": "low"}),
    ask(instructions="be brief", metadata={"a": "b"}, store=False, max_output_tokens=16, user="u"),
]


@pytest.mark.parametrize("body", ACCEPTED, ids=range(len(ACCEPTED)))
def test_it_takes_what_the_model_takes(sandbox: SandboxProcess, body: dict[str, Any]) -> None:
    answer = raw.post(sandbox.base_url, RESPONSES, body)
    assert answer.status == 200, answer.body
    assert answer.json["object"] == "response"


def test_a_prompt_over_the_window_is_refused_unless_it_may_be_truncated(sandbox: SandboxProcess) -> None:
    long = ask("o3-deep-research", "x" * (200_001 * 4), tools=[SEARCH])
    answer = raw.post(sandbox.base_url, RESPONSES, long)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "input", "context_length_exceeded")
    assert raw.post(sandbox.base_url, RESPONSES, {**long, "truncation": "auto"}).status == 200
