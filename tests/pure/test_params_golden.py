"""What each family of models is sent, written down case by case: tests/pure/params/<model>.json (openai-facts.md 1c).

A case has the endpoint, what the caller gave, what is sent and what is told; or the field that is refused. `strict` is
the field that a strict project is refused for; null: nothing is taken from the caller.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iwrouting import catalogue
from iwrouting.errors import BadRequest
from iwrouting.types import ModelFacts
from iwrouting.upstream.params import adapt, needs_responses

FILES = sorted((Path(__file__).parent / "params").glob("*.json"))
UNKNOWN = ModelFacts("unknown", frozenset({"chat", "responses", "embeddings"}), verified=False)
TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": {"name": "f"}}]}
Case = dict[str, Any]


def facts_of(name: str) -> ModelFacts:
    return UNKNOWN if name == "unknown" else catalogue.models()[name].facts


CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}-{case['endpoint']}-{'-'.join(case['given'])}-{index}")
    for file in FILES
    for index, case in enumerate(json.loads(file.read_text()))
]


def test_golden__covers_every_family() -> None:
    assert {file.stem for file in FILES} >= {
        "gpt-4.1", "gpt-5.1", "gpt-5-mini", "gpt-5.1-codex", "o3-deep-research", "gpt-5.6-sol", "gpt-6.1-sol",
        "text-embedding-3-small", "text-embedding-ada-002", "unknown",
    }  # fmt: skip
    assert len(CASES) > 200


@pytest.mark.parametrize(("name", "case"), CASES)
def test_request__at_a_family__is_sent_as_written(name: str, case: Case) -> None:
    body = {"model": "alias", **case["given"]}
    if "refused" in case:
        with pytest.raises(BadRequest) as caught:
            adapt(body, facts_of(name), case["endpoint"])
        assert caught.value.param == case["refused"]
        return
    given = case["given"] if case["sent"] == "as given" else case["sent"]
    assert adapt(body, facts_of(name), case["endpoint"]) == ({"model": name, **given}, tuple(case["changes"]))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_request__of_a_strict_project__is_sent_as_written_or_refused(name: str, case: Case) -> None:
    body = {"model": "alias", **case["given"]}
    if case["strict"] is None:
        assert adapt(body, facts_of(name), case["endpoint"], strict=True)[1] == tuple(case["changes"])
        return
    with pytest.raises(BadRequest) as caught:
        adapt(body, facts_of(name), case["endpoint"], strict=True)
    assert caught.value.param == case["strict"]
    assert caught.value.message.startswith(case["strict"])


def test_strict_refusal__names_value_and_setting_and_never_a_text() -> None:
    with pytest.raises(BadRequest, match=r"temperature: gpt-5-mini does not take 0\.4 here, .* strict_parameters"):
        adapt({"temperature": 0.4}, facts_of("gpt-5-mini"), "chat", strict=True)
    for secret in ("the launch code is 7", ["the launch code"], {"the launch code": 1}):
        with pytest.raises(BadRequest) as caught:
            adapt({"stop": secret}, facts_of("gpt-5-mini"), "chat", strict=True)
        assert "launch" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "asked", "needed"),
    [
        ("gpt-5.6-sol", TOOLS, True),
        ("gpt-5.6-sol", {**TOOLS, "reasoning_effort": "high"}, True),
        ("gpt-5.6-sol", {**TOOLS, "reasoning_effort": "none"}, False),
        ("gpt-5.6-sol", {"tools": [{"type": "custom", "custom": {"name": "c"}}]}, False),
        ("gpt-5.6-sol", {}, False),
        ("gpt-6.1-sol", {**TOOLS, "reasoning_effort": "none"}, True),
        ("gpt-6-luna", TOOLS, True),
        ("gpt-5.1", {**TOOLS, "reasoning_effort": "high"}, False),
        ("gpt-4.1", TOOLS, False),
        ("unknown", TOOLS, False),
    ],
)
def test_function_tools__with_reasoning__need_the_responses_endpoint_at_later_models(
    name: str, asked: Case, needed: bool
) -> None:
    assert needs_responses(asked, facts_of(name)) is needed


@pytest.mark.parametrize(
    ("endpoint", "name", "part"), [("chat", "messages", "image_url"), ("responses", "input", "input_image")]
)
def test_image__at_a_model_that_surely_reads_none__is_refused(endpoint: str, name: str, part: str) -> None:
    body = {name: [{"role": "user", "content": "Hi"}, {"role": "user", "content": [{"type": "text"}, {"type": part}]}]}
    blind = ModelFacts("blind", frozenset({endpoint}), input_modalities=frozenset({"text"}))
    with pytest.raises(BadRequest) as caught:
        adapt(body, blind, endpoint)
    assert (caught.value.param, caught.value.code) == (f"{name}[1].content[1]", "unsupported_value")
    for facts in (ModelFacts("dim", frozenset({endpoint})), facts_of("gpt-4.1"), UNKNOWN):
        assert adapt(body, facts, endpoint)[1] == ()
    odd: list[Any] = [7, None, {"content": 7}, {"content": [7, None, {"type": {}}]}]
    assert adapt({name: odd}, blind, endpoint)[1] == ()
