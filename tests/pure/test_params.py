"""The parameter rules of chat, and that nothing else is touched (openai-facts.md 1c)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting import catalogue
from iwrouting.errors import BadRequest
from iwrouting.types import EFFORTS, PARAMETERS, ModelFacts, Sampling
from iwrouting.upstream.params import adapt
from iwrouting.upstream.params.rules import nearest_effort
from tests.harness.samples import sample

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
            {"reasoning_effort": "minimal"},
            ("set reasoning_effort to minimal", "dropped temperature"),
        ),
        ("gpt-5.1", {"temperature": 0.4}, {"temperature": 0.4}, ()),
        ("gpt-5.1", {"temperature": 0.4, "reasoning_effort": "none"}, None, ()),
        (
            "gpt-5.1",
            {"temperature": 0.4, "reasoning_effort": None},
            {"temperature": 0.4},
            ("dropped reasoning_effort",),
        ),
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
        ("gpt-5-mini", {"n": 2, "seed": 4, "user": "u", "tools": [], "stream": True}, None, ()),
        ("gpt-5-mini", {"stop": ["x"], "seed": 4}, {"seed": 4}, ("dropped stop",)),
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


VALUES = st.one_of(
    st.none(),
    st.integers(-3, 30),
    st.sampled_from([*EFFORTS, "x", True, 0.5]),
    # Each is an object of its own, as what was parsed is: two members that share one would change together.
    st.sampled_from([{"a": [1, {"b": 2}]}, {"effort": "max"}, {"verbosity": "low", "format": {"type": "text"}}]).map(
        copy.deepcopy
    ),
)
TOOLS = st.lists(st.sampled_from([{"type": "function", "function": {"name": "f"}}, {"type": "mcp"}, 7, {}]), max_size=2)
NAMES = (
    *SAMPLED,
    *PENALTIES,
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "reasoning_effort",
    "reasoning",
    "text",
    "verbosity",
    "parallel_tool_calls",
    "model",
    "stop",
    "seed",
    "n",
    "response_format",
    "stream_options",
    "dimensions",
    "a parameter of next year",
)
CONTENT = st.lists(
    st.sampled_from([{"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "text"}]}])
)
BODIES = st.builds(
    lambda members, tools, content: {**members, **({"tools": tools} if tools else {}), "messages": content},
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    TOOLS,
    CONTENT,
)
TAKEN = st.lists(st.sampled_from(EFFORTS), unique=True).map(lambda efforts: tuple(sorted(efforts, key=EFFORTS.index)))
FACTS = st.builds(
    ModelFacts,
    id=st.just("served"),
    endpoints=st.just(frozenset({"chat"})),
    reasoning=st.booleans(),
    default_effort=st.sampled_from(["", "none", "medium"]),
    sampling=st.sampled_from(Sampling),
    completion_cap_param=st.sampled_from(["max_tokens", "max_completion_tokens"]),
    efforts=TAKEN,
    effort_for_tools=st.sampled_from(["", "none"]),
    max_output=st.sampled_from([None, 20]),
    refused_params=st.frozensets(st.sampled_from(sorted(PARAMETERS - {"dimensions"}))),
    verified=st.sampled_from([True, True, True, False]),
)
ENDPOINTS = st.sampled_from(["chat", "responses", "embeddings"])


def adapted_or_none(
    body: Body, facts: ModelFacts, endpoint: str, *, strict: bool = False
) -> tuple[Body, tuple[str, ...]] | None:
    try:
        return adapt(body, facts, endpoint, strict=strict)
    except BadRequest as error:
        refused = error
    assert refused.param
    assert (refused.status, refused.code in ("unsupported_parameter", "unsupported_value")) == (400, True)
    return None


def replay(body: Mapping[str, Any], changes: tuple[str, ...]) -> Body:
    """What the list of changes says was sent."""
    sent = {**copy.deepcopy(dict(body)), "model": "served"}
    for change in changes:
        verb, path, *rest = change.split()
        outer, _, inner = path.partition(".")
        home = sent.setdefault(outer, {}) if inner else sent
        if verb == "dropped":
            del home[inner or outer]
            if inner and not home:
                del sent[outer]
        elif verb == "renamed":
            sent[rest[1]] = sent.pop(outer)
        elif verb == "clamped":
            home[inner or outer] = int(rest[1])
        else:
            assert verb == "set"
            home[inner or outer] = rest[1]
    return sent


@sample(130, deadline=None)
@given(BODIES, FACTS, ENDPOINTS)
def test_adapt__any_request__differs_by_exactly_what_is_listed(body: Body, facts: ModelFacts, endpoint: str) -> None:
    before = copy.deepcopy(body)
    found = adapted_or_none(body, facts, endpoint)
    assert body == before
    if found is None:
        return
    adapted, changes = found
    assert adapted == replay(body, changes)
    assert len(set(changes)) == len(changes)
    assert facts.verified or not changes
    for name in ("messages", "tools"):
        assert adapted.get(name) is body.get(name)


@sample(130, deadline=None)
@given(BODIES, FACTS, ENDPOINTS)
def test_adapt__adapted_request__needs_no_further_change(body: Body, facts: ModelFacts, endpoint: str) -> None:
    found = adapted_or_none(body, facts, endpoint)
    if found is not None:
        assert adapt(found[0], facts, endpoint) == (found[0], ())


@sample(130, deadline=None)
@given(BODIES, FACTS, ENDPOINTS)
def test_adapt__strict__sends_what_it_would_send_or_refuses(body: Body, facts: ModelFacts, endpoint: str) -> None:
    found, strict = (adapted_or_none(body, facts, endpoint, strict=strict) for strict in (False, True))
    if strict is not None:
        assert strict == found
        assert all(change.startswith(("dropped", "renamed")) for change in strict[1])
    elif found is not None:
        assert any(change.startswith(("dropped", "set", "clamped")) for change in found[1])


@sample(100, deadline=None)
@given(BODIES, FACTS)
def test_adapt__any_request__holds_nothing_that_the_model_refuses(body: Body, facts: ModelFacts) -> None:
    found = adapted_or_none(body, facts, "chat")
    if found is None or not facts.verified:
        return
    adapted = found[0]
    assert not adapted.keys() & facts.refused_params - {"tools"}
    if facts.completion_cap_param == "max_completion_tokens":
        assert "max_tokens" not in adapted
    if facts.sampling is not Sampling.ANY:
        assert not adapted.keys() & set(PENALTIES)
        effort = adapted.get("reasoning_effort") or facts.default_effort
        if facts.sampling is Sampling.NEVER or effort != "none":
            assert not adapted.keys() & set(SAMPLED)
    if facts.reasoning and facts.efforts and adapted.get("reasoning_effort") in EFFORTS:
        assert adapted["reasoning_effort"] in facts.efforts


@given(st.sampled_from(EFFORTS), TAKEN.filter(bool))
def test_nearest_effort__is_taken_and_none_is_nearer(asked: str, taken: tuple[str, ...]) -> None:
    found = nearest_effort(asked, taken)
    far = {effort: abs(EFFORTS.index(effort) - EFFORTS.index(asked)) for effort in taken}
    assert far[found] == min(far.values())
    assert all(EFFORTS.index(found) <= EFFORTS.index(effort) for effort in taken if far[effort] == far[found])
