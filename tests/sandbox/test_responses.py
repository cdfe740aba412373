"""The Responses API through the official SDK: buffered, streamed, stored, in the background."""

from __future__ import annotations

import time

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.responses import FunctionToolParam, Response

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

ADD: FunctionToolParam = {
    "type": "function",
    "name": "add",
    "strict": False,
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
}

MESSAGE_EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


def test_it_answers_with_usage(client: OpenAI) -> None:
    answer = client.responses.create(model="gpt-5.1-codex", input="Say hello", instructions="be brief")
    assert answer.output_text == "sandbox: gpt-5.1-codex heard 2 words: Say hello"
    assert answer.status == "completed"
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    usage = answer.usage
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert 0 < usage.output_tokens_details.reasoning_tokens < usage.output_tokens
    assert usage.input_tokens_details.cached_tokens == usage.input_tokens_details.cache_write_tokens == 0


def test_the_stream_has_every_event_in_order_and_numbered(client: OpenAI) -> None:
    events = list(client.responses.create(model="gpt-5-mini", input="Say hello", stream=True))
    kinds = [event.type for event in events]
    assert list(dict.fromkeys(kinds)) == list(dict.fromkeys(MESSAGE_EVENTS))
    assert [kind for kind in kinds if kind != "response.output_text.delta"] == [
        kind for kind in MESSAGE_EVENTS if kind != "response.output_text.delta"
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == last.response.output_text
    assert all(e.output_index == 1 and e.content_index == 0 for e in events if e.type == "response.output_text.delta")


def test_every_frame_names_its_event_and_there_is_no_done(sandbox: SandboxProcess) -> None:
    body = {"model": "gpt-4.1", "input": "hi", "stream": True}
    answer = raw.post(sandbox.base_url, "/v1/responses", body)
    assert all(frame.startswith(b"event: response.") for frame in answer.frames)
    assert b"[DONE]" not in answer.body
    assert b"obfuscation" in answer.body
    body["stream_options"] = {"include_obfuscation": False}
    assert b"obfuscation" not in raw.post(sandbox.base_url, "/v1/responses", body).body


def test_the_sdks_helper_follows_text_and_calls(client: OpenAI) -> None:
    with client.responses.stream(model="gpt-5-mini", input="call add", tools=[ADD]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    call = final.output[-1]
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("add", '{"a":1}')
    assert call.call_id.startswith("call_")
    assert (call.id or "").startswith("fc_")
    assert "response.function_call_arguments.delta" in kinds
    assert kinds[-1] == "response.completed"


def test_the_output_limit_makes_it_incomplete(client: OpenAI) -> None:
    answer = client.responses.create(model="gpt-4.1", input="write 100 words", max_output_tokens=16)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.usage is not None
    assert answer.usage.output_tokens == 16
    events = list(client.responses.create(model="gpt-5-mini", input="hi", max_output_tokens=20, stream=True))
    last = events[-1]
    assert last.type == "response.incomplete"
    assert [item.type for item in last.response.output] == ["reasoning"]


def test_a_conversation_goes_on_from_a_stored_response(client: OpenAI) -> None:
    first = client.responses.create(model="gpt-4.1", input="call add", tools=[ADD])
    call = first.output[0]
    assert call.type == "function_call"
    second = client.responses.create(
        model="gpt-4.1",
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "3"}],
        tools=[ADD],
    )
    assert second.output_text.startswith("sandbox: ")
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens


def test_stored_responses_can_be_fetched_and_deleted_and_others_not(client: OpenAI) -> None:
    stored = client.responses.create(model="gpt-4.1", input="hi")
    assert client.responses.retrieve(stored.id).output_text == stored.output_text
    client.responses.delete(stored.id)
    forgotten = client.responses.create(model="gpt-4.1", input="hi", store=False)
    for response_id in (stored.id, forgotten.id):
        with pytest.raises(NotFoundError):
            client.responses.retrieve(response_id)


def test_stored_responses_tell_their_events_again_and_their_input(client: OpenAI) -> None:
    events = list(client.responses.create(model="gpt-4.1", input="hi", stream=True))
    stored = events[-1].response  # type: ignore[union-attr] # the terminal one
    rest = list(client.responses.retrieve(stored.id, stream=True, starting_after=2))
    assert [event.type for event in rest] == [event.type for event in events[3:]]
    assert [item.type for item in client.responses.input_items.list(stored.id).data] == ["message"]


def research(client: OpenAI) -> Response:
    return client.responses.create(
        model="o3-deep-research", input="hi", background=True, tools=[{"type": "web_search_preview"}]
    )


def poll(client: OpenAI, response_id: str) -> list[str]:
    """The states until the response is done, each once."""
    states: list[str] = []
    until = time.monotonic() + 10
    while time.monotonic() < until and (not states or states[-1] in ("queued", "in_progress")):
        states.append(str(client.responses.retrieve(response_id).status))
        time.sleep(0.01)
    return list(dict.fromkeys(states))


def test_a_background_response_is_queued_then_in_progress_then_done(client: OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.plan([{"match": {"endpoint": "responses"}, "fault": {"background_ms": 600}, "times": 1}])
    seen = sandbox.state()["requests"]
    started = research(client)
    assert (started.status, started.output, started.usage) == ("queued", [], None)
    assert poll(client, started.id) == ["queued", "in_progress", "completed"]
    done = client.responses.retrieve(started.id)
    assert [item.type for item in done.output] == ["reasoning", "web_search_call", "message"]
    billed = [record["usage"] for record in sandbox.requests(seen) if record["usage"]]
    assert len(billed) == 1


def test_a_background_response_can_be_cancelled_and_another_not(client: OpenAI) -> None:
    started = research(client)
    assert client.responses.cancel(started.id).status == "cancelled"
    assert client.responses.retrieve(started.id).status == "cancelled"
    finished = research(client)
    assert poll(client, finished.id)[-1] == "completed"
    assert client.responses.cancel(finished.id).status == "completed"
    with pytest.raises(BadRequestError):
        client.responses.cancel(client.responses.create(model="gpt-4.1", input="hi").id)


def test_a_streamed_background_response_is_queued_first(client: OpenAI) -> None:
    events = list(client.responses.create(model="gpt-4.1", input="hi", background=True, stream=True))
    assert [event.type for event in events][:3] == ["response.created", "response.queued", "response.in_progress"]
