"""Structured answers: whatever the schema, the answer fits it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are not among our pins
import pytest

from iwrouting.sandbox.schemas import example
from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#"}},
        "parent": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
    },
    "required": ["name", "children", "parent"],
    "additionalProperties": False,
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
            "required": ["next"],
            "additionalProperties": False,
        }
    },
}

SCHEMAS: list[Any] = [
    {"type": "object", "properties": {}, "additionalProperties": False},
    {"type": "string", "minLength": 40},
    {"type": "string", "maxLength": 3},
    {"type": "string", "format": "date-time"},
    {"type": "integer", "minimum": 7, "maximum": 9},
    {"type": "integer", "maximum": -4},
    {"type": "number", "exclusiveMinimum": 2.5},
    {"type": "number", "exclusiveMaximum": 0.5},
    {"type": "integer", "minimum": 10, "multipleOf": 7},
    {"type": ["null", "boolean"]},
    {"type": "null"},
    {"const": {"a": 1}},
    {"enum": ["x", "y"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3},
    {"type": "array", "items": {"enum": [1]}},
    {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]
    },
    {"properties": {"a/b": {"$ref": "#/$defs/c~1d"}}, "$defs": {"c/d": {"type": "boolean"}}, "required": ["a/b"]},
    TREE,
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=range(len(SCHEMAS)))
def test_the_value_fits_the_schema_and_is_always_the_same(schema: Any) -> None:
    value = example(schema)
    jsonschema.validate(value, schema)
    assert example(schema) == value


def test_a_structured_answer_fits_its_schema_on_both_apis(sandbox: SandboxProcess) -> None:
    inner = {"name": "tree", "strict": True, "schema": TREE}
    body = raw.hello(response_format={"type": "json_schema", "json_schema": inner})
    text = raw.post(sandbox.base_url, raw.CHAT, body).json["choices"][0]["message"]["content"]
    jsonschema.validate(json.loads(text), TREE)
    body = {"model": "gpt-5.1", "input": "hi", "text": {"format": {"type": "json_schema", **inner}}}
    output = raw.post(sandbox.base_url, "/v1/responses", body).json["output"]
    jsonschema.validate(json.loads(output[-1]["content"][0]["text"]), TREE)


def test_json_mode_answers_an_object(sandbox: SandboxProcess) -> None:
    body = {
        "model": "gpt-4.1",
        "messages": [{"role": "user", "content": "as JSON"}],
        "response_format": {"type": "json_object"},
    }
    text = raw.post(sandbox.base_url, raw.CHAT, body).json["choices"][0]["message"]["content"]
    assert json.loads(text)["sandbox"].startswith("sandbox: gpt-4.1")
