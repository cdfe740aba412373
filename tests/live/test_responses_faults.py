"""What goes wrong at `/v1/responses`: errors in a 200, cut streams, falling from one API to the other, strictness."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIError, BadRequestError, OpenAI
from openai.types.responses import ResponseErrorEvent

from iwrouting.models import HeldResponse, Project
from tests.live.databases import ALIAS
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.live.reading import created, events_of, streamed, text_of
from tests.live.test_disconnects import at_the_provider, calling
from tests.live.world import CHAT_ONLY

NATIVE, CODEX, SECOND = "gpt-4.1-mini", "gpt-5.1-codex", "gpt-4.1"
PATH = "/v1/responses"
SLOW = {"code": "rate_limit_exceeded", "message": "Slow down (sandbox)."}
TOLD = "translated responses to chat"


def manager(live: Live, model: str) -> OpenAI:
    """A client whose `manager` is served by a model, then by gpt-4.1."""
    return live.client(live.tenant({"manager": model}))


def error_after(count: int, form: str) -> dict[str, Any]:
    return {"error_event_after_events": {"events": count, "error": SLOW, "form": form}}


INSIDE: dict[str, tuple[str, Any, str]] = {
    "failed": (NATIVE, {"failed": SLOW}, "rate_limit_exceeded"),
    "html": (NATIVE, "html", "bad_body"),
    "cut": (NATIVE, {"cut_after_bytes": 40}, "body_cut"),
    "queued": (NATIVE, {"raw_body": '{"object": "response", "status": "queued", "output": []}'}, "not_finished"),
    "no response": (NATIVE, {"raw_body": '{"object": "chat.completion", "choices": []}'}, "bad_body"),
    "chat error": (CHAT_ONLY, {"raw_body": '{"error": {"message": "Busy", "code": "server_error"}}'}, "server_error"),
    "chat without choices": (CHAT_ONLY, {"raw_body": '{"object": "chat.completion", "choices": []}'}, "bad_body"),
}


@pytest.mark.parametrize("name", INSIDE)
def test_failure_inside_a_200__goes_to_the_next_rung(live: Live, name: str) -> None:
    model, fault, code = INSIDE[name]
    live.sandbox.plan([{"match": {"model": model}, "fault": fault}])
    called = created(live, "manager", client=manager(live, model))
    record = called.record
    assert (record.tried[0][4], record.tried[0][6]) == (model, code)
    assert record.served() == ("ok_after_fallback", SECOND, 200)
    assert called.answer.output_text.startswith(f"sandbox: {SECOND} heard")
    live.agrees(record)


FIRST_WORD = 5
"""Events up to the first delta: created, in progress, message added, part added."""

BEFORE_OUTPUT: dict[str, tuple[str, Any, str]] = {
    "plain error": (NATIVE, error_after(1, "plain"), "rate_limit_exceeded"),
    "nested error": (NATIVE, error_after(1, "nested"), "rate_limit_exceeded"),
    "failed": (NATIVE, error_after(2, "failed"), "rate_limit_exceeded"),
    "message opened": (NATIVE, error_after(FIRST_WORD - 1, "nested"), "rate_limit_exceeded"),
    "cut": (NATIVE, {"cut_after_events": 3}, "body_cut"),
    "end without terminal": (NATIVE, {"cut_after_events": 4, "clean_end": True}, "truncated"),
    "reasoning alone": (CODEX, {"cut_after_events": 4, "clean_end": True}, "truncated"),
    "malformed": (NATIVE, {"malformed_after_events": 2}, "bad_event"),
    "chat error": (CHAT_ONLY, {"error_event_after_events": {"events": 1, "error": SLOW}}, "rate_limit_exceeded"),
    "chat cut": (CHAT_ONLY, {"cut_after_events": 1}, "body_cut"),
    "chat malformed": (CHAT_ONLY, {"malformed_after_events": 1}, "bad_event"),
}
AFTER_OUTPUT: dict[str, tuple[str, Any, str]] = {
    "plain error": (NATIVE, error_after(FIRST_WORD + 2, "plain"), "rate_limit_exceeded"),
    "nested error": (NATIVE, error_after(FIRST_WORD + 2, "nested"), "rate_limit_exceeded"),
    "failed": (NATIVE, error_after(FIRST_WORD + 2, "failed"), "rate_limit_exceeded"),
    "end without terminal": (NATIVE, {"cut_after_events": FIRST_WORD + 2, "clean_end": True}, "stream_truncated"),
    "cut": (NATIVE, {"cut_after_events": FIRST_WORD + 2}, "stream_body_cut"),
    "malformed": (NATIVE, {"malformed_after_events": FIRST_WORD + 2}, "stream_bad_event"),
    "chat error": (CHAT_ONLY, {"error_event_after_events": {"events": 4, "error": SLOW}}, "rate_limit_exceeded"),
    "chat end without reason": (CHAT_ONLY, {"cut_after_events": 4, "clean_end": True}, "stream_truncated"),
    "chat cut": (CHAT_ONLY, {"cut_after_events": 4}, "stream_body_cut"),
    "chat malformed": (CHAT_ONLY, {"malformed_after_events": 4}, "stream_bad_event"),
}


@pytest.mark.parametrize("name", BEFORE_OUTPUT)
def test_stream_that_fails_before_output__goes_to_the_next_rung(live: Live, name: str) -> None:
    model, fault, code = BEFORE_OUTPUT[name]
    live.sandbox.plan([{"match": {"model": model}, "fault": fault}])
    called = streamed(live, "manager", client=manager(live, model))
    assert text_of(called.answer).startswith(f"sandbox: {SECOND} heard")
    assert [event.sequence_number for event in called.answer] == list(range(len(called.answer)))
    assert called.record.tried[0][6] == code
    assert called.record.served() == ("ok_after_fallback", SECOND, 200)


@pytest.mark.parametrize("name", AFTER_OUTPUT)
def test_stream_that_fails_after_output__is_an_error_and_no_end(live: Live, name: str) -> None:
    model, fault, code = AFTER_OUTPUT[name]
    live.sandbox.plan([{"match": {"model": model}, "fault": fault}])
    got = events_of(live.post(PATH, {"model": model, "input": "Say hello", "stream": True}).body)
    assert (got[-1]["type"], got[-1]["code"], got[-1]["error"]["code"]) == ("error", code, code)
    ResponseErrorEvent.model_validate(got[-1], strict=True)
    assert [event["sequence_number"] for event in got] == list(range(len(got)))
    assert not any(event["type"] in ("response.completed", "response.failed") for event in got)
    record = live.the_record()
    assert (record.served(), record.outcome.error_code) == (("truncated", model, 200), code)
    with pytest.raises(APIError) as caught:
        streamed(live, model)
    assert caught.value.code == code


@pytest.mark.parametrize("form", ["buffered", "streamed"])
@pytest.mark.parametrize("model", [NATIVE, CHAT_ONLY])
def test_falling__goes_between_both_apis(live: Live, model: str, form: str) -> None:
    other = CHAT_ONLY if model == NATIVE else NATIVE
    tenant = live.tenant({"manager": model, "auto": other})
    live.sandbox.plan([{"match": {"model": model}, "fault": "model_gone"}])
    called = (streamed if form == "streamed" else created)(live, "manager", client=live.client(tenant))
    assert [attempt.endpoint for attempt in called.record.attempts] == (
        ["responses", "chat"] if model == NATIVE else ["chat", "responses"]
    )
    assert called.record.served() == ("ok_after_fallback", other, 200)
    assert called.headers.get("x-iw-changes") == (TOLD if other == CHAT_ONLY else None)


def test_what_one_rung_can_not_be_told__goes_to_one_that_can(live: Live) -> None:
    called = created(live, "manager", client=manager(live, CHAT_ONLY), tools=[{"type": "web_search"}])
    assert called.record.tried == [(1, "skip", 0, 0, CHAT_ONLY, None, "capability"), (2, "call", 1, 1, SECOND, 200, "")]
    assert called.record.attempts[0].error_param == "tools[0].type"


def test_falling_from_research_to_a_chat_model__says_so(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": "o3-deep-research"}, "fault": "model_gone"}])
    called = created(live, "research_deep", tools=[{"type": "web_search_preview"}])
    assert called.record.served() == ("ok_after_fallback", SECOND, 200)
    wanted = f"fallback_changes_kind: o3-deep-research did not serve, {SECOND} answers without research"
    assert wanted in called.headers["x-iw-warning"].split("; ")


@pytest.mark.parametrize("policy", [True, False])
def test_refusal_by_policy_inside_a_200__stops(live: Live, policy: bool) -> None:
    code = "bio_policy" if policy else "insufficient_quota"
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"failed": {"code": code, "message": "No."}}}])
    for call in (created, streamed):
        with pytest.raises(APIError) as caught:
            call(live, "manager", client=manager(live, NATIVE))
        assert caught.value.code == code
    assert {line["model"] for line in live.sent()} == {NATIVE}


@pytest.mark.parametrize("model", [NATIVE, CHAT_ONLY])
def test_json_given_for_a_stream__is_told_in_events(live: Live, model: str) -> None:
    whole = live.post(PATH, {"model": model, "input": "call add", "tools": [TOOL]}).body
    bare = live.post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "hi"}]}).body
    raw = {"raw_body": (bare if model == CHAT_ONLY else whole).decode(), "content_type": "application/json"}
    live.sandbox.plan([{"match": {"model": model}, "fault": raw}])
    called = streamed(live, model)
    ended = called.answer[-1].response
    assert (called.answer[0].type, called.answer[-1].type) == ("response.created", "response.completed")
    assert [event.sequence_number for event in called.answer] == list(range(len(called.answer)))
    assert [event.item for event in called.answer if event.type == "response.output_item.done"] == ended.output
    assert "adapted json to stream" in json.loads(called.record.calls[0].changes)
    assert called.record.served() == ("ok", model, 200)
    assert called.record.usage == (ended.usage.input_tokens, ended.usage.output_tokens)


TOOL = {"type": "function", "name": "add", "strict": False, "parameters": {"type": "object", "properties": {}}}


def test_keepalives_and_events_nobody_knows__pass_through(live: Live) -> None:
    beats = [
        {"after_events": 0, "raw": ": hello\n\n"},
        {"after_events": 2, "raw": 'event: keepalive\ndata: {"type":"keepalive","sequence_number":2}\n\n'},
        {"after_events": 3, "raw": 'event: response.new\ndata: {"type":"response.new","sequence_number":3}\n\n'},
    ]
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"inject": beats}}])
    called = streamed(live, NATIVE)
    assert [event.type for event in called.answer if "response.o" not in event.type][:4] == [
        "response.created", "response.in_progress", "keepalive", "response.new",
    ]  # fmt: skip
    assert called.record.served() == ("ok", NATIVE, 200)


@pytest.mark.parametrize("model", [NATIVE, CHAT_ONLY])
def test_usage_that_is_not_reported__is_not_priced(live: Live, model: str) -> None:
    live.sandbox.plan([{"match": {"model": model}, "fault": "no_usage"}])
    for called in (created(live, model), streamed(live, model)):
        assert (called.record.usage, called.record.outcome.cost_state) == ((None, None), "unpriced")


@pytest.mark.parametrize(
    ("ask", "param"),
    [
        (lambda live, client: created(live, CHAT_ONLY, client=client, truncation="auto"), "truncation"),
        (lambda live, client: live.chat(CODEX, client=client, seed=1), "seed"),
    ],
    ids=["responses to chat", "chat to responses"],
)
def test_strict_project__refuses_what_a_translation_would_drop(live: Live, ask: Any, param: str) -> None:
    tenant = live.tenant()
    assert ask(live, live.client(tenant)).record.outcome.result == "ok"
    row = Project.objects.using(ALIAS).get(slug=tenant.slug)
    row.strict_parameters = True
    row.save(using=ALIAS)
    live.settle()
    sent = len(live.sent())
    with pytest.raises(BadRequestError) as caught:
        ask(live, live.client(tenant))
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")
    assert len(live.sent()) == sent


def test_leaving_a_call_in_the_background__does_not_end_it(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"delay_ms": 400}}])
    with calling(live, PATH, {"model": NATIVE, "input": "Say hello", "background": True}):
        at_the_provider(live)
    record = live.the_record()
    assert record.served() == ("ok", NATIVE, 200)
    [held] = HeldResponse.objects.using(ALIAS).filter(decision_id=record.decision.id)
    done = eventually(lambda: live.client().responses.retrieve(held.response_id).status == "completed", "the end")
    assert done


def test_leaving_a_stream__closes_it_at_the_provider(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": NATIVE}, "fault": {"stall_after_events": 8}}])
    with live.client().responses.create(model=NATIVE, input="Say hello", stream=True) as opened:
        assert next(iter(opened)).type == "response.created"
    eventually(lambda: live.sandbox.state()["open_requests"] == 1, "the close at the provider", 1.0)
    record = live.the_record()
    assert (record.outcome.result, record.outcome.cost_state) == ("client_closed", "estimated")


def test_look_that_shows_zeros_while_a_response_is_under_way__is_not_taken_for_its_usage(live: Live) -> None:
    made = created(live, SECOND, background=True)
    early = {"id": made.answer.id, "status": "in_progress", "usage": {"input_tokens": 0, "output_tokens": 0}}
    live.sandbox.plan([{"match": {"action": "get"}, "fault": {"status": 200, "body": early}, "times": 1}])
    path = f"{PATH}/{made.answer.id}"
    assert live.get(path).json == early
    told = eventually(lambda: live.get(path).json.get("usage"), "the end")
    [usage] = [each for each in live.records() if each.decision.endpoint == "responses.usage"]
    assert usage.usage == (told["input_tokens"], told["output_tokens"]) != (0, 0)
