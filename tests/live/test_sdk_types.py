"""The SDK's own types parse every answer: native and translated, whole and streamed, vectors, models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types import CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletionChunk

from tests.live.live import Live
from tests.live.sdk_types import chunks, completion, judged, strict, unknown_members
from tests.translate.cast import event, message, opening, response

NATIVE, TRANSLATED = "gpt-4.1", "gpt-5.1-codex"
USER = "user"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": SCHEMA}}


def asked(text: str = "Say hello", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": USER, "content": text}], **more}


CASES: dict[str, dict[str, Any]] = {
    "text": asked(),
    "long text": asked("write 300 words"),
    "tools": asked("call add", tools=[TOOL]),
    "tool required": asked(tools=[TOOL], tool_choice="required"),
    "json_schema": asked(response_format={"type": "json_schema", "json_schema": {"name": "trip", "schema": SCHEMA}}),
    "cut short": asked("write 300 words", max_completion_tokens=120),
    "logprobs": asked(logprobs=True, top_logprobs=2),
    "usage": asked(stream_options={"include_usage": True}),
}
TWO = asked("call add", n=2, tools=[TOOL])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("model", [NATIVE, TRANSLATED])
def test_whole_chat_answers__are_of_the_sdks_types(live: Live, model: str, name: str) -> None:
    body = {key: value for key, value in CASES[name].items() if key != "stream_options"}
    found = completion(live, {"model": model, **body})
    assert found.usage is not None
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens
    assert [*unknown_members(found)] == []
    (choice,) = found.choices
    ends = {"tools": "tool_calls", "tool required": "tool_calls", "cut short": "length"}
    assert choice.finish_reason == ends.get(name, "stop")
    if name == "json_schema":
        assert set(json.loads(choice.message.content or "")) == {"city", "days"}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("model", [NATIVE, TRANSLATED])
def test_streamed_chat_answers__are_of_the_sdks_types__usage_last(live: Live, model: str, name: str) -> None:
    body = {"model": model, **CASES[name]}
    found = chunks(live, body)
    assert len({chunk.id for chunk in found}) == 1
    assert found[0].choices[0].delta.role == "assistant"
    assert {place for place in unknown_members(found) if not place.endswith(".obfuscation")} == set()
    if name == "usage":
        *rest, last = found
        assert last.choices == []
        assert last.usage is not None
        assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens
        assert all(chunk.usage is None and chunk.choices for chunk in rest)
    else:
        assert all(chunk.usage is None and chunk.choices for chunk in found)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_two_choices__are_of_the_sdks_types(live: Live, streamed: bool) -> None:
    body = {"model": NATIVE, **TWO}
    found = chunks(live, body) if streamed else [completion(live, body)]
    assert {choice.index for each in found for choice in each.choices} == {0, 1}


def refusing(streamed: bool) -> dict[str, Any]:
    """A Responses answer that refuses, as the sandbox's fault."""
    said_no = response(message({"type": "refusal", "refusal": "I can't."}))
    if not streamed:
        return {"raw_body": json.dumps(said_no)}
    at = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
    told = [
        *opening(),
        event("output_item.added", output_index=0, item=message(status="in_progress")),
        event("content_part.added", **at, part={"type": "refusal", "refusal": ""}),
        *(event("refusal.delta", **at, delta=part) for part in ("I ", "can't.")),
        event("refusal.done", **at, refusal="I can't."),
        event("completed", response=said_no),
    ]
    body = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in told)
    return {"raw_body": body, "content_type": "text/event-stream"}


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_refusal__is_of_the_sdks_types_and_no_content(live: Live, streamed: bool) -> None:
    live.sandbox.plan([{"match": {"model": TRANSLATED}, "fault": refusing(streamed)}])
    body = {"model": TRANSLATED, **asked()}
    if streamed:
        deltas = [choice.delta for chunk in chunks(live, body) for choice in chunk.choices]
        assert "".join(delta.refusal or "" for delta in deltas) == "I can't."
        assert not any(delta.content for delta in deltas)
    else:
        found = completion(live, body).choices[0].message
        assert (found.refusal, found.content) == ("I can't.", None)


def test_the_types_would_tell() -> None:
    good = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    assert judged(ChatCompletionChunk, json.dumps(good)).id == "x"
    for bad in ({"created": "1"}, {"choices": None}, {"object": "chat.completion"}, {"id": None}):
        with pytest.raises(ValueError, match="validation error"):
            judged(ChatCompletionChunk, json.dumps({**good, **bad}))
    odd = {"id": "x", "object": "model", "created": 1, "owned_by": "us", "sandbox": 1}
    assert [*unknown_members(judged(Model, json.dumps(odd)))] == [".sandbox"]


@pytest.mark.parametrize("model", [NATIVE, TRANSLATED, "auto", "manager"])
def test_sdk_that_validates__takes_chat_whole_and_streamed(live: Live, model: str) -> None:
    with strict(live) as client:
        messages: Any = [{"role": USER, "content": "call add"}]
        tools: Any = [TOOL]
        whole = client.chat.completions.create(model=model, messages=messages, tools=tools)
        assert whole.choices[0].message.tool_calls
        with client.chat.completions.stream(model=model, messages=messages, tools=tools) as stream:
            final = stream.get_final_completion()
        assert [call.function.arguments for call in final.choices[0].message.tool_calls or ()] == [
            call.function.arguments  # type: ignore[union-attr] # only functions were offered
            for call in whole.choices[0].message.tool_calls
        ]


@pytest.mark.parametrize("form", ["base64", "float"])
@pytest.mark.parametrize("items", [1, 20], ids=["one batch", "three batches"])
def test_vectors__are_of_the_sdks_types(live: Live, form: str, items: int) -> None:
    body = {"model": "embedding", "input": ["x"] * items, "encoding_format": form, "dimensions": 8}
    got = live.post("/v1/embeddings", body)
    if form == "float":
        found: CreateEmbeddingResponse = judged(CreateEmbeddingResponse, got.body)
        assert [*unknown_members(found)] == []
    assert got.json["object"] == "list"
    assert got.json["usage"].keys() == {"prompt_tokens", "total_tokens"}
    with strict(live) as client:
        answer = client.embeddings.create(model="embedding", input=["x"] * items, dimensions=8, encoding_format="float")
    assert [item.index for item in answer.data] == list(range(items))


def test_models__are_of_the_sdks_types(live: Live) -> None:
    with strict(live) as client:
        found = list(client.models.list())
        assert {"auto", "embedding", NATIVE} <= {each.id for each in found}
        assert client.models.retrieve("fast").id == "fast"
    listed = live.get("/v1/models").json
    assert listed["object"] == "list"
    for each in listed["data"]:
        judged(Model, json.dumps(each))
    assert judged(Model, live.get("/v1/models/manager").body).id == "manager"
