"""The three parameter rules, and that nothing else is touched (openai-facts.md 1c)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iwrouting import catalogue
from iwrouting.types import ModelFacts, Sampling
from iwrouting.upstream.params import adapt

SAMPLED = ("temperature", "top_p", "logprobs", "top_logprobs")
PENALTIES = ("presence_penalty", "frequency_penalty", "logit_bias")
Body = dict[str, Any]


def model(name: str) -> ModelFacts:
    return catalogue.models()[name].facts


def chat(name: str, **body: object) -> tuple[Body, tuple[str, ...]]:
    adapted, changes = adapt({"model": "manager", "messages": [], **body}, model(name), "chat")
    assert (adapted.pop("model"), adapted.pop("messages")) == (name, [])
    return adapted, changes


@pytest.mark.parametrize(
    ("name", "body", "sent", "changes"),
    [
        ("gpt-4.1", {"max_tokens": 5}, {"max_tokens": 5}, ()),
        ("gpt-4.1", {"max_completion_tokens": 5}, {"max_completion_tokens": 5}, ()),
        ("gpt-5.1", {"max_tokens": 5}, {"max_completion_tokens": 5}, ("renamed max_tokens to max_completion_tokens",)),
        ("gpt-5.1", {"max_completion_tokens": 5}, {"max_completion_tokens": 5}, ()),
        (
            "gpt-5.1",
            {"max_tokens": 5, "max_completion_tokens": 7},
            {"max_completion_tokens": 7},
            ("dropped max_tokens",),
        ),
        (
            "gpt-5.1",
            {"max_tokens": 5, "max_completion_tokens": None},
            {"max_completion_tokens": 5},
            ("renamed max_tokens to max_completion_tokens",),
        ),
        (
            "gpt-5-mini",
            {"max_tokens": None},
            {"max_completion_tokens": None},
            ("renamed max_tokens to max_completion_tokens",),
        ),
        ("gpt-4.1-mini", {"temperature": 0.4, "top_p": 0.9, "logit_bias": {"1": 2}, "stop": ["x"]}, None, ()),
        ("gpt-5-mini", {"temperature": 0.4}, {}, ("dropped temperature",)),
        (
            "gpt-5-mini",
            {"temperature": 1, "reasoning_effort": "none"},
            {"reasoning_effort": "none"},
            ("dropped temperature",),
        ),
        ("gpt-5.1", {"temperature": 0.4}, {"temperature": 0.4}, ()),
        ("gpt-5.1", {"temperature": 0.4, "reasoning_effort": "none"}, None, ()),
        ("gpt-5.1", {"temperature": 0.4, "reasoning_effort": None}, None, ()),
        (
            "gpt-5.1",
            {"reasoning_effort": "low", "temperature": 0.4, "top_p": 1, "logprobs": True, "top_logprobs": 2},
            {"reasoning_effort": "low"},
            ("dropped temperature", "dropped top_p", "dropped logprobs", "dropped top_logprobs"),
        ),
        ("gpt-5.1", {"reasoning_effort": {"odd": 1}, "top_p": 1}, {"reasoning_effort": {"odd": 1}}, ("dropped top_p",)),
        ("gpt-5.1", {"presence_penalty": 1, "logit_bias": {}}, {}, ("dropped presence_penalty", "dropped logit_bias")),
        ("gpt-5.1", {"frequency_penalty": 0, "temperature": 1}, {"temperature": 1}, ("dropped frequency_penalty",)),
        (
            "gpt-6.1-terra",
            {"temperature": 0.4, "max_tokens": 9},
            {"max_completion_tokens": 9},
            ("dropped temperature", "renamed max_tokens to max_completion_tokens"),
        ),
        ("gpt-6.1-terra", {"temperature": 0.4, "reasoning_effort": "none"}, None, ()),
        ("gpt-5-mini", {"stop": ["x"], "n": 2, "seed": 4, "user": "u", "tools": [], "stream": True}, None, ()),
    ],
)
def test_adapt__chat_request__is_changed_by_rule_and_says_so(
    name: str, body: Body, sent: Body | None, changes: tuple[str, ...]
) -> None:
    assert chat(name, **body) == (body if sent is None else sent, changes)


def test_adapt__model_that_nobody_knows__gets_what_the_caller_sent() -> None:
    body = {"model": "auto", **dict.fromkeys((*SAMPLED, *PENALTIES, "max_tokens"), 1)}
    facts = ModelFacts("brand-new", frozenset({"chat"}), verified=False)
    assert adapt(body, facts, "chat") == ({**body, "model": "brand-new"}, ())


@pytest.mark.parametrize("endpoint", ["embeddings", "responses"])
def test_adapt__other_endpoint__names_the_model_and_no_more(endpoint: str) -> None:
    body = {"model": "embedding", "input": "x", "temperature": 1, "max_tokens": 1, "encoding_format": "base64"}
    assert adapt(body, model("gpt-5-mini"), endpoint) == ({**body, "model": "gpt-5-mini"}, ())


VALUES = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from(["none", "low", "x"]), st.just({"a": [1, {"b": 2}]}))
NAMES = (
    *SAMPLED,
    *PENALTIES,
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "model",
    "messages",
    "stop",
    "seed",
    "n",
    "tools",
    "response_format",
    "stream_options",
    "a parameter of next year",
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES)
FACTS = st.builds(
    ModelFacts,
    id=st.just("served"),
    endpoints=st.just(frozenset({"chat"})),
    default_effort=st.sampled_from(["", "none", "medium"]),
    sampling=st.sampled_from(Sampling),
    completion_cap_param=st.sampled_from(["max_tokens", "max_completion_tokens"]),
)


def replay(body: Mapping[str, Any], changes: tuple[str, ...]) -> Body:
    """What the list of changes says was sent."""
    sent = {**body, "model": "served"}
    for change in changes:
        verb, name, *rest = change.split()
        value = sent.pop(name)
        if verb == "renamed":
            sent[rest[1]] = value
        else:
            assert verb == "dropped"
    return sent


@settings(max_examples=500)
@given(BODIES, FACTS, st.sampled_from(["chat", "chat", "chat", "embeddings"]))
def test_adapt__any_request__differs_by_exactly_what_is_listed(body: Body, facts: ModelFacts, endpoint: str) -> None:
    before = copy.deepcopy(body)
    adapted, changes = adapt(body, facts, endpoint)
    assert body == before
    assert adapted == replay(body, changes)
    assert {change.split()[1] for change in changes} <= {*SAMPLED, *PENALTIES, "max_tokens"}
    assert len(set(changes)) == len(changes)
    for name in body.keys() & adapted.keys() - {"model", "max_completion_tokens"}:
        assert adapted[name] is body[name]


@settings(max_examples=300)
@given(BODIES, FACTS)
def test_adapt__any_request__holds_nothing_that_the_model_refuses(body: Body, facts: ModelFacts) -> None:
    adapted, changes = adapt(body, facts, "chat")
    effort = body.get("reasoning_effort") or facts.default_effort
    if facts.completion_cap_param == "max_completion_tokens":
        assert "max_tokens" not in adapted
    if facts.sampling is not Sampling.ANY:
        assert not adapted.keys() & set(PENALTIES)
        if facts.sampling is Sampling.NEVER or effort != "none":
            assert not adapted.keys() & set(SAMPLED)
        else:
            assert not {f"dropped {name}" for name in SAMPLED} & set(changes)
    again, more = adapt(adapted, facts, "chat")
    assert (again, more) == (adapted, ())
