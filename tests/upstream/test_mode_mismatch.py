"""Whole answers as streams and streams as whole answers: the same answer, nothing lost, nothing invented."""

from __future__ import annotations

from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI

from iwrouting.upstream import Failure
from iwrouting.upstream.folding import fold_chat, fold_responses
from iwrouting.upstream.synthesise import chat_frames

Json = dict[str, Any]
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
CALLS = [
    {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"city": "Köln"}'}},
    {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
]
LOGPROBS = {"content": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}], "refusal": None}


def completion(*choices: Json, **more: Any) -> Json:
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "m", "service_tier": "default"}
    return {**head, "choices": list(choices), **more}


def choice(index: int = 0, finish: str = "stop", logprobs: Json | None = None, **message: Any) -> Json:
    told = {"role": "assistant", "content": None, "refusal": None, **message}
    return {"index": index, "message": told, "logprobs": logprobs, "finish_reason": finish}


def stream(*events: Json | str) -> bytes:
    data = [event if isinstance(event, str) else orjson.dumps(event).decode() for event in events]
    return "".join(f"data: {each}\n\n" for each in data).encode()


def delta(index: int = 0, finish: str | None = None, **given: Any) -> Json:
    return {"id": "chatcmpl-1", "choices": [{"index": index, "delta": given, "finish_reason": finish}]}


ANSWERS = [
    completion(choice(content="Grüße \u2028 \\ [DONE]"), usage=USAGE),
    completion(choice(refusal="No.", finish="stop")),
    completion(choice(content="Let me see", tool_calls=CALLS, finish="tool_calls"), usage=USAGE),
    completion(choice(content="Hi", logprobs=LOGPROBS), choice(1, "length", content="a"), choice(2, content="b")),
    completion(choice(content="x", reasoning_content="because", annotations=[{"type": "url_citation"}])),
    completion(choice(content="", finish="content_filter")),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_whole_answer__as_a_stream_and_back__is_the_same(answer: Json) -> None:
    frames = chat_frames(answer, include_usage=True)
    again = fold_chat(b"".join(frames), len(answer["choices"]))
    assert not isinstance(again, Failure)
    said = again["choices"][0]["message"]
    if answer["choices"][0]["message"]["content"] is None:
        assert said["content"] == ""
        said["content"] = None
    assert again == answer


def answering(body: bytes, content_type: str) -> OpenAI:
    """The SDK against a transport that always answers this."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body, headers={"content-type": content_type})

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return OpenAI(base_url="http://sdk/v1", api_key="k", http_client=client, max_retries=0)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("asked", [True, False])
def test_synthesised_stream__is_read_by_the_sdk(answer: Json, asked: bool) -> None:
    body = b"".join(chat_frames(answer, include_usage=asked))
    client = answering(body, "text/event-stream")
    with client:
        chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
    for wanted in answer["choices"]:
        mine = [each for chunk in chunks for each in chunk.choices if each.index == wanted["index"]]
        assert "".join(each.delta.content or "" for each in mine) == (wanted["message"]["content"] or "")
        assert [each.finish_reason for each in mine if each.finish_reason] == [wanted["finish_reason"]]
        names = [call.id for each in mine for call in each.delta.tool_calls or ()]
        assert names == [call["id"] for call in wanted["message"].get("tool_calls", ())]
    assert any(chunk.usage for chunk in chunks) is (asked and "usage" in answer)


def test_synthesised_stream__has_usage_last_and_only_where_asked() -> None:
    *frames, done = chat_frames(ANSWERS[0], include_usage=True)
    *_, end, usage = [orjson.loads(frame[6:]) for frame in frames]
    assert (end["choices"][0]["finish_reason"], end["usage"]) == ("stop", None)
    assert (usage["choices"], usage["usage"], done) == ([], USAGE, b"data: [DONE]\n\n")
    assert b"usage" not in b"".join(chat_frames(ANSWERS[0], False))


@pytest.mark.parametrize("bad", [{"index": 0}, {"index": 0, "message": {"content": "half"}}, "text", None])
def test_choice_without_an_end__is_not_whole_as_a_stream(bad: Any) -> None:
    found = fold_chat(b"".join(chat_frames(completion(choice(content="a"), bad), include_usage=False)), 2)
    assert isinstance(found, Failure)
    assert found.code == "truncated"


def test_tool_call_deltas__are_joined_by_their_index_alone() -> None:
    body = stream(
        delta(role="assistant", content=None, tool_calls=[{"index": 1, "id": "b", "function": {"name": "g"}}]),
        delta(tool_calls=[{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]),
        delta(
            tool_calls=[{"index": 1, "function": {"arguments": "{1"}}, {"index": 0, "function": {"arguments": "{0"}}]
        ),
        delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}}]),
        delta(tool_calls=[{"index": 1, "id": "", "function": {"arguments": "}"}}]),
        delta(finish="tool_calls"),
    )
    found = fold_chat(body, 1)
    assert not isinstance(found, Failure)
    calls = found["choices"][0]["message"]["tool_calls"]
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls] == [
        ("a", "f", "{0}"),
        ("b", "g", "{1}"),
    ]
    assert "index" not in calls[0]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([delta(tool_calls=[{"id": "a", "function": {"name": "f"}}]), delta(finish="stop")], "mode_mismatch"),
        ([delta(tool_calls=[{"index": 0, "id": "a"}, {"index": 0, "id": "b"}]), delta(finish="stop")], "mode_mismatch"),
        ([delta(tool_calls=["x"]), delta(finish="stop")], "mode_mismatch"),
        ([delta(content="a"), '{"choices": [', delta(finish="stop")], "mode_mismatch"),
        ([delta(content=["a"]), delta(content="b"), delta(finish="stop")], "mode_mismatch"),
        ([{"choices": [7]}, delta(finish="stop")], "mode_mismatch"),
        ([{"choices": [{"index": [], "delta": {}}]}, delta(finish="stop")], "mode_mismatch"),
        ([delta(content="a")], "truncated"),
        ([delta(content="a"), "[DONE]"], "truncated"),
        ([], "truncated"),
        ([delta(content="a"), {"error": {"message": "x", "code": "busy"}}], "busy"),
    ],
)
def test_stream_that_can_not_be_joined__is_no_answer(events: list[Any], code: str) -> None:
    found = fold_chat(stream(*events), 1)
    assert isinstance(found, Failure)
    assert found.code == code


def test_last_frame_without_its_blank_line__counts() -> None:
    found = fold_chat(stream(delta(content="a", finish="stop")).rstrip(b"\n"), 1)
    assert not isinstance(found, Failure)
    assert found["choices"][0]["message"]["content"] == "a"


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([{"type": "response.created", "response": {"status": "in_progress"}}], "truncated"),
        ([{"type": "error", "code": "server_error", "message": "x"}], "server_error"),
        ([{"type": "error", "error": {"code": "rate_limit_exceeded"}}], "rate_limit_exceeded"),
        (["{"], "mode_mismatch"),
    ],
)
def test_responses_stream_without_its_end__is_no_answer(events: list[Any], code: str) -> None:
    found = fold_responses(stream(*events))
    assert isinstance(found, Failure)
    assert found.code == code


def test_responses_stream__is_the_response_of_its_terminal_event() -> None:
    response = {"id": "resp_1", "status": "completed", "output": []}
    body = stream({"type": "response.created", "response": {}}, {"type": "response.completed", "response": response})
    assert fold_responses(body) == response


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "delta", "finish_reason", "index", "tool_calls", "id", "usage"]),
            inner,
        )
    ),
    max_leaves=10,
)


@given(st.lists(ANY, max_size=4))
def test_any_json__is_joined_or_refused_and_never_an_exception(events: list[Any]) -> None:
    for wrapped in (events, [{"choices": [event]} for event in events], [delta(tool_calls=events)]):
        found = fold_chat(stream(*(orjson.dumps(event).decode() for event in wrapped)), 1)
        assert isinstance(found, Failure | dict)
    for event in events:
        assert chat_frames({"choices": event}, include_usage=True)
        assert chat_frames({"choices": [event], "usage": event}, include_usage=True)
