"""Loops and inner addresses are refused; costs are exact to the pico-dollar, or say that they are not known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import InternalServerError

from iwrouting import catalogue
from tests.live.ledger import view
from tests.live.live import Live
from tests.live.world import DEAD, RECORDED
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT, EMBEDDINGS, RESOLVE = "/v1/chat/completions", "/v1/embeddings", "/api/v1/resolve"
BODIES = {CHAT: hello("fast"), EMBEDDINGS: {"model": "embedding", "input": "one"}, RESOLVE: {"alias": "fast"}}


@pytest.mark.parametrize("path", BODIES)
def test_request_of_our_own__is_a_508(live: Live, path: str) -> None:
    got = live.post(path, BODIES[path], x_iw_hop="1")
    assert (got.status, got.error["code"], got.headers["x-should-retry"]) == (508, "loop_detected", "false")
    record = live.the_record()
    assert (record.outcome.result, record.outcome.status, record.outcome.error_code) == (
        "refused",
        508,
        "loop_detected",
    )
    assert live.sent() == []


def test_inner_address_of_an_upstream__is_refused_at_the_call(live: Live) -> None:
    strict = live.world.other_service("strict", IW_UNKNOWN_PROJECT="refuse", IW_ALLOW_PRIVATE_UPSTREAMS="0")
    before = len(live.world.recorder.requests)
    for model in (RECORDED, DEAD):
        tenant = live.tenant({"manager": model})
        with pytest.raises(InternalServerError) as caught:
            live.chat("manager", client=live.client(tenant, url=strict.url))
        assert caught.value.code == "upstream_auth"
        assert "private or local" in caught.value.message
    assert [record.attempts[0].error_code for record in live.records()] == ["address_refused"] * 2
    assert len(live.world.recorder.requests) == before
    assert live.chat("manager", client=live.client(url=strict.url)).record.outcome.result == "ok"


def cost(model: str, prompt: int, cached: int, completion: int) -> int:
    """What these tokens cost in pico-dollars, by the dollars a million tokens of the catalogue's file."""
    entry = catalogue.models()[model]
    parts = ((prompt - cached, entry.input_usd), (cached, entry.cached_usd), (completion, entry.output_usd))
    total = sum((tokens * (usd or 0) for tokens, usd in parts), start=0 * (entry.input_usd or 0))
    return int(total * 1_000_000)


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5.1", "gpt-5-mini"])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_cost__is_tokens_times_price_exactly(live: Live, model: str, streamed: bool) -> None:
    text = f"{live.run} " + "some words to be cached by the provider " * 150
    for seen in (False, True):
        called = live.stream(model, text) if streamed else live.chat(model, text)
        outcome = called.record.outcome
        assert (outcome.cached_tokens or 0) > 0 if seen else outcome.cached_tokens == 0
        prompt, completion = called.record.usage
        assert prompt is not None
        assert completion is not None
        assert outcome.cost_pico == cost(model, prompt, outcome.cached_tokens or 0, completion)
        assert (outcome.cost_state, bool(outcome.price_version), outcome.tokens_source) == ("exact", True, "provider")
        [row] = view("rpt_decisions_v1", str(called.record.decision.id))
        assert row["cost_pico"] == outcome.cost_pico
        assert float(row["cost_usd"]) == pytest.approx(outcome.cost_pico / 1e12, rel=1e-12)
    if model == "gpt-5-mini":
        assert outcome.reasoning_tokens == 64


UNPRICED: dict[str, dict[str, Any]] = {
    "no usage": {"drop_usage": True},
    "null usage": {"usage": None},
    "more cached than sent": {
        "usage": {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}
    },
    "negative": {"usage": {"prompt_tokens": -5, "completion_tokens": 5}},
    "no number": {"usage": {"prompt_tokens": "5", "completion_tokens": 5}},
    "cache written": {
        "usage": {"prompt_tokens": 50, "completion_tokens": 5, "prompt_tokens_details": {"cache_write_tokens": 9}}
    },
}


@pytest.mark.parametrize("name", UNPRICED)
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_usage_that_can_not_be_priced__is_unpriced_and_never_zero(live: Live, name: str, streamed: bool) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": UNPRICED[name]}])
    outcome = (live.stream("fast") if streamed else live.chat("fast")).record.outcome
    assert (outcome.result, outcome.cost_state, outcome.cost_pico) == ("ok", "unpriced", None)
    json.loads(outcome.usage)


def test_zero_tokens__cost_zero_exactly(live: Live) -> None:
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": {"usage": usage}}])
    outcome = live.chat("fast").record.outcome
    assert (outcome.cost_state, outcome.cost_pico) == ("exact", 0)


def test_model_without_a_price__is_unpriced(live: Live) -> None:
    outcome = live.chat(RECORDED).record.outcome
    assert (outcome.cost_state, outcome.cost_pico, outcome.prompt_tokens) == ("unpriced", None, 3)


def test_another_service_tier__is_unpriced(live: Live) -> None:
    said = [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
    body = {"id": "c", "model": "gpt-4.1-mini", "service_tier": "priority", "choices": said,
            "usage": {"prompt_tokens": 5, "completion_tokens": 5}}  # fmt: skip
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": {"raw_body": json.dumps(body)}}])
    got = live.post(CHAT, hello("fast"))
    assert got.json == body
    assert live.the_record().outcome.cost_state == "unpriced"


def test_fallback__is_costed_by_the_model_that_served(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": "server_error"}])
    record = live.chat("manager").record
    prompt, completion = record.usage
    assert record.outcome.cost_pico == cost("gpt-4.1", prompt or 0, 0, completion or 0)


def test_refusals_and_resolves__cost_nothing(live: Live) -> None:
    raw_answer = live.post(CHAT, hello("manger"))
    assert raw_answer.status == 404
    live.resolve("manager")
    assert {(record.outcome.cost_state, record.outcome.cost_pico) for record in live.records()} == {("none", None)}
    assert raw.get(live.base_url, "/healthz").status == 200
