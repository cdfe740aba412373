"""A Responses client at a model that is served through chat: requests and answers (openai-facts.md 2c)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response

from iwrouting import catalogue
from iwrouting.errors import BadRequest
from iwrouting.types import ModelFacts
from iwrouting.upstream.failures import Failure
from iwrouting.upstream.translate import chat_to_responses, responses_to_chat
from iwrouting.upstream.translate.reverse import Echo, chat_to_response, request_for_chat
from tests.harness.samples import sample
from tests.translate.bodies import JUNK, answers, bodies
from tests.translate.cast import FREE, ID, NOW, SCHEMA, USAGE, Json, call, chat, incomplete, message, response, said

CHAT = ModelFacts("chatty", frozenset({"chat"}), reasoning=True)
MINI = catalogue.models()["gpt-5-mini"].facts
ECHO = Echo({"model": "fast", "input": "Hi", "temperature": 0.5}, "resp_1", "k", NOW)
CALL = {"type": "function_call", "call_id": "call_a", "name": "add", "arguments": "{}", "id": "fc_1"}
OUTPUT = {"type": "function_call_output", "call_id": "call_a", "output": "3"}
CALLED = {"id": "call_a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
ANSWERED = {"role": "tool", "tool_call_id": "call_a", "content": "3"}


def asked(facts: ModelFacts = CHAT, *, strict: bool = False, **body: Any) -> tuple[Json, list[str]]:
    """The chat request of a Responses body, and its changes after the first one."""
    found = request_for_chat({"model": "fast", "input": "Hi", **body}, facts, strict=strict)
    assert found.changes[0] == "translated responses to chat"
    return found.body, list(found.changes[1:])


def said_in(*items: Any) -> list[Json]:
    """The messages of input items."""
    found: list[Json] = asked(input=list(items))[0]["messages"]
    return found


def test_text__is_one_user_message_after_the_instructions() -> None:
    assert asked()[0]["messages"] == [{"role": "user", "content": "Hi"}]
    found = asked(instructions="Be brief")[0]["messages"]
    assert found == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}]


def test_items_without_a_type__are_messages() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    assert said_in(*turns) == turns


def test_parts__get_chats_names() -> None:
    image = {"type": "input_image", "image_url": "u"}
    file = {"type": "input_file", "file_id": "f", "filename": "n"}
    (heard,) = said_in({"role": "user", "content": [{"type": "input_text", "text": "a"}, image, file]})
    assert heard["content"] == [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "u", "detail": "auto"}},
        {"type": "file", "file": {"file_id": "f", "filename": "n"}},
    ]
    (told,) = said_in(message(said("a"), {"type": "refusal", "refusal": "No."}))
    assert told == {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "No."}],
    }


def test_calls__join_one_assistants_message_with_what_was_said_before_them() -> None:
    other = {**CALL, "call_id": "call_b"}
    before = {"role": "assistant", "content": "Adding."}
    found = said_in(before, CALL, other, OUTPUT, {**OUTPUT, "call_id": "call_b"})
    assert found == [
        {**before, "tool_calls": [CALLED, {**CALLED, "id": "call_b"}]},
        ANSWERED,
        {**ANSWERED, "tool_call_id": "call_b"},
    ]
    assert said_in(CALL)[0]["content"] is None


def test_words_between_a_call_and_its_output__join_the_calls_message() -> None:
    found = said_in(CALL, message(said("Adding.")), OUTPUT)
    assert [each["role"] for each in found] == ["assistant", "tool"]
    assert found[0]["content"] == [{"type": "text", "text": "Adding."}]
    both = said_in({"role": "assistant", "content": "One."}, CALL, {"role": "assistant", "content": "Two."}, OUTPUT)
    assert [part["text"] for part in both[0]["content"]] == ["One.", "Two."]


def test_calls_of_two_turns__stay_apart() -> None:
    later, answer = {**CALL, "call_id": "call_b"}, {**OUTPUT, "call_id": "call_b"}
    assert [each["role"] for each in said_in(CALL, OUTPUT, later, answer)] == ["assistant", "tool"] * 2


def test_reasoning__is_dropped_and_told() -> None:
    body, changes = asked(input=[{"role": "user", "content": "a"}, {"type": "reasoning", "summary": []}, CALL, OUTPUT])
    assert changes == ["dropped reasoning items"]
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "tool"]


def test_output_in_parts__is_text() -> None:
    (found,) = said_in({**OUTPUT, "output": [{"type": "input_text", "text": "3"}]})
    assert found["content"] == [{"type": "text", "text": "3"}]


@pytest.mark.parametrize(
    ("given", "made", "changes"),
    [
        ({"max_output_tokens": 50}, {"max_tokens": 50}, []),
        (
            {"reasoning": {"effort": "low", "summary": "auto"}},
            {"reasoning_effort": "low"},
            ["dropped reasoning.summary"],
        ),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}, []),
        ({"text": {"format": {"type": "text"}}}, {"response_format": {"type": "text"}}, []),
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}}},
            {"response_format": {"type": "json_schema", "json_schema": {
                "name": "x", "schema": SCHEMA, "strict": True}}},
            [],
        ),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}, []),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}, []),
        ({"include": ["reasoning.encrypted_content"]}, {}, ["dropped include.reasoning.encrypted_content"]),
        ({"store": False, "truncation": "disabled", "background": False}, {}, []),
        ({"store": True, "truncation": "auto"}, {}, ["dropped store", "dropped truncation"]),
        ({"stream": True, "stream_options": {"include_obfuscation": False}},
         {"stream": True, "stream_options": {"include_obfuscation": False, "include_usage": True}}, []),
        ({"metadata": {"a": "b"}, "user": "u"}, {"metadata": {"a": "b"}, "user": "u"}, []),
        ({"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5, "top_p": 0.5}, []),
        ({"unheard_of": 1}, {}, ["dropped unheard_of"]),
        ({"tools": []}, {}, []),
        (
            {"tools": [{"type": "function", "name": "add", "parameters": SCHEMA, "strict": False}]},
            {"tools": [{"type": "function", "function": {"name": "add", "parameters": SCHEMA, "strict": False}}]},
            [],
        ),
        (
            {"tools": [{"type": "function", "name": "add"}], "tool_choice": {"type": "function", "name": "add"}},
            {"tools": [{"type": "function", "function": {"name": "add"}}],
             "tool_choice": {"type": "function", "function": {"name": "add"}}},
            ["tools without strict are not strict"],
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]}},
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {
                "mode": "auto", "tools": [{"type": "function", "function": {"name": "add"}}]}}},
            [],
        ),
    ],
)  # fmt: skip
def test_field__is_mapped_or_told(given: Json, made: Json, changes: list[str]) -> None:
    body, told = asked(**given)
    assert (body, told) == ({"model": "chatty", "messages": [{"role": "user", "content": "Hi"}], **made}, changes)
    if any(change.startswith("dropped") for change in changes):
        with pytest.raises(BadRequest):
            asked(strict=True, **given)


def test_models_rules__hold() -> None:
    body, changes = asked(MINI, temperature=0.4, max_output_tokens=50)
    assert (body["max_completion_tokens"], changes) == (50, ["dropped temperature"])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": ["hi"]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": [{"type": "web_search_call"}]}, "input[0].type"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
         "input[0].content[0].file_id"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "u"}]}]},
         "input[0].content[0].file_url"),
        ({"input": [{**OUTPUT, "output": [{"type": "input_image", "image_url": "u"}]}]}, "input[0].output[0].type"),
        ({"input": [{**CALL, "name": None}]}, "input[0].name"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"context_management": [{}]}, "context_management"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": 7}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"text": 7}, "text"),
        ({"text": {"format": 7}}, "text.format"),
        ({"reasoning": "low"}, "reasoning"),
    ],
)  # fmt: skip
def test_what_can_not_be_translated__is_a_400_that_names_the_field(body: Json, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asked(**body)
    assert (caught.value.param, caught.value.status) == (param, 400)


def answer(body: Json) -> Json:
    """The response object of a chat completion."""
    found = chat_to_response(body, ECHO)
    assert isinstance(found, dict)
    return found


def test_answer__is_a_response_of_the_sdk() -> None:
    found = answer(chat(response(message(said("Hi")), call())))
    parsed = Response.model_validate(found)
    assert [item.type for item in parsed.output] == ["message", "function_call"]
    assert (parsed.output_text, parsed.status, parsed.temperature, parsed.model) == (
        "Hi",
        "completed",
        0.5,
        "gpt-5.1-codex-2025",
    )
    assert len({item["id"] for item in found["output"]}) == 2
    assert found["output"][1]["call_id"] == "call_0"
    assert found["usage"] == USAGE


def test_usage__has_every_integer_that_strict_clients_want() -> None:
    bare = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    found = answer({**chat(response(message(said("Hi")))), "usage": bare})["usage"]
    assert found["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
    assert found["output_tokens_details"] == {"reasoning_tokens": 0}
    assert answer({**chat(response(message(said("Hi")))), "usage": None})["usage"] is None


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
def test_answer_cut_short__is_incomplete(reason: str) -> None:
    found = answer(chat(incomplete(reason, message(said("H")))))
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert found["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": [7]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"tool_calls": [7]}}]},
        {"choices": [{"message": {"tool_calls": [{"id": "x", "function": {"name": "f"}}]}}]},
    ],
)
def test_what_is_no_answer__lets_the_chain_go_on(body: Json) -> None:
    assert isinstance(chat_to_response(body, ECHO), Failure)


@sample(50, deadline=None)
@given(body=answers())
def test_answer__is_the_same_after_there_and_back(body: Json) -> None:
    there = chat(body)
    back = responses_to_chat(answer(there), chat_id=ID, created=NOW)
    assert isinstance(back, dict)
    assert (back["choices"], back["usage"]) == (there["choices"], there["usage"])


@sample(50, deadline=None)
@given(body=bodies())
def test_conversation__is_the_same_after_there_and_back(body: Json) -> None:
    there = chat_to_responses({"model": "x", "messages": body["messages"]}, FREE).body
    again = chat_to_responses(request_for_chat(there, CHAT).body, FREE).body
    assert [spoken(item) for item in again["input"]] == [spoken(item) for item in there["input"]]


def spoken(item: Json) -> Json:
    """An item with its text in one form."""
    content = item.get("content")
    return {**item, "content": [{"type": "input_text", "text": content}]} if isinstance(content, str) else item


@sample(50, deadline=None)
@given(
    body=st.dictionaries(
        st.sampled_from(["input", "tools", "text", "reasoning", "tool_choice", "include", "prompt"]), JUNK
    )
)
def test_junk__is_translated_or_refused_by_name(body: Json) -> None:
    try:
        request_for_chat(body, CHAT)
    except BadRequest as error:
        refused = error
    else:
        return
    assert refused.param
