"""Streams that end as they should: the same answer as buffered, the provider's bytes, usage recorded whoever asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.live import Live, events, text_of
from tests.live.world import RECORDED
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"
MODEL = "gpt-4.1-mini"
DONE = b"data: [DONE]\n\n"
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}

USAGE_CHUNK = (
    b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12,'
    b'"prompt_tokens_details":{"cached_tokens":3}}}\n\n'
)
SCRIPT = [
    b"\xef\xbb\xbf: a comment before the first event\n\n",
    b'data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}\n\n',
    b'data:{"id":"c1","choices":[{"index":0,"delta":{"content":"Gr\xc3\xbc\xc3\x9fe \\u00fc \\"[DONE]\\""}}]}\r\n\r\n',
    b": keep-alive\r\r",
    b'data: {"id":"c1","choices":[{"index":0,\ndata: "delta":{"content":" in two lines"}}]}\n\n',
    b'event: message\nid: 7\ndata: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1"}]}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"{\\"usage\\": {}"}}]}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"\\"finish_reason\\": \\"stop\\", \\"error\\": {}"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason": "tool_calls"}],"x":[1, 2]}\n\n',
    USAGE_CHUNK,
]


@pytest.mark.parametrize("alias", ["fast", "deep", "plan_tasks", "code"])
def test_stream__has_the_text_of_the_buffered_answer(live: Live, alias: str) -> None:
    text = "Write 40 words about streams"
    buffered, streamed = live.chat(alias, text), live.stream(alias, text)
    assert text_of(streamed.answer) == buffered.answer.choices[0].message.content
    reasons = [each.finish_reason for chunk in streamed.answer for each in chunk.choices]
    assert [reason for reason in reasons if reason] == ["stop"]
    first, second = buffered.record, streamed.record
    assert (first.usage, first.outcome.cost_pico) == (second.usage, second.outcome.cost_pico)
    assert first.outcome.cost_pico
    assert (first.decision.is_stream, second.decision.is_stream) == (False, True)
    assert second.outcome.result == "ok"
    live.agrees(second)


def test_stream_headers__are_those_of_an_answer(live: Live) -> None:
    called = live.stream("manager")
    headers = called.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert "x-iw-early" not in headers
    assert (headers["x-iw-model"], headers["x-iw-alias"], headers["x-iw-attempts"]) == ("gpt-5.1", "manager", "1")
    assert called.record.outcome.first_byte_us is not None
    assert called.record.outcome.chunks_delivered == called.record.attempts[0].chunks


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_obfuscation": False}])
def test_usage_not_asked_for__is_recorded_and_not_sent(live: Live, options: Any) -> None:
    more = {} if options is None else {"stream_options": options}
    called = live.stream(MODEL, **more)
    assert all(chunk.choices for chunk in called.answer)
    assert all(chunk.usage is None for chunk in called.answer)
    assert all(isinstance(tokens, int) and tokens > 0 for tokens in called.record.usage)
    padded = [getattr(chunk, "obfuscation", None) for chunk in called.answer]
    assert any(padded) is not (options == {"include_obfuscation": False})


def test_usage_asked_for__comes_last_with_empty_choices(live: Live) -> None:
    called = live.stream(MODEL, stream_options={"include_usage": True})
    *before, last = called.answer
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == called.record.usage
    assert all(chunk.choices and chunk.usage is None for chunk in before)


def test_several_choices__all_come_and_all_must_finish(live: Live) -> None:
    called = live.stream(MODEL, n=3)
    buffered = live.chat(MODEL, n=3).answer
    assert [text_of(called.answer, n) for n in range(3)] == [choice.message.content for choice in buffered.choices]
    finished = [each.index for chunk in called.answer for each in chunk.choices if each.finish_reason]
    assert finished == [0, 1, 2]
    assert called.record.served() == ("ok", MODEL, 200)


def test_tool_calls__stream_as_they_are_buffered(live: Live) -> None:
    text = "Please call look_up now"
    streamed = live.stream(MODEL, text, tools=[TOOL])
    [wanted] = live.chat(MODEL, text, tools=[TOOL]).answer.choices[0].message.tool_calls
    parts = [call for chunk in streamed.answer for each in chunk.choices for call in each.delta.tool_calls or ()]
    assert parts[0].function.name == wanted.function.name == "look_up"
    assert "".join(part.function.arguments or "" for part in parts) == wanted.function.arguments
    assert streamed.record.outcome.finish_reason == "tool_calls"


@pytest.mark.parametrize("asked", [False, True], ids=["usage not asked for", "usage asked for"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_bytes_of_the_provider__reach_the_caller_unchanged(live: Live, size: int, asked: bool) -> None:
    script = b"".join(SCRIPT).decode()
    fault = {"raw_body": script + DONE.decode(), "content_type": "text/event-stream", "split_bytes": size}
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": fault}])
    got = live.post(CHAT, hello(MODEL, stream=True, **({"stream_options": {"include_usage": True}} if asked else {})))
    kept = [frame for frame in SCRIPT if asked or frame != USAGE_CHUNK]
    assert got.body == b"".join(kept) + DONE
    record = live.the_record()
    assert record.served() == ("ok", MODEL, 200)
    assert (record.usage, record.outcome.cached_tokens) == ((7, 5), 3)
    assert record.outcome.finish_reason == "tool_calls"
    assert record.outcome.bytes_delivered == len(b"".join(kept))
    assert record.attempts[0].bytes_received == len(b"".join(SCRIPT) + DONE)


@pytest.mark.parametrize(
    ("fault", "tokens", "state"),
    [
        ({"usage_place": "twice"}, True, "exact"),
        ({"usage_place": "with_choice"}, True, "exact"),
        ({"drop_usage": True}, False, "unpriced"),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": "five"}}, False, "unpriced"),
        ({"usage": {"prompt_tokens": 10**40, "completion_tokens": 1}}, False, "unpriced"),
    ],
)
def test_strange_usage__never_harms_the_answer_and_never_costs_zero(
    live: Live, fault: Any, tokens: bool, state: str
) -> None:
    wanted = text_of(live.stream(MODEL).answer)
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": fault}])
    got = live.post(CHAT, hello(MODEL, stream=True), x_iw_run_id=f"{live.run}-2")
    assert events(got.body)[-1] == "[DONE]"
    called = live.stream(MODEL)
    assert text_of(called.answer) == wanted
    outcome = called.record.outcome
    assert (outcome.prompt_tokens is not None, outcome.cost_state) == (tokens, state)
    assert (outcome.cost_pico is not None) is tokens
    json.loads(outcome.usage)


@pytest.mark.parametrize("value", [None, "", "x" * 10_000, "chatcmpl-same", 7])
def test_strange_id_of_the_provider__passes_and_is_not_ours(live: Live, value: Any) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"response_id": value}}])
    for _ in range(2):
        got = live.post(CHAT, hello(MODEL, stream=True))
        assert {event["id"] for event in events(got.body)[:-1]} == {value}
    assert [record.outcome.result for record in live.records()] == ["ok", "ok"]


def test_options_of_the_caller__are_sent_with_ours(live: Live) -> None:
    body = hello(RECORDED, stream=True, stream_options={"include_obfuscation": False})
    live.post(CHAT, body)
    assert live.world.recorder.last.json["stream_options"] == {"include_obfuscation": False, "include_usage": True}
