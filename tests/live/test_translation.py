"""A Responses-only model serves chat callers: whole and in pieces, with tools, failing in every way, recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIError, BadRequestError

from tests.live.live import Live, events, text_of
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"
CODEX, RESEARCH, SECOND = "gpt-5.1-codex", "o3-deep-research", "gpt-4.1"
TOLD = "translated chat to responses"
AUDIO = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]
TOOL = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": TOOL}} for name in ("add", "sub")]


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("name", ["code", CODEX])
def test_responses_only_model__serves_chat(live: Live, name: str, streamed: bool) -> None:
    called = live.stream(name) if streamed else live.chat(name)
    text = text_of(called.answer) if streamed else called.answer.choices[0].message.content
    assert text == f"sandbox: {CODEX} heard 2 words: Say hello"
    record, headers = called.record, called.headers
    assert record.tried == [(1, "call", 0, 1, CODEX, 200, "")]
    assert record.served() == ("ok", CODEX, 200)
    assert (record.decision.endpoint, record.calls[0].endpoint, record.outcome.endpoint_served) == (
        "chat",
        "responses",
        "responses",
    )
    assert json.loads(record.calls[0].changes) == [TOLD]
    assert (headers["x-iw-model"], headers["x-iw-fallback"], headers["x-iw-changes"]) == (CODEX, "0", TOLD)
    assert headers["x-iw-response-id"].startswith("resp_sandbox")
    [line] = live.sent()
    assert (line["path"], line["stream"]) == ("/v1/responses", streamed)
    assert record.usage == (line["usage"]["input_tokens"], line["usage"]["output_tokens"])
    assert record.outcome.reasoning_tokens == line["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    assert (record.outcome.cost_state, record.outcome.finish_reason) == ("exact", "stop")
    live.agrees(record)


def test_answers_id__names_the_decision(live: Live) -> None:
    called = live.chat(CODEX)
    assert called.answer.id == f"chatcmpl-{called.headers['x-iw-decision-id']}"
    chunks = live.stream(CODEX)
    assert {chunk.id for chunk in chunks.answer} == {f"chatcmpl-{chunks.headers['x-iw-decision-id']}"}


def test_stream__ends_with_usage_if_asked_and_its_marker(live: Live) -> None:
    asked = hello(CODEX, stream=True, stream_options={"include_usage": True})
    *chunks, usage, done = events(live.post(CHAT, asked).body)
    assert done == "[DONE]"
    assert (usage["choices"], chunks[-1]["choices"][0]["finish_reason"]) == ([], "stop")
    record = live.the_record()
    assert record.usage == (usage["usage"]["prompt_tokens"], usage["usage"]["completion_tokens"])
    *plain, done = events(live.post(CHAT, hello(CODEX, stream=True)).body)
    assert all("usage" not in chunk for chunk in plain)


def test_what_the_backend_sends_to_every_model__is_adapted_and_told(live: Live) -> None:
    called = live.chat("code", temperature=0.4, stop=["x"], max_tokens=5)
    changes = [TOLD, "dropped temperature", "clamped max_tokens to 16", "dropped stop"]
    assert json.loads(called.record.calls[0].changes) == changes
    assert called.headers["x-iw-changes"] == "; ".join(changes)
    assert called.answer.choices[0].finish_reason == called.record.outcome.finish_reason == "length"


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_tools__are_called_and_answered(live: Live, streamed: bool) -> None:
    asked: list[Any] = [{"role": "user", "content": "call add and call sub"}]
    if streamed:
        chunks = live.stream("code", messages=asked, tools=TOOLS).answer
        parts = [part for chunk in chunks for choice in chunk.choices for part in choice.delta.tool_calls or ()]
        calls = [{"id": p.id, "name": p.function.name} for p in parts if p.id]
        said = ["".join(p.function.arguments for p in parts if p.index == index) for index in range(len(calls))]
    else:
        made = live.chat("code", messages=asked, tools=TOOLS).answer.choices[0]
        assert made.finish_reason == "tool_calls"
        calls = [{"id": call.id, "name": call.function.name} for call in made.message.tool_calls]
        said = [call.function.arguments for call in made.message.tool_calls]
    assert ([call["name"] for call in calls], said) == (["add", "sub"], ['{"a":1}'] * 2)
    assert all(call["id"].startswith("call_") for call in calls)
    back = [{"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": "{}"}} for c in calls]
    asked.append({"role": "assistant", "content": None, "tool_calls": back})
    asked += [{"role": "tool", "tool_call_id": call["id"], "content": "3"} for call in calls]
    answer = live.chat("code", messages=asked, tools=TOOLS)
    assert answer.record.served() == ("ok", CODEX, 200)
    assert answer.answer.choices[0].message.content.startswith(f"sandbox: {CODEX} heard")


def test_long_conversation__is_translated_too(live: Live) -> None:
    turns = [{"role": role, "content": "Hi"} for _ in range(300) for role in ("user", "assistant")]
    called = live.chat("code", messages=[*turns, {"role": "user", "content": "Say hello"}])
    assert called.record.served() == ("ok", CODEX, 200)


def test_research__searches_and_its_fees_are_not_priced_as_tokens(live: Live) -> None:
    called = live.chat("research_deep", tools=TOOLS, temperature=0.4)
    record = called.record
    assert record.served() == ("ok", RESEARCH, 200)
    assert called.headers["x-iw-changes"] == "; ".join(
        [TOLD, "dropped temperature", "dropped function tools", "added web_search_preview"]
    )
    assert json.loads(record.outcome.usage)["hosted_calls"] == 1
    assert (record.outcome.cost_state, record.outcome.cost_pico) == ("unpriced", None)
    assert "fallback_changes_kind" not in called.headers["x-iw-warning"]


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_falling_from_research_to_a_chat_model__says_so(live: Live, streamed: bool) -> None:
    live.sandbox.plan([{"match": {"model": RESEARCH}, "fault": "model_gone"}])
    called = live.stream("research_deep") if streamed else live.chat("research_deep")
    assert called.record.served() == ("ok_after_fallback", SECOND, 200)
    warnings = called.headers["x-iw-warning"].split("; ")
    assert f"fallback_changes_kind: {RESEARCH} did not serve, {SECOND} answers without research" in warnings
    assert "x-iw-changes" not in called.headers


def test_falling_from_a_chat_kind_of_model__changes_no_kind(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": "model_gone"}])
    called = live.chat("code")
    assert called.record.tried == [
        (1, "call", 0, 1, CODEX, 404, "model_not_found"),
        (2, "call", 1, 1, SECOND, 200, ""),
    ]
    assert [attempt.endpoint for attempt in called.record.attempts] == ["responses", "chat"]
    assert "fallback_changes_kind" not in called.headers["x-iw-warning"]
    assert called.record.outcome.endpoint_served == "chat"


SLOW = {"code": "rate_limit_exceeded", "message": "Slow down (sandbox)."}
INSIDE: dict[str, tuple[Any, str]] = {
    "failed": ({"failed": {"code": "overslept", "message": "No (sandbox)."}}, "overslept"),
    "html": ("html", "bad_body"),
    "cut": ({"cut_after_bytes": 40}, "body_cut"),
    "queued": ({"raw_body": '{"object": "response", "status": "queued", "output": []}'}, "not_finished"),
    "no response": ({"raw_body": '{"object": "chat.completion", "choices": []}'}, "bad_body"),
    "error": ({"raw_body": '{"error": {"message": "Busy", "code": "overslept"}}'}, "overslept"),
}
PASSING: dict[str, tuple[Any, str]] = {
    "failed": ({"failed": SLOW}, "rate_limit_exceeded"),
    "error": ({"raw_body": '{"error": {"message": "Busy", "code": "server_error"}}'}, "server_error"),
}


@pytest.mark.parametrize("name", INSIDE)
def test_failure_inside_a_200__goes_to_the_next_rung(live: Live, name: str) -> None:
    fault, code = INSIDE[name]
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": fault}])
    called = live.chat("code")
    assert called.record.tried == [(1, "call", 0, 1, CODEX, 200, code), (2, "call", 1, 1, SECOND, 200, "")]
    live.agrees(called.record)


@pytest.mark.parametrize("name", PASSING)
def test_passing_failure_inside_a_200__is_repeated_once_as_with_its_own_status(live: Live, name: str) -> None:
    fault, code = PASSING[name]
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": fault}])
    called = live.chat("code")
    assert called.record.tried == [
        (1, "call", 0, 1, CODEX, 200, code),
        (2, "call", 0, 2, CODEX, 200, code),
        (3, "call", 1, 1, SECOND, 200, ""),
    ]
    live.agrees(called.record)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_refusal_by_policy_inside_a_200__stops(live: Live, streamed: bool) -> None:
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": {"failed": {"code": "bio_policy", "message": "No."}}}])
    with pytest.raises(BadRequestError) as caught:
        live.stream("code") if streamed else live.chat("code")
    assert caught.value.code == "bio_policy"
    assert [attempt.model for attempt in live.the_record().attempts] == [CODEX]


def error_after(count: int, form: str) -> dict[str, Any]:
    return {"error_event_after_events": {"events": count, "error": SLOW, "form": form}}


BEFORE_OUTPUT: dict[str, tuple[Any, str]] = {
    "plain error": (error_after(1, "plain"), "rate_limit_exceeded"),
    "nested error": (error_after(1, "nested"), "rate_limit_exceeded"),
    "failed": (error_after(2, "failed"), "rate_limit_exceeded"),
    "failed at the end": ({"failed": SLOW}, "rate_limit_exceeded"),
    "reasoning alone": ({"cut_after_events": 4, "clean_end": True}, "truncated"),
    "cut": ({"cut_after_events": 4}, "body_cut"),
    "malformed": ({"malformed_after_events": 3}, "bad_event"),
    "json": ({"raw_body": "{}", "content_type": "application/json"}, "bad_body"),
}
FIRST_WORD = 7
"""Events up to the first delta: created, in progress, reasoning added and done, message added, part added."""

AFTER_OUTPUT: dict[str, tuple[Any, str]] = {
    "plain error": (error_after(FIRST_WORD + 2, "plain"), "rate_limit_exceeded"),
    "nested error": (error_after(FIRST_WORD + 2, "nested"), "rate_limit_exceeded"),
    "failed": (error_after(FIRST_WORD + 2, "failed"), "rate_limit_exceeded"),
    "end without terminal": ({"cut_after_events": FIRST_WORD + 2, "clean_end": True}, "stream_truncated"),
    "cut": ({"cut_after_events": FIRST_WORD + 2}, "stream_body_cut"),
    "malformed": ({"malformed_after_events": FIRST_WORD + 2}, "stream_bad_event"),
}


@pytest.mark.parametrize("name", BEFORE_OUTPUT)
def test_stream_that_fails_before_output__goes_to_the_next_rung(live: Live, name: str) -> None:
    fault, code = BEFORE_OUTPUT[name]
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": fault}])
    called = live.stream("code")
    assert text_of(called.answer).startswith(f"sandbox: {SECOND} heard")
    first, last = called.record.tried[0], called.record.tried[-1]
    assert first == (1, "call", 0, 1, CODEX, 200, code)
    assert last[4:] == (SECOND, 200, "")


@pytest.mark.parametrize("name", AFTER_OUTPUT)
def test_stream_that_fails_after_output__is_an_error_and_no_end(live: Live, name: str) -> None:
    fault, code = AFTER_OUTPUT[name]
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": fault}])
    got = events(live.post(CHAT, hello("code", stream=True)).body)
    assert got[-1]["error"]["code"] == code
    assert "[DONE]" not in got
    assert all(choice["finish_reason"] is None for chunk in got[:-1] for choice in chunk["choices"])
    record = live.the_record()
    assert (record.served(), record.outcome.error_code) == (("truncated", CODEX, 200), code)
    with pytest.raises(APIError):
        live.stream("code")


def test_keepalives__do_no_harm(live: Live) -> None:
    beats = [{"after_events": at, "raw": 'event: keepalive\ndata: {"type":"keepalive"}\n\n'} for at in (0, 3, 8)]
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": {"inject": beats}}])
    assert text_of(live.stream("code").answer) == f"sandbox: {CODEX} heard 2 words: Say hello"


def test_bytes_in_small_pieces__make_the_same_stream(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": {"split_bytes": 17}}])
    assert text_of(live.stream("code").answer) == f"sandbox: {CODEX} heard 2 words: Say hello"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_incomplete_answer__says_why_and_keeps_its_usage(live: Live, reason: str) -> None:
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": {"finish": reason}}])
    for called in (live.chat("code"), live.stream("code")):
        assert called.record.outcome.finish_reason == reason
        assert (called.record.outcome.completion_tokens or 0) > 0
        assert called.record.served() == ("ok", CODEX, 200)


def test_usage_that_is_not_reported__is_not_priced(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": "no_usage"}])
    for called in (live.chat("code"), live.stream("code")):
        assert (called.record.usage, called.record.outcome.cost_state) == ((None, None), "unpriced")


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_what_can_not_be_translated__is_a_400_that_names_the_field(live: Live, streamed: bool) -> None:
    with pytest.raises(BadRequestError) as caught:
        live.stream(CODEX, messages=AUDIO) if streamed else live.chat(CODEX, messages=AUDIO)
    assert caught.value.param == "messages[0].content[0].input_audio"
    assert caught.value.message.count("messages[0].content[0].input_audio") >= 1
    record = live.the_record()
    assert record.tried == [(1, "skip", 0, 0, CODEX, None, "capability")]
    assert record.attempts[0].error_param == "messages[0].content[0].input_audio"
    assert (record.served(), record.outcome.cost_state) == (("error", "", 400), "none")
    assert live.sent() == []


def test_what_one_rung_can_not_be_told__goes_to_one_that_can(live: Live) -> None:
    called = live.chat("code", messages=AUDIO)
    assert called.record.tried == [
        (1, "skip", 0, 0, CODEX, None, "capability"),
        (2, "call", 1, 1, SECOND, 200, ""),
    ]
    assert called.headers["x-iw-fallback"] == "1"


def test_provider_that_refuses_a_translated_field__blames_the_callers_own(live: Live) -> None:
    with pytest.raises(BadRequestError) as caught:
        live.chat("code", messages=[{"role": "tool", "tool_call_id": "call_no", "content": "3"}])
    assert caught.value.param == "messages"
    assert live.the_record().outcome.error_param == "messages"


def test_resolve__shows_a_rung_that_serves(live: Live) -> None:
    assert [rung["skip"] for rung in live.resolve("code")["chain"]] == [None, None, None]
