"""Every name of the matrix answers through the SDK, and headers, rows and views tell the same."""

from __future__ import annotations

import json

import pytest

from iwrouting import catalogue
from iwrouting.types import Kind
from tests.live.ledger import view
from tests.live.live import Called, Live
from tests.sandbox.raw import hello

MATRIX = catalogue.matrix()
CHAT = sorted(name for name, alias in MATRIX.items() if alias.facts.kind is not Kind.EMBEDDING)
BY_VARIABLE = {"intent": "gpt-4.1-mini"}
TRANSLATED = {"gpt-5.1-codex", "o3-deep-research"}


def agree(called: Called) -> None:
    """Headers, rows and the view tell the same of one answered call."""
    record, headers = called.record, called.headers
    decision, outcome = record.decision, record.outcome
    assert headers["x-request-id"] == decision.request_id
    assert headers["x-iw-alias"] == decision.alias
    assert headers["x-iw-source"] == decision.source
    assert headers["x-iw-model"] == outcome.model_served == called.answer.model
    assert headers["x-iw-upstream"] == outcome.upstream_served == "sandbox"
    assert int(headers["x-iw-attempts"]) == outcome.calls == len(record.calls)
    assert int(headers["x-iw-fallback"]) == outcome.fallbacks
    assert int(headers["x-iw-revision"]) == decision.revision
    [row] = view("rpt_decisions_v1", headers["x-iw-decision-id"])
    for column in ("project", "alias", "kind", "source", "model_asked", "model_resolved", "endpoint", "revision",
                   "run_id", "request_id", "key_id", "inferred_mode"):  # fmt: skip
        assert row[column] == getattr(decision, column), column
    for column in ("model_served", "result", "prompt_tokens", "completion_tokens", "cost_pico", "cost_state"):
        assert row[column] == getattr(outcome, column), column
    assert (row["attempts"], row["fallbacks"]) == (outcome.calls, outcome.fallbacks)
    assert (bool(row["is_stream"]), bool(row["is_test"])) == (decision.is_stream, decision.is_test)


@pytest.mark.parametrize("name", CHAT)
def test_chat_alias__answers_and_is_recorded(live: Live, name: str) -> None:
    called = live.chat(name, messages=[{"role": "user", "content": "Say hello to the sandbox"}])
    resolved = BY_VARIABLE.get(name) or MATRIX[name].facts.default_model
    record = called.record
    if name == "auto":
        assert called.headers["x-iw-mode"] == record.decision.inferred_mode == "fast"
        resolved = MATRIX["fast"].facts.default_model
    assert (record.decision.alias, record.decision.model_resolved) == (name, resolved)
    assert record.decision.kind == MATRIX[name].facts.kind
    assert called.answer.choices[0].message.content.startswith(f"sandbox: {resolved} heard")
    assert record.served() == ("ok", resolved, 200)
    assert record.outcome.endpoint_served == ("responses" if resolved in TRANSLATED else "chat")
    assert record.usage == (called.answer.usage.prompt_tokens, called.answer.usage.completion_tokens)
    assert record.outcome.finish_reason == "stop"
    agree(called)
    live.agrees(record)


def test_embedding_alias__answers_and_is_recorded(live: Live) -> None:
    called = live.embed(["one", "two"])
    assert [item.index for item in called.answer.data] == [0, 1]
    assert called.record.served() == ("ok", "text-embedding-3-small", 200)
    assert called.record.decision.kind == "embedding"
    assert called.record.outcome.prompt_tokens == called.answer.usage.prompt_tokens
    agree(called)
    live.agrees(called.record)


@pytest.mark.parametrize(("asked", "alias"), [("role:manager", "manager"), ("mode:deep", "deep"), (" fast ", "fast")])
def test_prefixed_name__means_the_alias(live: Live, asked: str, alias: str) -> None:
    called = live.chat(asked)
    assert (called.headers["x-iw-alias"], called.record.decision.model_asked) == (alias, asked.strip())
    agree(called)


def test_mode_auto__infers_as_auto_does(live: Live) -> None:
    called = live.chat("mode:auto", "Hello")
    assert (called.headers["x-iw-alias"], called.headers["x-iw-mode"]) == ("auto", "fast")


def test_model_id__is_used_as_it_is_without_a_chain(live: Live) -> None:
    called = live.chat("gpt-4.1-nano")
    decision = called.record.decision
    assert (called.headers["x-iw-source"], decision.source, decision.alias) == ("explicit", "explicit", "")
    assert "x-iw-alias" not in called.headers
    assert [rung["model"] for rung in json.loads(decision.chain)] == ["gpt-4.1-nano"]
    assert called.record.tried == [(1, "call", 0, 1, "gpt-4.1-nano", 200, "")]


def test_models__lists_aliases_first_and_leaves_no_rows(live: Live) -> None:
    listed = list(live.client().models.list())
    names = [model.id for model in listed]
    assert names[: len(MATRIX)] == list(MATRIX)
    assert set(names[len(MATRIX) :]) >= set(catalogue.models())
    shown = live.client().models.retrieve("manager")
    routing = shown.model_extra["routing"] if shown.model_extra else {}
    assert (routing["model"], routing["source"], routing["kind"]) == ("gpt-5.1", "default", "role")
    assert [rung["alias"] for rung in routing["chain"]] == ["manager", "auto", "fast"]
    assert live.client().models.retrieve("gpt-4.1").id == "gpt-4.1"
    assert live.records() == []


def test_caller_metadata__stands_in_the_decision(live: Live) -> None:
    headers = {
        "x_request_id": "req:live/1.a",
        "x_iw_tags": "chat, ci",
        "x_iw_test": "1",
        "x_stainless_retry_count": "2",
    }
    got = live.post("/v1/chat/completions", hello("fast"), None, **headers)
    assert (got.status, got.headers["x-request-id"]) == (200, "req:live/1.a")
    decision = live.the_record().decision
    assert (decision.request_id, decision.client_retry, decision.is_test) == ("req:live/1.a", 2, True)
    assert (json.loads(decision.tags), decision.run_id) == (["chat", "ci"], live.run)
    size = len(json.dumps(hello("fast")))
    assert (decision.estimate_tokens, decision.estimate_source) == (-(-size // 4), "bytes")
