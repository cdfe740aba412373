"""What is changed in a request of which the provider refused one parameter, and what never is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.upstream.mending import OPTIONAL, mend

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("given", "param", "left", "change"),
    [
        ({"temperature": 0.4, "top_p": 1}, "temperature", {"top_p": 1}, "dropped temperature"),
        ({"temperature": None}, "temperature", {}, "dropped temperature"),
        ({"logprobs": True, "top_logprobs": 2}, "logprobs", {}, "dropped logprobs"),
        ({"logprobs": True, "top_logprobs": 2}, "top_logprobs", {"logprobs": True}, "dropped top_logprobs"),
        ({"reasoning_effort": "none"}, "reasoning_effort", {}, "dropped reasoning_effort"),
        (
            {"reasoning_effort": "low", "tools": TOOLS},
            "reasoning_effort",
            {"reasoning_effort": "none", "tools": TOOLS},
            "set reasoning_effort to none",
        ),
        (
            {"tools": TOOLS},
            "reasoning_effort",
            {"tools": TOOLS, "reasoning_effort": "none"},
            "set reasoning_effort to none",
        ),
        (
            {"reasoning_effort": "none", "tools": TOOLS},
            "reasoning_effort",
            {"tools": TOOLS},
            "dropped reasoning_effort",
        ),
        (
            {"reasoning": {"effort": "low", "summary": "auto"}},
            "reasoning.effort",
            {"reasoning": {"summary": "auto"}},
            "dropped reasoning.effort",
        ),
        ({"reasoning": {"effort": "low"}}, "reasoning.effort", {}, "dropped reasoning.effort"),
        ({"max_tokens": 9}, "max_tokens", {"max_completion_tokens": 9}, "renamed max_tokens to max_completion_tokens"),
        (
            {"max_completion_tokens": 9},
            "max_completion_tokens",
            {"max_tokens": 9},
            "renamed max_completion_tokens to max_tokens",
        ),
        ({"stream": True, "stream_options": {"include_usage": True}}, "stream", {}, "asked unstreamed"),
    ],
)
def test_mend__parameter_that_may_go__goes_and_is_told(
    given: dict[str, Any], param: str, left: dict[str, Any], change: str
) -> None:
    before = {**ASKED, **given}
    found = mend(before, param)
    assert found is not None
    assert found.body == {**ASKED, **left}
    assert found.change == f"{change} (refused by the provider)"
    assert before == {**ASKED, **given}


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "model"),
        ({}, "messages"),
        ({"tools": TOOLS}, "tools"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"n": 2}, "n"),
        ({"store": True}, "store"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"max_output_tokens": 20}, "max_output_tokens"),
        ({"max_tokens": 9, "max_completion_tokens": 8}, "max_tokens"),
        ({"messages": []}, "messages[0].content"),
        ({}, "temperature"),
        ({}, "stream"),
        ({"stream": False}, "stream"),
        ({"reasoning": "low"}, "reasoning.effort"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.effort"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_mend__what_the_caller_asked_for_or_did_not_send__is_left_alone(given: dict[str, Any], param: str) -> None:
    assert mend({**ASKED, **given}, param) is None


@given(
    st.dictionaries(st.sampled_from([*sorted(OPTIONAL), "tools", "store", "n"]), st.integers() | st.none()),
    st.sampled_from(sorted(OPTIONAL)) | st.text(max_size=12),
)
def test_mend__any_refusal__changes_nothing_but_what_was_refused(given: dict[str, Any], param: str) -> None:
    before = {**ASKED, **given}
    found = mend(before, param)
    if found is None:
        return
    touched = {name for name in {*before, *found.body} if before.get(name, ...) != found.body.get(name, ...)}
    assert touched <= {param.partition(".")[0], "top_logprobs"}
    assert {name: found.body[name] for name in ASKED} == ASKED
