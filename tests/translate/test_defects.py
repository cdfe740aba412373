"""What existing bridges between the two APIs got wrong, one test a defect (openai-facts.md 2e)."""

from __future__ import annotations

from iwrouting.upstream.failures import Step
from iwrouting.upstream.usage import read_usage
from tests.translate.cast import (
    ADD,
    HELLO,
    REASONING,
    Json,
    call,
    chat,
    deltas,
    event,
    failed,
    incomplete,
    items,
    joined,
    message,
    opening,
    response,
    said,
    streamed,
    translated,
)

CUT = incomplete("max_output_tokens", REASONING)


def test_usage_of_an_incomplete_response__is_the_reported_one() -> None:
    usage = read_usage(chat(CUT))
    assert usage is not None
    assert (usage.completion_tokens, usage.reasoning_tokens) == (1024, 1000)
    _, stream = streamed([*opening(), event("incomplete", response=CUT)])
    assert stream.usage == usage


def test_incomplete_with_reasoning_alone__is_length_without_content() -> None:
    (choice,) = chat(CUT)["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", None)
    chunks, stream = streamed([*opening(), event("incomplete", response=CUT)])
    assert (joined(chunks)["finish_reason"], stream.finished, stream.output) == ("length", True, True)


def test_tool_arguments_sent_only_by_done__arrive() -> None:
    opened = event("output_item.added", output_index=0, item=call(arguments=""))
    whole = event("function_call_arguments.done", output_index=0, item_id="fc_0", arguments='{"a":1}')
    chunks, _ = streamed([*opening(), opened, whole, event("completed", response=response(call()))])
    assert [each["function"]["arguments"] for each in joined(chunks)["tool_calls"]] == ['{"a":1}']


def test_text_and_tool_in_one_stream__both_arrive_and_it_ends_for_the_tool() -> None:
    events = [
        event("output_item.added", output_index=0, item=message()),
        event("output_text.delta", output_index=0, content_index=0, delta="Adding."),
        event("output_item.added", output_index=1, item=call(arguments="", index=1)),
        event("function_call_arguments.delta", output_index=1, delta='{"a":1}'),
        event("completed", response=response(message(said("Adding.")), call(index=1))),
    ]
    found = joined(streamed([*opening(), *events])[0])
    assert (found["content"], found["finish_reason"]) == ("Adding.", "tool_calls")
    assert found["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a":1}'}


def test_chunk_id__is_the_same_on_every_chunk() -> None:
    events = [event("output_text.delta", output_index=0, content_index=0, delta=word) for word in "abc"]
    chunks, _ = streamed([*opening(), *events, event("completed", response=response(id="resp_2"))])
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_strict_that_was_omitted_or_null__is_sent_as_false() -> None:
    for strict in ({}, {"strict": None}):
        tool = {"type": "function", "function": {**ADD["function"], **strict}}  # type: ignore[dict-item] # a dict
        assert translated(tools=[tool])[0]["tools"][0]["strict"] is False


def test_tool_call_id__is_the_call_id_and_never_the_items() -> None:
    assert chat(response(call(index=3)))["choices"][0]["message"]["tool_calls"][0]["id"] == "call_3"
    chunks, _ = streamed([*opening(), event("output_item.added", output_index=0, item=call(index=3))])
    assert deltas(chunks)[0]["tool_calls"][0]["id"] == "call_3"


def test_dropped_fields_and_a_raised_limit__leave_a_trace_and_nothing_is_stored() -> None:
    body, changes = translated(stop="x", n=2, seed=7, max_tokens=5)
    assert sorted(changes) == ["clamped max_tokens to 16", "dropped n", "dropped seed", "dropped stop"]
    assert body["store"] is False


def test_rate_limit_inside_a_stream_or_a_200__keeps_its_code() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    assert failed(response(status="failed", error=error)).code == "rate_limit_exceeded"
    events: list[Json] = [{"type": "error", **error}, event("failed", response=response(status="failed", error=error))]
    for bad in events:
        _, stream = streamed([*opening(), bad])
        assert stream.failure is not None
        assert (stream.failure.code, stream.failure.step) == ("rate_limit_exceeded", Step.RETRY)
        assert stream.failure.message == "Slow down"


def test_replayed_history__has_calls_and_outputs_without_reasoning_or_item_ids() -> None:
    answered = {**chat(response(REASONING, message(said("Adding.")), call()))["choices"][0]["message"]}
    replayed = items(*HELLO, answered, {"role": "tool", "tool_call_id": "call_0", "content": "3"})
    assert [each["type"] for each in replayed] == ["message", "message", "function_call", "function_call_output"]
    assert all("id" not in each for each in replayed)
    assert replayed[2]["call_id"] == replayed[3]["call_id"] == "call_0"


def test_response_ids__are_never_sent_back() -> None:
    body, _ = translated(messages=[*HELLO, {"role": "assistant", "content": "Hi"}, *HELLO])
    assert "previous_response_id" not in body


def test_keepalive__does_not_break_the_stream() -> None:
    beat = {"type": "keepalive", "sequence_number": 4}
    word = event("output_text.delta", output_index=0, content_index=0, delta="Hi")
    chunks, stream = streamed([beat, *opening(), beat, word, beat, event("completed", response=response())])
    assert (joined(chunks)["content"], stream.finished) == ("Hi", True)
