"""A deep-research model asked through chat (openai-facts.md 5)."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.errors import BadRequest
from iwrouting.upstream.translate.tools import is_research
from tests.translate.cast import ADD, CODEX, RESEARCH, Json, translated

PREVIEW = {"type": "web_search_preview"}
MCP = {"type": "mcp", "server_label": "x", "require_approval": "never"}


def test_only_deep_research_models_are_of_that_kind() -> None:
    assert (is_research(RESEARCH), is_research(CODEX)) == (True, False)


def test_source_of_data__is_added_where_there_is_none() -> None:
    assert translated(RESEARCH) == (
        {"model": "o3-deep-research", "input": translated()[0]["input"], "store": False, "tools": [PREVIEW]},
        ["added web_search_preview"],
    )


@pytest.mark.parametrize("tool", [PREVIEW, {"type": "web_search_preview_2025_03_11"}, {"type": "file_search"}, MCP])
def test_source_of_data_of_the_caller__is_kept_alone(tool: Json) -> None:
    body, changes = translated(RESEARCH, tools=[tool])
    assert (body["tools"], changes) == ([tool], [])


def test_code_interpreter__is_no_source_of_data() -> None:
    body, changes = translated(RESEARCH, tools=[{"type": "code_interpreter"}])
    assert [tool["type"] for tool in body["tools"]] == ["code_interpreter", "web_search_preview"]
    assert changes == ["added web_search_preview"]


def test_web_search_options__become_the_preview_tool() -> None:
    body, changes = translated(RESEARCH, web_search_options={"search_context_size": "low"})
    assert (body["tools"], changes) == ([{**PREVIEW, "search_context_size": "low"}], [])


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        ({"tools": [ADD, MCP]}, ["dropped function tools"]),
        ({"tools": [ADD, MCP], "tool_choice": "auto"}, ["dropped tool_choice", "dropped function tools"]),
        ({"tools": [MCP], "parallel_tool_calls": False}, ["dropped parallel_tool_calls"]),
        ({"tools": [MCP], "response_format": {"type": "json_object"}}, ["dropped response_format"]),
        ({"tools": [MCP], "temperature": 0.4, "top_p": 1}, ["dropped temperature", "dropped top_p"]),
        ({"tools": [MCP], "logprobs": True}, ["dropped logprobs"]),
    ],
)
def test_what_research_does_not_take__is_removed_and_told_or_refused(given: Json, changes: list[str]) -> None:
    body, told = translated(RESEARCH, **given)
    assert told == changes
    assert body == translated(RESEARCH, tools=[MCP])[0]
    with pytest.raises(BadRequest):
        translated(RESEARCH, strict=True, **given)


def test_other_effort__becomes_the_only_one_that_research_takes() -> None:
    body, told = translated(RESEARCH, tools=[MCP], reasoning_effort="low")
    assert (body["reasoning"], told) == ({"effort": "medium"}, ["set reasoning_effort to medium"])
    with pytest.raises(BadRequest) as caught:
        translated(RESEARCH, strict=True, tools=[MCP], reasoning_effort="low")
    assert caught.value.param == "reasoning_effort"


@pytest.mark.parametrize(
    ("given", "name", "sent"),
    [
        ({"reasoning_effort": "medium"}, "reasoning", {"effort": "medium"}),
        ({"verbosity": "low", "response_format": {"type": "text"}}, "text", {"verbosity": "low"}),
        ({"max_tokens": 100}, "max_output_tokens", 100),
        ({"metadata": {"a": "b"}}, "metadata", {"a": "b"}),
    ],
)
def test_what_research_takes__stays(given: Json, name: str, sent: Any) -> None:
    assert translated(RESEARCH, **given)[0][name] == sent
