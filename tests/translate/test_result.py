"""Every row of the result table: what a whole Responses answer becomes in chat (openai-facts.md 2b)."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from iwrouting.upstream.failures import Step
from iwrouting.upstream.usage import read_usage
from tests.translate.cast import (
    ID,
    NOW,
    REASONING,
    USAGE,
    Json,
    call,
    chat,
    failed,
    incomplete,
    message,
    response,
    said,
)


def first(body: Json) -> Json:
    """The only choice, with its message's members beside its own."""
    (choice,) = chat(body)["choices"]
    return {**choice, **choice["message"]}


def test_answer__is_a_chat_completion_of_its_own_id() -> None:
    assert chat(response(message(said("Hi")))) == {
        "id": ID,
        "object": "chat.completion",
        "created": 1_600_000_000,
        "model": "gpt-5.1-codex-2025",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 30,
            "completion_tokens": 1024,
            "total_tokens": 1054,
            "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 1000},
        },
        "service_tier": "default",
    }


@pytest.mark.parametrize("made", [None, "soon", float("nan"), -1])
def test_time_that_is_none__is_replaced_by_ours(made: Any) -> None:
    assert chat(response(created_at=made))["created"] == NOW


def test_texts__are_joined_in_order() -> None:
    assert first(response(message(said("a"), said("b")), REASONING, message(said("c"))))["content"] == "abc"


def test_answer_without_text__has_no_content() -> None:
    found = first(response(REASONING, call()))
    assert found["content"] is None
    assert first(response(message(said(""))))["content"] == ""


def test_refusal__is_the_messages() -> None:
    found = first(response(message({"type": "refusal", "refusal": "No."})))
    assert (found["refusal"], found["content"], found["finish_reason"]) == ("No.", None, "stop")


def test_calls__keep_their_order_and_are_named_by_call_id() -> None:
    found = first(response(REASONING, call("add", '{"a": 1}', 4), call("sub", "", 5)))
    assert found["tool_calls"] == [
        {"id": "call_4", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
        {"id": "call_5", "type": "function", "function": {"name": "sub", "arguments": ""}},
    ]
    assert "tool_calls" not in chat(response(message(said("Hi"))))["choices"][0]["message"]


def test_citations__are_nested_and_count_from_the_joined_text() -> None:
    cited = {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2}
    other = {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1}
    body = response(message(said("abc"), said("def", annotations=[cited, other])))
    assert first(body)["annotations"] == [
        {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 4, "end_index": 5}}
    ]


def test_log_probabilities__come_with_bytes() -> None:
    part = said("ab", logprobs=[{"token": "å", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1}]}])
    assert first(response(message(part)))["logprobs"] == {
        "content": [
            {
                "token": "å",
                "logprob": -0.5,
                "bytes": [195, 165],
                "top_logprobs": [{"token": "b", "logprob": -1, "bytes": [98]}],
            }
        ],
        "refusal": None,
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (response(message(said("Hi"))), "stop"),
        (response(message(said("Hi")), call()), "tool_calls"),
        (response(REASONING), "stop"),
        (incomplete("max_output_tokens", message(said("H"))), "length"),
        (incomplete("max_tokens", message(said("H"))), "length"),
        (incomplete("max_output_tokens", call()), "length"),
        (incomplete("content_filter", message(said("H"))), "content_filter"),
        (incomplete("steered", message(said("H"))), "length"),
        (response(status="incomplete"), "length"),
    ],
)
def test_state__becomes_the_finish_reason(body: Json, reason: str) -> None:
    assert first(body)["finish_reason"] == reason


@pytest.mark.parametrize(
    ("error", "step", "code", "status"),
    [
        ({"code": "server_error", "message": "Sorry"}, Step.RETRY, "server_error", None),
        ({"code": "rate_limit_exceeded", "message": "Slow"}, Step.RETRY, "rate_limit_exceeded", 429),
        ({"code": "insufficient_quota", "message": "Pay"}, Step.STOP, "insufficient_quota", 429),
        ({"code": "invalid_prompt", "message": "No"}, Step.STOP, "invalid_prompt", 400),
        ({"code": "bio_policy", "message": "No"}, Step.STOP, "bio_policy", 400),
        ({"code": "context_length_exceeded", "message": "Big"}, Step.LARGER, "context_length_exceeded", 400),
        (None, Step.NEXT, "in_band_error", None),
        ("broken", Step.NEXT, "in_band_error", None),
    ],
)
def test_failed__is_judged_by_its_code(error: Any, step: Step, code: str, status: int | None) -> None:
    found = failed(response(status="failed", error=error))
    assert (found.step, found.code, found.status) == (step, code, status)
    assert found.message == (error["message"] if isinstance(error, dict) else "")


def test_cancelled__stops_with_a_code_of_its_own() -> None:
    found = failed(response(status="cancelled"))
    assert (found.step, found.code, found.status) == (Step.STOP, "response_cancelled", 499)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (response(status="queued"), "not_finished"),
        (response(status="in_progress"), "not_finished"),
        (response(status="done"), "bad_body"),
        ({}, "bad_body"),
        (response(output=None), "bad_body"),
        (response({"type": "function_call", "name": "f", "arguments": "{}"}), "bad_body"),
        (response({"type": "function_call", "name": "f", "call_id": "c", "arguments": {}}), "bad_body"),
    ],
)
def test_what_is_no_answer__lets_the_chain_go_on(body: Json, code: str) -> None:
    found = failed(body)
    assert (found.step, found.code) == (Step.NEXT, code)


def test_answer_inside_an_error__is_an_error() -> None:
    assert failed(response(message(said("Hi")), error={"code": "server_error"})).code == "server_error"


def test_usage__is_read_as_that_of_chat_is() -> None:
    found = read_usage(chat(response(service_tier="flex")))
    assert found is not None
    assert (found.prompt_tokens, found.cached_tokens, found.cache_write_tokens) == (30, 10, 2)
    assert (found.completion_tokens, found.reasoning_tokens, found.service_tier) == (1024, 1000, "flex")


@pytest.mark.parametrize("usage", [None, "none", {}, {"input_tokens": 3}, {"input_tokens": -1, "output_tokens": 2}])
def test_usage_that_is_not_reported__is_not_invented(usage: Any) -> None:
    assert "usage" not in chat(response(usage=usage))


def test_usage_without_details__has_none() -> None:
    found = chat(response(usage={"input_tokens": 3, "output_tokens": 2}))["usage"]
    assert found == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_moderation__is_passed_on() -> None:
    """As a list of results: chat has one for each part, a response one for each side. Errors are the same in both."""
    result = {"type": "moderation_result", "model": "omni", "flagged": False}
    error = {"type": "error", "code": "x", "message": "y"}
    told = chat(response(moderation={"input": result, "output": error}))["moderation"]
    assert told == {"input": {"type": "moderation_results", "model": "omni", "results": [result]}, "output": error}


def test_the_sdk_parses_it() -> None:
    body = response(message(said("Hi")), call(), usage=USAGE)
    parsed = ChatCompletion.model_validate(chat(body), strict=True)
    assert parsed.choices[0].message.tool_calls is not None
    assert parsed.choices[0].message.tool_calls[0].id == "call_0"
    assert parsed.usage is not None
    assert parsed.usage.total_tokens == 1054
