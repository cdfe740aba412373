"""Every row of the request table: what a chat request becomes at the Responses endpoint (openai-facts.md 2a)."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.errors import BadRequest
from tests.translate.cast import ADD, CODEX, FREE, HELLO, SCHEMA, Json, items, translated

TEXT = {"type": "text", "text": "Look"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,x", "detail": "low"}}
FILE = {"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}}
CALLS = [
    {"id": "call_a", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
    {"id": "call_b", "type": "function", "function": {"name": "sub", "arguments": "{}"}},
]
CALL_ITEMS = [
    {"type": "function_call", "call_id": "call_a", "name": "add", "arguments": '{"a": 1}'},
    {"type": "function_call", "call_id": "call_b", "name": "sub", "arguments": "{}"},
]


def item(role: str, content: Any) -> Json:
    return {"type": "message", "role": role, "content": content}


@pytest.mark.parametrize("role", ["system", "developer", "user"])
def test_text_of_a_speaker__keeps_role_and_place(role: str) -> None:
    assert items({"role": role, "content": "Hi"}) == [item(role, "Hi")]
    parts = [{"type": "input_text", "text": "Look"}]
    assert items({"role": role, "content": [TEXT]}) == [item(role, parts)]


def test_messages__keep_their_order() -> None:
    found = items(
        {"role": "system", "content": "one"},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": "three"},
        {"role": "developer", "content": "four"},
        {"role": "user", "content": "five"},
    )
    assert [each["role"] for each in found] == ["system", "user", "assistant", "developer", "user"]


def test_assistants_text__becomes_output_text() -> None:
    said = item("assistant", [{"type": "output_text", "text": "Hi"}])
    assert items({"role": "assistant", "content": "Hi"}) == [said]
    assert items({"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}) == [said]


def test_image__becomes_a_text_with_its_detail() -> None:
    (found,) = items({"role": "user", "content": [TEXT, IMAGE, {"type": "image_url", "image_url": {"url": "u"}}]})
    assert found["content"][1:] == [
        {"type": "input_image", "image_url": "data:,x", "detail": "low"},
        {"type": "input_image", "image_url": "u", "detail": "auto"},
    ]


def test_file__becomes_flat() -> None:
    data = {"type": "file", "file": {"file_data": "data:,x", "filename": "a.pdf"}}
    assert items({"role": "user", "content": [FILE, data]})[0]["content"] == [
        {"type": "input_file", "file_id": "file-1", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "data:,x", "filename": "a.pdf"},
    ]


def test_cache_breakpoint__stays_on_its_part() -> None:
    mark = {"prompt_cache_breakpoint": {"mode": "explicit"}}
    found = items({"role": "user", "content": [{**TEXT, **mark}]})
    assert found[0]["content"] == [{"type": "input_text", "text": "Look", **mark}]


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "refusal", "refusal": "No."}]},
        {"content": None, "refusal": "No."},
        {"refusal": "No."},
    ],
)
def test_refusal__becomes_a_refusal_part(message: Json) -> None:
    assert items({"role": "assistant", **message}) == [item("assistant", [{"type": "refusal", "refusal": "No."}])]


def test_text_and_refusal__stand_in_one_item() -> None:
    (found,) = items({"role": "assistant", "content": "Well.", "refusal": "No."})
    assert [part["type"] for part in found["content"]] == ["output_text", "refusal"]


@pytest.mark.parametrize("content", [None, ""])
def test_tool_calls_alone__make_no_message_item(content: str | None) -> None:
    assert items({"role": "assistant", "content": content, "tool_calls": CALLS}) == CALL_ITEMS


def test_empty_answer__keeps_its_place() -> None:
    assert items({"role": "assistant", "content": []}) == [item("assistant", [])]
    assert items({"role": "assistant", "content": ""}) == [item("assistant", [{"type": "output_text", "text": ""}])]


def test_text_and_tool_calls__become_a_message_and_then_the_calls() -> None:
    found = items({"role": "assistant", "content": "Adding.", "tool_calls": CALLS})
    assert found == [item("assistant", [{"type": "output_text", "text": "Adding."}]), *CALL_ITEMS]


@pytest.mark.parametrize(
    ("content", "output"),
    [("3", "3"), ("", ""), ([TEXT], [{"type": "input_text", "text": "Look"}])],
)
def test_tool_message__becomes_a_call_output(content: Any, output: Any) -> None:
    found = items({"role": "tool", "tool_call_id": "call_a", "content": content})
    assert found == [{"type": "function_call_output", "call_id": "call_a", "output": output}]


def test_old_function_call__gets_an_id_that_joins_its_answer() -> None:
    asked = {"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": "{}"}}
    found = items(
        asked, {"role": "function", "name": "add", "content": "3"}, asked, {"role": "function", "name": "add"}
    )
    assert [each["type"] for each in found] == ["function_call", "function_call_output"] * 2
    assert found[0]["call_id"] == found[1]["call_id"] != found[2]["call_id"] == found[3]["call_id"]
    assert (found[1]["output"], found[3]["output"]) == ("3", "")


def test_item_ids__are_never_replayed() -> None:
    found = items(
        {"role": "assistant", "content": "Hi", "id": "msg_1"}, {"role": "assistant", "tool_calls": [CALLS[0]]}
    )
    assert all("id" not in each for each in found)


def test_tool__becomes_flat_and_non_strict() -> None:
    body, changes = translated(tools=[ADD])
    flat = {"type": "function", "name": "add", "description": "Adds.", "parameters": SCHEMA, "strict": False}
    assert (body["tools"], changes) == ([flat], [])


def test_tool_without_parameters__gets_empty_ones() -> None:
    body, _ = translated(tools=[{"type": "function", "function": {"name": "now", "parameters": None}}])
    assert body["tools"][0]["parameters"] == {"type": "object", "properties": {}, "additionalProperties": False}


def test_strict_tool__stays_strict() -> None:
    body, _ = translated(tools=[{"type": "function", "function": {"name": "now", "strict": True}}])
    assert body["tools"][0]["strict"] is True


def test_hosted_tool__is_passed_on() -> None:
    assert translated(tools=[{"type": "web_search_preview"}])[0]["tools"] == [{"type": "web_search_preview"}]


ALLOWED = {"mode": "required", "tools": [{"type": "function", "function": {"name": "add"}}]}


@pytest.mark.parametrize(
    ("choice", "flat"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "add"}}, {"type": "function", "name": "add"}),
        (
            {"type": "allowed_tools", "allowed_tools": ALLOWED},
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "add"}]},
        ),
        ({"type": "web_search_preview"}, {"type": "web_search_preview"}),
    ],
)
def test_tool_choice__becomes_flat(choice: Any, flat: Any) -> None:
    body, changes = translated(tools=[ADD], tool_choice=choice)
    assert (body["tool_choice"], changes) == (flat, [])


SHAPED = {"name": "sum", "schema": SCHEMA, "strict": True, "description": "A sum."}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "text"}, {"type": "text"}),
        ({"type": "json_object"}, {"type": "json_object"}),
        ({"type": "json_schema", "json_schema": SHAPED}, {"type": "json_schema", **SHAPED}),
        (
            {"type": "json_schema", "json_schema": {"name": "sum", "schema": SCHEMA}},
            {"type": "json_schema", "name": "sum", "schema": SCHEMA, "strict": False},
        ),
    ],
)
def test_response_format__becomes_text_format(given: Json, made: Json) -> None:
    body, changes = translated(response_format=given, verbosity="low")
    assert (body["text"], changes) == ({"format": made, "verbosity": "low"}, [])


def test_effort__becomes_reasoning() -> None:
    assert translated(CODEX, reasoning_effort="low")[0]["reasoning"] == {"effort": "low"}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_limit_on_output__is_renamed(name: str) -> None:
    given: Json = {name: 500}
    body, changes = translated(CODEX, **given)
    assert (body["max_output_tokens"], changes) == (500, [])
    assert name not in body


def test_two_limits__the_newer_wins_and_the_other_is_told() -> None:
    body, changes = translated(max_tokens=500, max_completion_tokens=600)
    assert (body["max_output_tokens"], changes) == (600, ["dropped max_tokens"])


def test_limit_below_sixteen__is_raised_and_told() -> None:
    body, changes = translated(max_tokens=5)
    assert (body["max_output_tokens"], changes) == (16, ["clamped max_tokens to 16"])
    assert translated(max_tokens=16)[1] == []


def test_logprobs__become_an_include() -> None:
    body, changes = translated(logprobs=True, top_logprobs=2)
    assert (body["include"], body["top_logprobs"], changes) == (["message.output_text.logprobs"], 2, [])
    assert "include" not in translated(logprobs=False)[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("stop", ["x"]),
        ("seed", 7),
        ("logit_bias", {"1": 2}),
        ("presence_penalty", 0.5),
        ("frequency_penalty", 0.5),
        ("prediction", {"type": "content", "content": "x"}),
        ("top_k", 3),
    ],
)
def test_field_without_an_equivalent__is_dropped_and_told_or_refused(name: str, value: Any) -> None:
    body, changes = translated(**{name: value})
    assert changes == [f"dropped {name}"]
    assert body == translated()[0]
    with pytest.raises(BadRequest) as caught:
        translated(strict=True, **{name: value})
    assert (caught.value.param, caught.value.status) == (name, 400)


@pytest.mark.parametrize(("name", "value"), [("n", 1), ("modalities", ["text"]), ("stop", None), ("seed", None)])
def test_default__is_no_change(name: str, value: Any) -> None:
    assert translated(strict=True, **{name: value}) == translated()


def test_sampling_of_a_model_that_refuses_it__is_dropped_and_told() -> None:
    body, changes = translated(CODEX, temperature=0.4, top_p=0.5)
    assert changes == ["dropped temperature", "dropped top_p"]
    assert body.keys() == {"model", "input", "store"}
    with pytest.raises(BadRequest, match=r"^temperature: "):
        translated(CODEX, strict=True, temperature=0.4)


@pytest.mark.parametrize(("given", "sent"), [({}, False), ({"store": False}, False), ({"store": True}, True)])
def test_store__is_off_unless_asked_for(given: Json, sent: bool) -> None:
    assert translated(**given)[0]["store"] is sent


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"include_usage": True}, None),
        ({"include_usage": True, "include_obfuscation": False}, {"include_obfuscation": False}),
    ],
)
def test_stream_options__lose_include_usage(options: Json, sent: Json | None) -> None:
    body, changes = translated(stream=True, stream_options=options)
    assert (body["stream"], body.get("stream_options"), changes) == (True, sent, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metadata", {"a": "b"}),
        ("user", "u"),
        ("safety_identifier", "s"),
        ("prompt_cache_key", "k"),
        ("prompt_cache_retention", "24h"),
        ("service_tier", "flex"),
        ("temperature", 0.4),
        ("top_p", 0.5),
        ("stream", True),
        ("parallel_tool_calls", False),
        ("moderation", {"model": "omni-moderation-latest"}),
    ],
)
def test_field_of_the_same_name__is_kept(name: str, value: Any) -> None:
    body, changes = translated(**{name: value})
    assert (body[name], changes) == (value, [])


def test_web_search_options__become_a_tool() -> None:
    place = {"type": "approximate", "approximate": {"country": "NO", "city": "Oslo"}}
    body, changes = translated(tools=[ADD], web_search_options={"search_context_size": "low", "user_location": place})
    assert [tool["type"] for tool in body["tools"]] == ["function", "web_search"]
    assert body["tools"][1]["search_context_size"] == "low"
    assert body["tools"][1]["user_location"] == {"type": "approximate", "country": "NO", "city": "Oslo"}
    assert changes == []


def test_model__is_the_rungs() -> None:
    assert translated(CODEX)[0]["model"] == "gpt-5.1-codex"


def test_name_of_a_speaker__is_dropped_and_told_once() -> None:
    named = {"role": "user", "name": "ann", "content": "Hi"}
    body, changes = translated(messages=[named, named])
    assert changes == ["dropped messages.name"]
    assert body["input"] == [item("user", "Hi")] * 2


def test_answer_sent_back_as_it_came__is_no_fault_even_when_strict() -> None:
    back: Json = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": [{}], "audio": None}
    assert translated(strict=True, messages=[back, *HELLO])[1] == ["dropped messages.annotations"]
    assert translated(strict=True, messages=[{**back, "annotations": []}, *HELLO])[1] == []


def test_many_unknown_fields__are_told_in_bounds_and_without_their_text() -> None:
    many: Json = {f"f{number}": 1 for number in range(100)}
    _, changes = translated(**many)
    assert len(changes) == 32
    assert changes[-1] == "and 69 more"
    text: Json = {"Dear Ann, ": 1}
    assert translated(**text)[1] == ["dropped unknown_field"]


REFUSED: list[tuple[Json, str]] = [
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": ["hi"]}, "messages[0]"),
    ({"messages": [{"role": "critic", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "assistant"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [7]}]}, "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}]},
     "messages[0].content[0].image_url"),
    ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, "messages[0].content[0].file"),
    ({"messages": [{"role": "assistant", "content": [IMAGE]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x"}}]}]},
     "messages[0].content[0].input_audio"),
    ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "messages[0].audio"),
    ({"messages": [{"role": "assistant", "tool_calls": 7}]}, "messages[0].tool_calls"),
    ({"messages": [{"role": "assistant", "tool_calls": [7]}]}, "messages[0].tool_calls[0]"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"function": {}}]}]}, "messages[0].tool_calls[0].id"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]},
     "messages[0].tool_calls[0].type"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "messages[0].tool_calls[0].function"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f"}}]}]},
     "messages[0].tool_calls[0].function.arguments"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    ({"messages": [{"role": "tool", "tool_call_id": "c"}]}, "messages[0].content"),
    ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].name"),
    ({"audio": {"voice": "x"}}, "audio"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"functions": [{"name": "f"}]}, "functions"),
    ({"function_call": "auto"}, "function_call"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"max_completion_tokens": True}, "max_completion_tokens"),
    ({"tools": "add"}, "tools"),
    ({"tools": ["add"]}, "tools[0]"),
    ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
    ({"tools": [{"type": "function"}]}, "tools[0].function"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tool_choice": 7}, "tool_choice"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
    ({"tool_choice": {"type": "custom"}}, "tool_choice"),
    ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
    ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [7]}}},
     "tool_choice.allowed_tools.tools[0]"),
    ({"response_format": "json"}, "response_format.type"),
    ({"response_format": {"type": "grammar"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
     "response_format.json_schema.name"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
     "response_format.json_schema.schema"),
    ({"stream_options": 7}, "stream_options"),
    ({"web_search_options": 7}, "web_search_options"),
    ({"web_search_options": {"user_location": "Oslo"}}, "web_search_options.user_location"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param"), REFUSED)
def test_what_can_not_be_translated__is_a_400_that_names_the_field(body: Json, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        translated(FREE, **body)
    assert (caught.value.param, caught.value.status) == (param, 400)
    assert caught.value.message.startswith(f"{param}: ")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"max_tokens": 5}, "max_tokens"),
        ({"messages": [{"role": "user", "name": "ann", "content": "x"}]}, "messages.name"),
        ({"tools": [{**ADD, "cache_control": {}}]}, "tools.cache_control"),
        ({"stream_options": {"more": 1}}, "stream_options.more"),
    ],
)
def test_strict_translation__refuses_what_it_would_change(body: Json, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        translated(FREE, strict=True, **body)
    assert caught.value.param == param
    assert len(translated(FREE, **body)[1]) == 1
