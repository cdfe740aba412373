"""models.json is checked when it is read: a fault names the entry and the field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from iwrouting import catalogue
from iwrouting.catalogue.schema import FIELDS, check_models

FILE = Path(catalogue.__file__).parent / "models.json"
DATA: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
GONE = object()


def faults_with(model: str, **changed: Any) -> str:
    data = copy.deepcopy(DATA)
    entry = next(entry for entry in data["models"] if entry["id"] == model)
    entry.update(changed)
    for name in [name for name, value in changed.items() if value is GONE]:
        del entry[name]
    with pytest.raises(catalogue.CatalogueFault) as caught:
        check_models(data)
    return str(caught.value)


def test_file__as_checked_in__is_sound() -> None:
    check_models(DATA)
    assert all(set(entry) == set(FIELDS) for entry in DATA["models"])


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_field__missing_or_of_another_type__is_named(field: str) -> None:
    assert f"gpt-5.1.{field}: missing" in faults_with("gpt-5.1", **{field: GONE}) or field == "id"
    name = "models[3]" if field == "id" else "gpt-5.1"
    assert f"{name}.{field}: expected" in faults_with("gpt-5.1", **{field: 0.5})


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"endpoints": ["chat", "voice"]}, "endpoints: expected a list of chat, embeddings, responses"),
        ({"endpoints": []}, "endpoints: expected"),
        ({"endpoints": ["chat", "chat"]}, "endpoints: expected"),
        ({"endpoints": ["chat", "embeddings"]}, "endpoints: embeddings stands alone"),
        ({"context_window": 0}, "context_window: expected a whole number from 1 up, or null, got '0'"),
        ({"context_window": True}, "context_window: expected"),
        ({"max_input": 400_001}, "max_input: larger than context_window"),
        ({"max_output": 400_001}, "max_output: larger than context_window"),
        ({"efforts": ["low", "none"]}, "efforts: not from the lowest to the highest"),
        ({"efforts": ["low", "huge"]}, "efforts: expected a list of"),
        ({"efforts": ["low", "high"]}, "default_effort: 'none' is not among efforts"),
        ({"efforts": ["low"], "default_effort": "low"}, "sampling: effort_none, but efforts lacks none"),
        ({"reasoning": False}, "efforts: the model does not reason"),
        ({"refused_params": ["temprature"]}, "refused_params: expected a list of"),
        ({"hosted_tools": ["hammer"]}, "hosted_tools: expected a list of"),
        ({"dimensions": 1536}, "dimensions: only with the endpoint embeddings"),
        ({"vector_space": "x"}, "vector_space: only with the endpoint embeddings"),
        ({"shutdown_date": "2027-02-30"}, "shutdown_date: expected a date, YYYY-MM-DD, got '2027-02-30'"),
        ({"shutdown_date": "20270201"}, "shutdown_date: expected a date"),
        ({"checked_on": None}, "checked_on: expected a date"),
        ({"replacement": "gpt-99"}, "replacement: 'gpt-99' is no entry"),
        ({"shutdown_date": None, "replacement": "gpt-4.1"}, "replacement: there is no shutdown_date"),
        ({"source": ""}, "source: expected a text of at most 300 letters"),
        ({"tier": "huge"}, "tier: expected one of"),
        ({"colour": "red"}, "colour: unknown field"),
        ({"id": "gpt-4.1"}, "gpt-4.1.id: stands there twice"),
    ],
)
def test_entry__that_can_not_be__is_named_with_its_field(changed: dict[str, Any], fault: str) -> None:
    assert fault in faults_with("gpt-5.1", **changed)


@pytest.mark.parametrize(("field", "value"), [("dimensions", None), ("vector_space", "")])
def test_embedding_model__without_width_or_space__is_named(field: str, value: Any) -> None:
    assert f"text-embedding-3-small.{field}: missing for the endpoint embeddings" in faults_with(
        "text-embedding-3-small", **{field: value}
    )
    assert "max_output: vectors have none" in faults_with("text-embedding-3-small", max_output=5)


@pytest.mark.parametrize("data", [[], {}, {"version": "1", "models": {}}, {"version": "", "models": []}, None])
def test_file__of_another_shape__is_refused(data: Any) -> None:
    with pytest.raises(catalogue.CatalogueFault, match=r"models\.json: "):
        check_models(data)


def test_reading__of_a_file_with_a_fault__raises(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**DATA, "models": [{**DATA["models"][0], "tier": "huge"}]}
    monkeypatch.setattr(catalogue, "_read", lambda name: broken)
    catalogue._models_file.cache_clear()
    try:
        with pytest.raises(catalogue.CatalogueFault, match=r"gpt-4\.1\.tier"):
            catalogue.version()
    finally:
        catalogue._models_file.cache_clear()


def test_entries__have_a_source_and_the_day_of_their_check() -> None:
    known = catalogue.models()
    assert {"gpt-5.6-luna", "text-embedding-ada-002"} <= set(known)
    spaces = [model.facts.vector_space for model in known.values() if model.facts.vector_space]
    assert len(spaces) == len(set(spaces)) == 3
    assert known["text-embedding-ada-002"].facts.refused_params == {"dimensions"}
    assert known["gpt-6.1-sol"].facts.efforts == ("low", "medium", "high", "xhigh", "max")
    research = known["o3-deep-research"].facts.hosted_tools
    assert research == frozenset({"web_search_preview", "file_search", "mcp", "code_interpreter"})
    assert known["gpt-4.1"].facts.hosted_tools is None
