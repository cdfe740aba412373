"""The two APIs' names for one thing: endpoints, blamed fields, and usage for the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from iwrouting import catalogue
from iwrouting.pricing import cost
from iwrouting.types import CostState, ModelFacts, Usage
from iwrouting.upstream.translate import chat_param, responses_usage
from tests.translate.cast import CODEX, REASONING, call, response

PRICES = catalogue.models()[CODEX.id].prices
NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("endpoints", "asked", "served"),
    [
        ({"chat", "responses"}, "chat", "chat"),
        ({"responses"}, "chat", "responses"),
        ({"responses"}, "responses", "responses"),
        ({"chat"}, "responses", "chat"),
        ({"responses"}, "embeddings", None),
        ({"embeddings"}, "chat", None),
        (set(), "chat", None),
    ],
)
def test_served_at__translates_between_chat_and_responses(endpoints: set[str], asked: str, served: str | None) -> None:
    assert ModelFacts("x", frozenset(endpoints)).served_at(asked) == served


@pytest.mark.parametrize(
    ("param", "named"),
    [
        ("input", "messages"),
        ("input[3].content[0]", "messages"),
        ("max_output_tokens", "max_completion_tokens"),
        ("reasoning.effort", "reasoning_effort"),
        ("text.format", "response_format"),
        ("text.format.schema", "response_format"),
        ("text.verbosity", "verbosity"),
        ("include", "logprobs"),
        ("tools[0].parameters", "tools[0].parameters"),
        ("inputs", "inputs"),
        ("model", "model"),
        ("", ""),
    ],
)
def test_blamed_field__has_its_chat_name(param: str, named: str) -> None:
    assert chat_param(param) == named


def search(kind: str) -> dict[str, str]:
    return {"id": "x", "type": kind, "status": "completed"}


@pytest.mark.parametrize(
    ("kinds", "hosted"),
    [
        ([], None),
        (["web_search_call"], 1),
        (["web_search_call", "file_search_call", "code_interpreter_call"], 3),
        (["mcp_call", "function_call_output"], None),
    ],
)
def test_hosted_calls__are_counted_and_not_priced_as_tokens(kinds: list[str], hosted: int | None) -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    found = responses_usage(response(REASONING, call(), *map(search, kinds), usage=usage))
    assert found is not None
    assert (found.prompt_tokens, found.reported.get("hosted_calls")) == (3, hosted)
    assert cost(found, PRICES, NOW).state is (CostState.UNPRICED if hosted else CostState.EXACT)
    assert cost(replace(found, reported={}), PRICES, NOW).state is CostState.EXACT


def test_usage_that_is_not_reported__is_none() -> None:
    assert responses_usage(response(search("web_search_call"), usage=None)) is None
    assert responses_usage({"usage": {"input_tokens": 1, "output_tokens": 0}, "output": "x"}) == Usage(
        prompt_tokens=1,
        completion_tokens=0,
        reported={"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1},
    )
