"""What reaches the provider: the caller's request but for the model and its rules, and headers of our own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.live import Live
from tests.live.world import RECORDED, RECORDED_EFFORT, RECORDED_REASONING
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
ODD: dict[str, Any] = {
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"$schema": "x", "type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "metadata": {"ключ": "значение \u2028 😀"},
    "stop": ["\n", "END"],
    "seed": 9_007_199_254_740_993,
    "user": "someone",
    "no_such_field": [None, True, 1.5, {"deep": [[[]]]}],
    "store": False,
}
SAMPLING: dict[str, Any] = {
    "temperature": 0.4,
    "top_p": 0.9,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "logit_bias": {"5": 1},
    "logprobs": True,
    "top_logprobs": 2,
}


def received(live: Live, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """What the provider got for a body, after the call went well."""
    got = live.post(CHAT, body, None, **headers)
    assert got.status == 200, got.body
    return live.world.recorder.last.json


def test_request__is_the_callers_but_for_the_model(live: Live) -> None:
    body = hello(RECORDED, **ODD, **SAMPLING, max_tokens=50)
    assert received(live, body) == body
    record = live.the_record()
    assert (record.attempts[0].changes, record.attempts[0].bytes_sent) == ("[]", len(live.world.recorder.last.body))


def test_alias__is_replaced_by_the_model(live: Live) -> None:
    tenant = live.tenant({"manager": RECORDED})
    got = live.post(CHAT, hello("manager", **ODD), tenant)
    assert got.status == 200
    assert live.world.recorder.last.json == hello(RECORDED, **ODD)


@pytest.mark.parametrize("field", sorted(SAMPLING))
def test_sampling__is_dropped_where_the_model_refuses_it_and_said(live: Live, field: str) -> None:
    sent = received(live, hello(RECORDED_REASONING, **{field: SAMPLING[field]}))
    assert sent == hello(RECORDED_REASONING)
    assert live.the_record().attempts[0].changes == f'["dropped {field}"]'


def test_every_rule_at_once__is_told_in_the_header(live: Live) -> None:
    body = hello(RECORDED_REASONING, **SAMPLING, **ODD, max_tokens=50)
    got = live.post(CHAT, body)
    expected = hello(RECORDED_REASONING, **ODD, max_completion_tokens=50)
    assert live.world.recorder.last.json == expected
    told = got.headers["x-iw-changes"].split("; ")
    assert told == [*(f"dropped {name}" for name in SAMPLING), "renamed max_tokens to max_completion_tokens"]


def test_effort_none__keeps_what_goes_with_it(live: Live) -> None:
    kept = {name: SAMPLING[name] for name in ("temperature", "top_p", "logprobs", "top_logprobs")}
    assert received(live, hello(RECORDED_EFFORT, **SAMPLING)) == hello(RECORDED_EFFORT, **kept)
    with_effort = {**kept, "reasoning_effort": "low"}
    assert received(live, hello(RECORDED_EFFORT, **with_effort)) == hello(RECORDED_EFFORT, reasoning_effort="low")


def test_new_cap_beside_the_old__wins(live: Live) -> None:
    sent = received(live, hello(RECORDED_REASONING, max_tokens=50, max_completion_tokens=70))
    assert sent == hello(RECORDED_REASONING, max_completion_tokens=70)


def test_each_rung__is_adapted_from_the_original(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-5-mini"}, "fault": "model_gone"}])
    called = live.chat("plan_tasks", temperature=0.4, max_tokens=5)
    first, second = called.record.attempts
    assert first.changes == '["dropped temperature","renamed max_tokens to max_completion_tokens"]'
    assert (second.model, second.status, second.changes) == ("gpt-4.1", 200, "[]")
    assert called.answer.choices[0].finish_reason == "length"
    assert "x-iw-changes" not in called.headers


@pytest.mark.parametrize("alias", ["manager", "plan_tasks", "fast", "code"])
def test_what_the_backend_sends_to_every_role__is_answered_by_every_model(live: Live, alias: str) -> None:
    called = live.chat(alias, temperature=0.4, max_tokens=200)
    assert called.record.outcome.result in ("ok", "ok_after_fallback")
    changed = {"plan_tasks": "dropped temperature; renamed", "manager": "renamed"}.get(alias, "")
    assert called.headers.get("x-iw-changes", "").startswith(changed)


def test_tools_images_and_schemas__pass_through(live: Live) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    tool = {"type": "function", "function": {"name": "look_up", "parameters": schema, "strict": True}}
    called = live.chat("manager", "Please call look_up", tools=[tool], tool_choice="required")
    assert called.answer.choices[0].message.tool_calls[0].function.name == "look_up"
    image = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    plain = live.chat("fast", "What is this?").answer.usage.prompt_tokens
    assert live.chat("fast", messages=[{"role": "user", "content": image}]).answer.usage.prompt_tokens > plain + 500
    shape = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}
    assert live.chat("fast", response_format=shape).answer.choices[0].message.content.startswith('{"city":')


def test_headers_to_the_provider__are_ours_alone(live: Live) -> None:
    strange = {"openai_organization": "org-x", "openai_project": "proj-x", "idempotency_key": "k1", "cookie": "a=b",
               "x_stainless_lang": "python", "x_forwarded_for": "10.0.0.1", "accept_encoding": "gzip",
               "x_sandbox_fault": "reset", "api_key": "sk-other", "user_agent": "caller/1"}  # fmt: skip
    received(live, hello(RECORDED), **strange)
    headers = live.world.recorder.last.headers
    record = live.the_record()
    assert headers["authorization"] == "Bearer sk-sandbox"
    assert headers["x-client-request-id"] == f"{record.decision.id}-1"
    assert headers["x-iw-hop"] == "1"
    assert headers["user-agent"].startswith("iwrouting/")
    assert headers["accept-encoding"] == "identity"
    known = {"host", "authorization", "content-type", "content-length", "x-client-request-id", "x-iw-hop", "user-agent",
             "accept", "accept-encoding"}  # fmt: skip
    assert set(headers) <= known
    assert live.world.recorder.last.path == "/v1/chat/completions"
