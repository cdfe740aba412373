"""The SDK's own types parse every response and event: native and reverse-translated, whole, streamed and failing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIError
from openai.types.responses import Response

from tests.live.live import Live
from tests.live.reading import events_of
from tests.live.sdk_types import judged, judged_event, strict, unknown_members
from tests.live.world import CHAT_ONLY

PATH = "/v1/responses"
NATIVE, CODEX = "gpt-4.1", "gpt-5.1-codex"
MODELS = [NATIVE, CODEX, CHAT_ONLY]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "name": "add", "description": "Adds.", "parameters": SCHEMA, "strict": True}
HISTORY = [
    {"role": "user", "content": "call add"},
    {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "3"},
]
CASES: dict[str, dict[str, Any]] = {
    "text": {"input": "Say hello"},
    "long text": {"input": "write 100 words", "instructions": "Be brief", "metadata": {"a": "b"}},
    "tools": {"input": "call add", "tools": [TOOL]},
    "tool chosen": {"input": "Hi", "tools": [TOOL], "tool_choice": {"type": "function", "name": "add"}},
    "history": {"input": HISTORY, "store": False},
    "json_schema": {"input": "x", "text": {"format": {"type": "json_schema", "name": "trip", "schema": SCHEMA}}},
    "cut short": {"input": "write 400 words", "max_output_tokens": 100},
}
NOT_IN_THE_SDK = [".store"]
"""A member of the provider's answers that the SDK's types have not."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("model", MODELS)
def test_whole_responses__are_of_the_sdks_types(live: Live, model: str, name: str) -> None:
    got = live.post(PATH, {"model": model, **CASES[name]})
    assert (got.status, got.headers["content-type"]) == (200, "application/json"), got.body
    found: Response = judged(Response, got.body)
    assert found.status == ("incomplete" if name == "cut short" else "completed")
    assert [*unknown_members(found)] == NOT_IN_THE_SDK
    assert found.usage is not None
    assert found.usage.total_tokens == found.usage.input_tokens + found.usage.output_tokens
    details = got.json["usage"]
    assert type(details["input_tokens_details"]["cached_tokens"]) is int
    assert type(details["output_tokens_details"]["reasoning_tokens"]) is int


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("model", MODELS)
def test_streamed_responses__are_of_the_sdks_types__with_all_numbers(live: Live, model: str, name: str) -> None:
    got = live.post(PATH, {"model": model, **CASES[name], "stream": True})
    assert got.status == 200, got.body
    told = events_of(got.body)
    for number, event in enumerate(told):
        judged_event(event)
        assert event["sequence_number"] == number
        if event["type"].startswith(
            ("response.output_", "response.content_part", "response.function_call", "response.refusal")
        ):
            assert type(event["output_index"]) is int
        if event["type"].startswith(("response.content_part", "response.output_text", "response.refusal")):
            assert type(event["content_index"]) is int
    last = told[-1]
    assert last["type"] == ("response.incomplete" if name == "cut short" else "response.completed")
    assert judged(Response, json.dumps(last["response"])).usage.total_tokens > 0


@pytest.mark.parametrize("model", [*MODELS, "auto", "manager"])
def test_sdk_that_validates__takes_responses_whole_and_by_its_stream_helper(live: Live, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "input": "call add", "tools": [TOOL]}
    with strict(live) as client:
        whole: Any = client.responses.create(**asked)
        with client.responses.stream(**asked) as stream:
            final: Any = stream.get_final_response()
    arguments = [[item.arguments for item in each.output if item.type == "function_call"] for each in (whole, final)]
    assert arguments[0] == arguments[1] != []


BUSY = {"message": "Busy (sandbox).", "type": "server_error", "param": None, "code": "server_error"}
FAULTS: dict[str, Any] = {
    "cut": {"cut_after_events": 9},
    "end without an end": {"cut_after_events": 9, "clean_end": True},
    "error event": {"error_event_after_events": {"events": 9, "error": BUSY}},
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("model", MODELS)
def test_error_after_output__is_an_event_of_the_sdks_and_raises(live: Live, model: str, name: str) -> None:
    live.sandbox.plan([{"match": {"model": model}, "fault": FAULTS[name]}])
    body = {"model": model, "input": "write 40 words"}
    got = live.post(PATH, {**body, "stream": True})
    told = events_of(got.body)
    *before, last = told
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert judged_event(last).type == "error"
    assert {"message", "type", "param", "code"} <= set(last["error"])
    assert not any(event["type"] in ("response.completed", "response.incomplete") for event in before)
    with strict(live) as client, pytest.raises(APIError) as caught:
        list(client.responses.create(**body, stream=True))  # type: ignore[call-overload] # plain dictionaries
    assert caught.value.code == last["error"]["code"]


def test_background_response__is_of_the_sdks_types_when_queued_and_when_fetched(live: Live) -> None:
    with strict(live) as client:
        queued = client.responses.create(model=NATIVE, input="Say hello", background=True)
        assert queued.status in ("queued", "in_progress")
        assert client.responses.retrieve(queued.id).id == queued.id
        assert client.responses.cancel(queued.id).status in ("cancelled", "completed")
