"""Every row of the event table: what a Responses stream becomes in chat chunks (openai-facts.md 2d)."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from iwrouting.upstream.failures import Step
from iwrouting.upstream.translate import ResponsesStream
from tests.translate.cast import (
    ID,
    NOW,
    REASONING,
    Json,
    call,
    chunks_of,
    deltas,
    event,
    incomplete,
    joined,
    message,
    opening,
    response,
    said,
    streamed,
)

ROLE = {"role": "assistant", "content": "", "refusal": None}
CALLING = {"role": "assistant", "content": None, "refusal": None}


def added(item: Json, at: int = 0) -> Json:
    return event("output_item.added", output_index=at, item=item)


def done(item: Json, at: int = 0) -> Json:
    return event("output_item.done", output_index=at, item=item)


def text(delta: str, at: int = 0, part: int = 0) -> Json:
    return event("output_text.delta", output_index=at, content_index=part, item_id=f"msg_{at}", delta=delta)


def arguments(delta: str, at: int = 0) -> Json:
    return event("function_call_arguments.delta", output_index=at, item_id=f"fc_{at}", delta=delta)


def completed(*output: Json, **more: Any) -> Json:
    return event("completed", response=response(*output, **more))


def shown(*events: Json) -> list[Json]:
    """The deltas of each choice of a stream of these events, the role and the end among them."""
    chunks, _ = streamed([*opening(), *events])
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_opening_events__become_nothing_but_give_the_head() -> None:
    chunks, stream = streamed(opening())
    assert (chunks, stream.output, stream.finished) == ([], False, False)
    assert (stream.response_id, stream.model, stream.created) == ("resp_1", "gpt-5.1-codex-2025", 1_600_000_000)
    assert streamed([event("queued", response=response(status="queued"))])[0] == []


def test_chunks__have_one_head() -> None:
    other = event("in_progress", response=response(id="resp_2", created_at=5, model="other"))
    chunks, _ = streamed([*opening(), text("a"), other, text("b"), completed(id="resp_3", created_at=7)])
    heads = [{name: chunk[name] for name in ("id", "object", "created", "model")} for chunk in chunks]
    assert heads == [
        {
            "id": ID,
            "object": "chat.completion.chunk",
            "created": 1_600_000_000,
            "model": "gpt-5.1-codex-2025",
        }
    ] * len(chunks)


@pytest.mark.parametrize(
    "events",
    [
        [added(message())],
        [event("content_part.added", output_index=0, content_index=0, part=said(""))],
        [added(message()), event("content_part.added", output_index=0, content_index=0, part=said(""))],
    ],
)
def test_start_of_a_message__sends_the_role_once_and_commits_to_nothing(events: list[Json]) -> None:
    assert shown(*events) == [ROLE]
    assert streamed([*opening(), *events])[1].output is False


def test_text_delta__becomes_content() -> None:
    assert shown(added(message()), text("He"), text("llo")) == [ROLE, {"content": "He"}, {"content": "llo"}]
    assert shown(text("He")) == [ROLE, {"content": "He"}]


def test_refusal_delta__becomes_refusal() -> None:
    refused = event("refusal.delta", output_index=0, content_index=0, delta="No.")
    assert shown(added(message()), refused) == [ROLE, {"refusal": "No."}]


def test_call__opens_with_its_call_id_and_an_index_among_calls() -> None:
    events = [added(REASONING), added(call("add", "", 1), 1), added(call("sub", "", 2), 2)]
    assert shown(*events) == [
        CALLING,
        *(
            {
                "tool_calls": [
                    {
                        "index": index,
                        "id": f"call_{index + 1}",
                        "type": "function",
                        "function": {"name": name, "arguments": ""},
                    }
                ]
            }
            for index, name in enumerate(("add", "sub"))
        ),
    ]


def test_arguments__go_to_their_call_in_pieces() -> None:
    events = [added(call("add", "", 1), 1), arguments('{"a"', 1), added(call("sub", "", 2), 2), arguments("{", 2)]
    events += [arguments(":1}", 1), arguments("}", 2), done(call("add", '{"a":1}', 1), 1), completed()]
    message_ = joined(streamed([*opening(), *events])[0])
    assert [each["function"]["arguments"] for each in message_["tool_calls"]] == ['{"a":1}', "{}"]


WHOLE_ARGUMENTS = [
    event("function_call_arguments.done", output_index=1, item_id="fc_1", arguments='{"a":1}', name="add"),
    done(call("add", '{"a":1}', 1), 1),
    completed(REASONING, call("add", '{"a":1}', 1)),
]


@pytest.mark.parametrize("last", [1, 2, 3])
def test_arguments_that_come_only_whole__are_sent_once(last: int) -> None:
    events = [added(call("add", "", 1), 1), *WHOLE_ARGUMENTS[3 - last :]]
    (made,) = joined(streamed([*opening(), *events])[0])["tool_calls"]
    assert made == {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}


def test_call_that_comes_only_whole__is_sent_whole() -> None:
    for events in ([done(call("add", "{}", 1), 1), completed()], [completed(REASONING, call("add", "{}", 1))]):
        found = joined(streamed([*opening(), *events])[0])
        assert (found["tool_calls"][0]["function"]["arguments"], found["finish_reason"]) == ("{}", "tool_calls")


WHOLE_TEXT = [
    event("output_text.done", output_index=0, content_index=0, item_id="msg_0", text="Hello"),
    event("content_part.done", output_index=0, content_index=0, item_id="msg_0", part=said("Hello")),
    done(message(said("Hello"))),
    completed(message(said("Hello"))),
]


@pytest.mark.parametrize("last", [1, 2, 3, 4])
def test_text_that_comes_only_whole__is_sent_once(last: int) -> None:
    assert joined(streamed([*opening(), *WHOLE_TEXT[4 - last :]])[0])["content"] == "Hello"


def test_text_that_came_in_pieces__is_not_repeated() -> None:
    assert joined(streamed([*opening(), text("Hel"), text("lo"), *WHOLE_TEXT])[0])["content"] == "Hello"


def test_text_whose_place_differs_at_the_end__is_not_repeated() -> None:
    events = [*opening(), text("Hello", at=1), completed(message(said("Hello"), index=9))]
    assert joined(streamed(events)[0])["content"] == "Hello"


def test_call_whose_place_differs_at_the_end__is_not_repeated() -> None:
    events = [*opening(), added(call("add", "", 1), 1), arguments("{}", 1), completed(call("add", "{}", 1))]
    assert len(joined(streamed(events)[0])["tool_calls"]) == 1


def test_several_parts_and_messages__are_joined_as_they_are_when_whole() -> None:
    events = [text("a", 0, 0), text("b", 0, 1), text("c", 2, 0)]
    assert joined(streamed([*opening(), *events, completed()])[0])["content"] == "abc"


def test_events_without_an_index__are_told_apart_by_their_item() -> None:
    first, second = call("add", "", 1), call("sub", "", 2)
    events = [
        event("output_item.added", item=first),
        event("output_item.added", item=second),
        event("function_call_arguments.delta", item_id="fc_2", delta="[]"),
        event("function_call_arguments.delta", item_id="fc_1", delta="{}"),
        event("completed", response=response()),
    ]
    made = joined(streamed([*opening(), *events])[0])["tool_calls"]
    assert [each["function"]["arguments"] for each in made] == ["{}", "[]"]


@pytest.mark.parametrize(
    "kind",
    [
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_text.delta",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_text.annotation.added",
        "custom_tool_call_input.delta",
        "of_next_year",
    ],
)
def test_event_without_a_place_in_chat__becomes_nothing(kind: str) -> None:
    stream = ResponsesStream(ID)
    assert stream.feed(event(kind, output_index=0, item_id="x", delta="thinking", part={})) == b""
    assert stream.output is False


def test_keepalive__becomes_a_comment() -> None:
    stream = ResponsesStream(ID)
    assert stream.feed({"type": "keepalive", "sequence_number": 3}) == b": keepalive\n\n"
    assert stream.output is False


def test_end__is_a_chunk_with_the_reason_alone() -> None:
    chunks, stream = streamed([*opening(), text("Hi"), completed(message(said("Hi")), service_tier="flex")])
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert chunks[-1]["service_tier"] == "flex"
    assert all("usage" not in chunk for chunk in chunks)
    assert (stream.finished, stream.output, stream.finish_reason, stream.failure) == (True, True, "stop", None)
    assert stream.usage is not None
    assert (stream.usage.completion_tokens, stream.usage.service_tier) == (1024, "flex")


def test_usage_chunk__comes_last_and_only_if_asked() -> None:
    chunks, _ = streamed([*opening(), text("Hi"), completed()], include_usage=True)
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 1054)
    without, stream = streamed([*opening(), text("Hi"), completed(usage=None)], include_usage=True)
    assert without[-1]["choices"] != []
    assert stream.usage is None


@pytest.mark.parametrize(
    ("terminal", "reason"),
    [
        (completed(), "stop"),
        (completed(call()), "tool_calls"),
        (event("incomplete", response=incomplete("max_output_tokens")), "length"),
        (event("incomplete", response=incomplete("max_tokens")), "length"),
        (event("incomplete", response=incomplete("content_filter")), "content_filter"),
        (event("completed", response=incomplete("max_output_tokens")), "length"),
        (event("incomplete"), "length"),
    ],
)
def test_terminal__gives_the_finish_reason(terminal: Json, reason: str) -> None:
    chunks, stream = streamed([*opening(), terminal])
    assert (joined(chunks)["finish_reason"], stream.finish_reason) == (reason, reason)
    assert stream.finished


ERROR = {"code": "rate_limit_exceeded", "message": "Slow down", "param": None}
QUOTA = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "Pay"}
FAILED = event("failed", response=response(status="failed", error=ERROR))


@pytest.mark.parametrize(
    ("bad", "step", "code"),
    [
        (FAILED, Step.RETRY, "rate_limit_exceeded"),
        (event("failed"), Step.NEXT, "in_band_error"),
        ({"type": "error", "sequence_number": 2, **ERROR}, Step.RETRY, "rate_limit_exceeded"),
        ({"type": "error", "error": QUOTA}, Step.STOP, "insufficient_quota"),
        ({"error": QUOTA}, Step.STOP, "insufficient_quota"),
        (event("cancelled", response=response(status="cancelled")), Step.STOP, "response_cancelled"),
        (event("completed", response=response(status="in_progress")), Step.NEXT, "truncated"),
        (event("completed", response=response(error=ERROR)), Step.RETRY, "rate_limit_exceeded"),
    ],
)
def test_error__surfaces_with_its_code_and_ends_the_stream(bad: Json, step: Step, code: str) -> None:
    for before in ([], [text("Hi")]):
        chunks, stream = streamed([*opening(), *before, bad, text("more"), completed()])
        assert stream.failure is not None
        assert (stream.failure.step, stream.failure.code) == (step, code)
        assert (stream.finished, stream.output) == (False, bool(before))
        assert joined(chunks)["content"] == ("Hi" if before else None)
        assert joined(chunks)["finish_reason"] is None


def test_usage_of_a_failed_response__is_kept() -> None:
    _, stream = streamed([*opening(), FAILED])
    assert stream.usage is not None
    assert stream.usage.prompt_tokens == 30


def test_cut_stream__is_not_finished() -> None:
    _, stream = streamed([*opening(), added(message()), text("Hi"), done(message(said("Hi")))])
    assert (stream.finished, stream.output, stream.failure) == (False, True, None)


def test_what_comes_after_the_end__is_ignored() -> None:
    stream = ResponsesStream(ID)
    stream.feed(completed())
    assert stream.feed(text("more")) == stream.feed(completed()) == stream.feed(FAILED) == b""
    assert stream.failure is None


def test_log_probabilities_of_a_delta__stand_in_its_choice() -> None:
    token = {"token": "Hi", "logprob": -0.25, "top_logprobs": []}
    stream = ResponsesStream(ID)
    (_, chunk) = chunks_of(stream.feed({**text("Hi"), "logprobs": [token]}))
    assert chunk["choices"][0]["logprobs"]["content"] == [{**token, "bytes": [72, 105]}]


def test_half_a_surrogate_pair__survives() -> None:
    stream = ResponsesStream(ID)
    frames = b"".join(stream.feed(text(half)) for half in ("\ud83d", "\ude00"))
    assert [delta["content"] for delta in deltas(chunks_of(frames))] == ["\ud83d", "\ude00"]


def test_stream_that_never_opened__uses_our_time() -> None:
    chunks, _ = streamed([text("Hi"), completed()])
    assert {chunk["created"] for chunk in chunks} == {NOW}


def test_the_sdk_parses_every_chunk() -> None:
    events = [*opening(), added(message()), text("Hi"), added(call("add", "", 1), 1), arguments("{}", 1), completed()]
    chunks, _ = streamed(events, include_usage=True)
    parsed = [ChatCompletionChunk.model_validate(chunk, strict=True) for chunk in chunks]
    assert parsed[-1].usage is not None
    assert [choice.finish_reason for chunk in parsed for choice in chunk.choices][-1] == "tool_calls"
