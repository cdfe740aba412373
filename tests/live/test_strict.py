"""A project that wants its parameters refused rather than changed, and what no change can mend."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError

from iwrouting.models import Model
from tests.live.databases import ALIAS
from tests.live.live import Live, text_of
from tests.live.world import RECORDED_REASONING, Tenant
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"
LATER = "gpt-5.6-luna"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
ADD: dict[str, Any] = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
IMAGE: list[Any] = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}]


@pytest.fixture
def strict(live: Live) -> Tenant:
    """A project that is strict."""
    tenant = live.tenant()
    tenant.row.strict_parameters = True
    tenant.row.save(using=ALIAS)
    live.settle()
    return tenant


def test_alias__passes_over_the_rung_that_would_need_a_change(live: Live, strict: Tenant) -> None:
    called = live.chat("plan_tasks", client=live.client(strict), temperature=0.4)
    skipped, served = called.record.attempts
    assert (skipped.kind, skipped.skip_reason, skipped.error_param) == ("skip", "capability", "temperature")
    assert (served.model, served.status, served.changes) == ("gpt-4.1", 200, "[]")
    assert called.headers["x-iw-fallback"] == "1"


def test_named_model__is_refused_with_field_value_and_setting(live: Live, strict: Tenant) -> None:
    with pytest.raises(BadRequestError) as caught:
        live.chat("gpt-5-mini", client=live.client(strict), temperature=0.4)
    assert (caught.value.param, caught.value.code) == ("temperature", "unsupported_parameter")
    assert "temperature: gpt-5-mini does not take 0.4 here" in str(caught.value)
    assert "strict_parameters" in str(caught.value)
    assert live.the_record().calls == []


def test_alias_without_a_fitting_rung__is_refused_with_the_field(live: Live) -> None:
    tenant = live.tenant({"plan_tasks": "gpt-5-mini", "auto": "gpt-5-mini", "fast": "gpt-5-mini"})
    tenant.row.strict_parameters = True
    tenant.row.save(using=ALIAS)
    live.settle()
    got = live.post(CHAT, hello("plan_tasks", temperature=0.4), tenant)
    assert (got.status, got.json["error"]["param"]) == (400, "temperature")


def test_what_loses_nothing__is_still_done(live: Live, strict: Tenant) -> None:
    body = hello(RECORDED_REASONING, max_tokens=50, temperature=1)
    got = live.post(CHAT, body, strict)
    assert got.headers["x-iw-changes"] == "dropped temperature; renamed max_tokens to max_completion_tokens"
    assert live.world.recorder.last.json == hello(RECORDED_REASONING, max_completion_tokens=50)


def test_translation__of_a_strict_project__drops_nothing(live: Live, strict: Tenant) -> None:
    client = live.client(strict)
    assert live.chat("gpt-5.1-codex", client=client).headers["x-iw-changes"] == "translated chat to responses"
    with pytest.raises(BadRequestError) as caught:
        live.chat("gpt-5.1-codex", client=client, seed=7)
    assert caught.value.param == "seed"
    assert "strict_parameters forbids to drop it" in str(caught.value)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_function_tools_with_reasoning__go_to_the_responses_endpoint_at_later_models(
    live: Live, streamed: bool
) -> None:
    asked: dict[str, Any] = {"tools": [ADD], "reasoning_effort": "high"}
    called = (live.stream if streamed else live.chat)(LATER, "Please call add", **asked)
    record = called.record
    assert record.attempts[0].endpoint == "responses"
    assert called.headers["x-iw-changes"].startswith("translated chat to responses")
    if streamed:
        names = [c.function.name for chunk in called.answer for d in chunk.choices for c in d.delta.tool_calls or ()]
        assert names[0] == "add"
        assert text_of(called.answer) is not None
    else:
        assert called.answer.choices[0].message.tool_calls[0].function.name == "add"


def test_function_tools_without_reasoning__stay_at_chat(live: Live) -> None:
    called = live.chat(LATER, "Please call add", tools=[ADD], reasoning_effort="none")
    assert (called.record.attempts[0].endpoint, called.record.attempts[0].changes) == ("chat", "[]")


def test_function_tools_that_can_not_be_translated__go_to_chat_without_reasoning(live: Live) -> None:
    custom = {"type": "custom", "custom": {"name": "shout"}}
    called = live.chat(LATER, "Say hello", tools=[ADD, custom])
    first = called.record.attempts[0]
    assert (first.endpoint, first.changes) == ("chat", '["set reasoning_effort to none"]')


def test_effort__is_mapped_to_the_nearest_and_told(live: Live) -> None:
    called = live.chat("gpt-5-mini", reasoning_effort="xhigh")
    assert called.headers["x-iw-changes"] == "set reasoning_effort to high"
    assert live.chat("gpt-4.1-mini", reasoning_effort="low").headers["x-iw-changes"] == "dropped reasoning_effort"


def test_cap_over_what_a_model_can_write__is_clamped_per_rung(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-5-mini"}, "fault": "model_gone"}])
    called = live.chat("plan_tasks", max_tokens=100_000)
    first, second = called.record.calls
    assert first.changes == '["renamed max_tokens to max_completion_tokens"]'
    assert second.changes == '["clamped max_tokens to 32768"]'


def test_image__passes_over_a_model_that_reads_none(live: Live) -> None:
    Model(model_id=f"blind-{live.run}", endpoints=["chat"], input_modalities=["text"]).save(using=ALIAS)
    tenant = live.tenant({"manager": f"blind-{live.run}"})
    called = live.chat("manager", client=live.client(tenant), messages=IMAGE)
    skipped, served = called.record.attempts
    assert (skipped.skip_reason, skipped.error_param) == ("capability", "messages[0].content[0]")
    assert served.model == "gpt-4.1"
    with pytest.raises(BadRequestError, match="does not read images") as caught:
        live.chat(f"blind-{live.run}", client=live.client(tenant), messages=IMAGE)
    assert caught.value.param == "messages[0].content[0]"


def test_dimensions__at_a_model_of_one_width__are_refused_unless_they_are_that_width(live: Live) -> None:
    with pytest.raises(BadRequestError) as caught:
        live.embed("Hi", "text-embedding-ada-002", dimensions=256)
    assert (caught.value.param, caught.value.code) == ("dimensions", "unsupported_parameter")
    called = live.embed("Hi", "text-embedding-ada-002", dimensions=1536)
    assert len(called.answer.data[0].embedding) == 1536
