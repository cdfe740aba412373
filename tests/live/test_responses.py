"""`/v1/responses` with the real SDK: natively and through chat, whole and streamed, with tools and a schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import BadRequestError
from pydantic import BaseModel

from tests.live.live import Live
from tests.live.reading import created, events_of, streamed, text_of
from tests.live.world import CHAT_ONLY

NATIVE, CODEX, RESEARCH = "gpt-4.1", "gpt-5.1-codex", "o3-deep-research"
PATH = "/v1/responses"
TOLD = "translated responses to chat"
PARAMETERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOLS = [{"type": "function", "name": name, "parameters": PARAMETERS, "strict": False} for name in ("add", "sub")]
SERVED = {NATIVE: "responses", CODEX: "responses", CHAT_ONLY: "chat"}


@pytest.mark.parametrize("model", SERVED)
def test_response__is_served_and_recorded(live: Live, model: str) -> None:
    called = created(live, model)
    record, headers = called.record, called.headers
    assert called.answer.output_text == f"sandbox: {model} heard 2 words: Say hello"
    assert (called.answer.status, called.answer.model, called.answer.error) == ("completed", model, None)
    assert record.tried == [(1, "call", 0, 1, model, 200, "")]
    assert record.served() == ("ok", model, 200)
    assert (record.decision.endpoint, record.outcome.endpoint_served) == ("responses", SERVED[model])
    assert record.usage == (called.answer.usage.input_tokens, called.answer.usage.output_tokens)
    assert called.answer.usage.output_tokens_details.reasoning_tokens >= 0
    assert (record.outcome.cost_state, record.outcome.finish_reason) == ("exact", "stop")
    assert headers["x-iw-model"] == model
    assert headers.get("x-iw-response-id") == (None if model == CHAT_ONLY else called.answer.id)
    assert headers.get("x-iw-changes") == (TOLD if model == CHAT_ONLY else None)
    live.agrees(record)


@pytest.mark.parametrize("model", SERVED)
def test_stream__is_served_and_recorded(live: Live, model: str) -> None:
    called = streamed(live, model)
    events = called.answer
    assert text_of(events) == f"sandbox: {model} heard 2 words: Say hello"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    ended = events[-1].response
    assert ended.output_text == text_of(events)
    assert {event.response.id for event in events if hasattr(event, "response")} == {ended.id}
    record = called.record
    assert record.served() == ("ok", model, 200)
    assert record.usage == (ended.usage.input_tokens, ended.usage.output_tokens)
    assert (record.outcome.cost_state, record.outcome.finish_reason) == ("exact", "stop")
    assert record.outcome.endpoint_served == SERVED[model]
    live.agrees(record)


def test_native_answer__is_the_providers_bytes(live: Live) -> None:
    body = {"model": NATIVE, "input": "Say hello", "store": False, "metadata": {"a": "b"}}
    through = live.post(PATH, body)
    assert through.json["metadata"] == {"a": "b"}
    [line] = live.sent()
    assert line["bytes_out"] == len(through.body)


def test_native_stream__is_the_providers_bytes(live: Live) -> None:
    through = live.post(PATH, {"model": NATIVE, "input": "Say hello", "stream": True})
    [line] = live.sent()
    assert line["bytes_out"] == len(through.body)
    assert any("obfuscation" in event for event in events_of(through.body))


@pytest.mark.parametrize("model", [NATIVE, CHAT_ONLY])
@pytest.mark.parametrize("form", ["buffered", "streamed"])
def test_tools__are_called_and_answered(live: Live, model: str, form: str) -> None:
    asked: list[Any] = [{"role": "user", "content": "call add and call sub"}]
    if form == "streamed":
        answer = streamed(live, model, asked, tools=TOOLS).answer[-1].response
    else:
        answer = created(live, model, asked, tools=TOOLS).answer
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [(call.name, call.arguments) for call in calls] == [("add", '{"a":1}'), ("sub", '{"a":1}')]
    assert all(call.call_id.startswith("call_") and call.id != call.call_id for call in calls)
    asked += [call.model_dump(exclude_none=True) for call in calls]
    asked += [{"type": "function_call_output", "call_id": call.call_id, "output": "3"} for call in calls]
    again = created(live, model, asked, tools=TOOLS)
    assert again.record.served() == ("ok", model, 200)
    assert again.answer.output_text.startswith(f"sandbox: {model} heard")


class Sum(BaseModel):
    """What the model is to answer."""

    total: int


@pytest.mark.parametrize("model", [NATIVE, CHAT_ONLY])
def test_structured_output__is_parsed_by_the_sdk(live: Live, model: str) -> None:
    found = live.client().responses.parse(model=model, input="Say hello", text_format=Sum)
    assert isinstance(found.output_parsed, Sum)
    with live.client().responses.stream(model=model, input="Say hello", text_format=Sum) as opened:
        for _ in opened:
            pass
        assert isinstance(opened.get_final_response().output_parsed, Sum)


def test_auto__is_inferred_from_input_and_not_from_instructions(live: Live) -> None:
    code = "Fix this bug:\n```python\ndef f(x):\n    return x + 1\n```\nTraceback (most recent call last):\n  TypeError"
    called = created(live, "auto", [{"role": "user", "content": [{"type": "input_text", "text": code}]}])
    assert called.headers["x-iw-mode"] == "code"
    assert called.record.decision.inferred_mode == "code"
    assert created(live, "auto", "Hi", instructions=code).headers["x-iw-mode"] == "fast"


def test_what_chat_has_no_word_for__is_a_400_that_names_the_field(live: Live) -> None:
    with pytest.raises(BadRequestError) as caught:
        created(live, CHAT_ONLY, background=True)
    assert (caught.value.param, caught.value.code) == ("background", "unsupported_parameter")
    record = live.the_record()
    assert record.tried == [(1, "skip", 0, 0, CHAT_ONLY, None, "capability")]
    assert live.sent() == []


def test_dropped_fields__are_told(live: Live) -> None:
    called = created(live, CHAT_ONLY, store=True, truncation="auto", max_output_tokens=20)
    assert json.loads(called.record.calls[0].changes) == [TOLD, "dropped store", "dropped truncation"]
    assert called.answer.store is False


def test_provider_that_refuses_a_translated_field__blames_the_callers_own(live: Live) -> None:
    with pytest.raises(BadRequestError) as caught:
        created(live, CHAT_ONLY, [{"type": "function_call_output", "call_id": "call_no", "output": "3"}])
    assert caught.value.param == "input"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("model", [NATIVE, CHAT_ONLY])
def test_incomplete_answer__says_why_and_keeps_its_usage(live: Live, model: str, reason: str) -> None:
    live.sandbox.plan([{"match": {"model": model}, "fault": {"finish": reason}}])
    whole, pieces = created(live, model), streamed(live, model)
    wanted = "max_output_tokens" if reason == "length" else reason
    for answer in (whole.answer, pieces.answer[-1].response):
        assert (answer.status, answer.incomplete_details.reason) == ("incomplete", wanted)
    for called in (whole, pieces):
        assert (called.record.outcome.finish_reason, called.record.served()) == (reason, ("ok", model, 200))
        assert (called.record.outcome.completion_tokens or 0) > 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "auto", "input": 1}, "input"),
        ({"model": "auto", "input": "Hi", "stream": "yes"}, "stream"),
        ({"model": "auto", "input": "Hi", "store": 1}, "store"),
        ({"model": "auto", "input": "Hi", "background": "no"}, "background"),
        ({"model": "auto", "input": "Hi", "previous_response_id": 1}, "previous_response_id"),
        ({"model": "auto", "input": "Hi", "conversation": 1}, "conversation"),
        ({"model": "auto", "input": "Hi", "tools": {}}, "tools"),
        ({"model": "auto", "input": "Hi", "stream_options": 1}, "stream_options"),
        ({"input": "Hi"}, "model"),
        ({"model": "embedding", "input": "Hi"}, "model"),
    ],
)
def test_malformed_request__is_a_recorded_400(live: Live, body: dict[str, Any], param: str) -> None:
    got = live.post(PATH, body)
    assert (got.status, got.json["error"]["param"]) == (400, param)
    assert live.the_record().served() == ("refused", "", 400)
    assert live.sent() == []


def test_research__searches_as_the_caller_asked(live: Live) -> None:
    called = created(live, RESEARCH, tools=[{"type": "web_search_preview"}])
    assert called.record.served() == ("ok", RESEARCH, 200)
    assert json.loads(called.record.outcome.usage)["hosted_calls"] == 1
    assert called.record.outcome.cost_state == "unpriced"
    with pytest.raises(BadRequestError) as caught:
        created(live, RESEARCH)
    assert caught.value.param == "tools"
