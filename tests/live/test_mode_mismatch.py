"""JSON where a stream was asked for, and a stream where JSON was: adapted and told, or the next rung (faults U20)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iwrouting.models import Model
from tests.live.databases import ALIAS
from tests.live.live import Live, text_of
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"
MODEL, SECOND, RESPONSES_ONLY = "gpt-4.1-mini", "gpt-4.1", "gpt-5.1-codex"
TEXT = "Write 12 words about rivers"


def given(body: str, content_type: str) -> dict[str, Any]:
    return {"raw_body": body, "content_type": content_type}


@pytest.mark.parametrize("model", [MODEL, RESPONSES_ONLY])
@pytest.mark.parametrize("asked", [True, False])
def test_json_for_a_stream__is_told_as_a_stream(live: Live, model: str, asked: bool) -> None:
    whole = live.chat(model, TEXT).answer
    body = provider_body(live, model, stream=False)
    live.sandbox.plan([{"match": {"model": model}, "fault": given(body, "application/json")}])
    called = live.stream(model, TEXT, stream_options={"include_usage": asked})
    assert text_of(called.answer) == whole.choices[0].message.content
    assert [each.finish_reason for chunk in called.answer for each in chunk.choices][-1] == "stop"
    assert any(chunk.usage for chunk in called.answer) is asked
    assert "adapted json to stream" in called.headers["x-iw-changes"]
    record = called.record
    assert record.served() == ("ok", model, 200)
    assert record.usage == (whole.usage.prompt_tokens, whole.usage.completion_tokens)
    assert "adapted json to stream" in json.loads(record.attempts[0].changes)


@pytest.mark.parametrize("model", [MODEL, RESPONSES_ONLY])
def test_stream_for_json__is_told_as_json(live: Live, model: str) -> None:
    whole = live.chat(model, TEXT).answer
    body = provider_body(live, model, stream=True)
    live.sandbox.plan([{"match": {"model": model}, "fault": given(body, "text/event-stream")}])
    called = live.chat(model, TEXT)
    assert called.answer.choices[0].message.content == whole.choices[0].message.content
    assert called.answer.choices[0].finish_reason == "stop"
    assert "adapted stream to json" in called.headers["x-iw-changes"]
    assert called.record.served() == ("ok", model, 200)
    assert called.record.usage == (whole.usage.prompt_tokens, whole.usage.completion_tokens)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('data: {"choices": [{"index": 0, "delta": {"content": "half"}}]}\n\n', "truncated"),
        (
            'data: {"choices": [{"index": 0, "delta": {"tool_calls": [{}]}, "finish_reason": "stop"}]}\n\n',
            "mode_mismatch",
        ),
        ("data: nonsense\n\n", "mode_mismatch"),
    ],
)
def test_stream_that_is_no_answer__goes_to_the_next_rung(live: Live, body: str, code: str) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": given(body, "text/event-stream")}])
    called = live.chat("fast", client=live.client(live.tenant({"fast": MODEL, "auto": SECOND})))
    assert [a.error_code for a in called.record.attempts] == [code, ""]
    assert called.record.served() == ("ok_after_fallback", SECOND, 200)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ("<html>busy</html>", "text/html", "bad_body"),
        ("", "application/json", "bad_body"),
        ("", "text/plain", "bad_body"),
        ("[]", "application/json", "bad_body"),
        ('{"object": "list", "data": []}', "application/json", "bad_body"),
        ('{"error": {"code": "busy", "message": "x"}}', "application/json", "busy"),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
def test_what_is_no_answer_at_all__goes_to_the_next_rung(
    live: Live, body: str, content_type: str, code: str, streamed: bool
) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": given(body, content_type)}])
    client = live.client(live.tenant({"fast": MODEL, "auto": SECOND}))
    called = live.stream("fast", client=client) if streamed else live.chat("fast", client=client)
    assert [a.error_code for a in called.record.attempts] == [code, ""]
    assert called.record.served() == ("ok_after_fallback", SECOND, 200)


def provider_body(live: Live, model: str, *, stream: bool) -> str:
    """What the sandbox itself answers to the text, in its own words."""
    message = [{"role": "user", "content": TEXT}]
    key = {"authorization": "Bearer sk-sandbox"}
    if model == RESPONSES_ONLY:
        asked: dict[str, Any] = {"model": model, "input": message, "stream": stream}
        return ask(live, "/responses", asked, key)
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    return ask(live, "/chat/completions", hello(model, messages=message, **options), key)


def ask(live: Live, path: str, body: object, headers: dict[str, str]) -> str:
    got = raw.post(live.sandbox.base_url, f"/v1{path}", body, 10, **headers)
    assert got.status == 200
    return got.body.decode()


@pytest.mark.parametrize("fault", [None, {"mode": "json"}])
def test_stream_of_a_model_that_takes_no_n__is_whole_with_its_one_choice(live: Live, fault: Any) -> None:
    upstream = Model.objects.using(ALIAS).get(model_id=MODEL).upstream
    row = Model(model_id=f"ft:{MODEL}:{live.run}", endpoints=["chat"], upstream=upstream, refused_params=["n"])
    row.save(using=ALIAS)
    live.settle()
    live.sandbox.plan([{"fault": fault}] if fault else [])
    called = live.stream(row.model_id, TEXT, n=2)
    assert called.headers["x-iw-changes"].startswith("dropped n")
    assert called.record.served() == ("ok", row.model_id, 200)
