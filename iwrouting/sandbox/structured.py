"""Function definitions and output shapes: `response_format` of chat, `text.format` of responses, `parameters`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.refusals import Refused, invalid_type, invalid_value, missing, short
from iwrouting.sandbox.schema_rules import schema_problem
from iwrouting.sandbox.schemas import example
from iwrouting.sandbox.tools import Tool
from iwrouting.sandbox.words import text_of

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
TYPES = ("json_object", "json_schema", "text")


@dataclass(frozen=True, slots=True)
class Shape:
    """An output that has to be JSON; `schema` None: any object."""

    schema: Any

    def render(self, text: str) -> str:
        """The answer as JSON: a value of the schema, or an object that holds the text."""
        value = {"sandbox": text} if self.schema is None else example(self.schema)
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def check_name(value: Any, param: str) -> str:
    """A function's or a schema's name. Refused: missing, no string, other characters than letters, digits, _ and -."""
    if value is None:
        raise missing(param)
    if not isinstance(value, str):
        raise invalid_type(param, "a string", value)
    if not NAME.fullmatch(value):
        message = (
            f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'."
        )
        raise Refused(400, message, param=param, code="invalid_value")
    return value


def check_function(function: Json, param: str) -> Tool:
    """A function's definition as a tool. Refused: an unusable name or schema; strict rules only where asked for."""
    name = check_name(function.get("name"), f"{param}.name")
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise invalid_type(f"{param}.parameters", "an object", parameters)
    if parameters is not None and parameters.get("type", "object") != "object":
        raise bad_schema(f"function '{name}'", f"schema must be a JSON Schema of 'type: \"object\"', got "
                         f"'type: \"{short(parameters['type'])}\"'.", f"{param}.parameters")  # fmt: skip
    problem = schema_problem(parameters, strict=function.get("strict") is True)
    if problem:
        raise bad_schema(f"function '{name}'", problem, f"{param}.parameters")
    return Tool(name, parameters)


def bad_schema(what: str, problem: str, param: str) -> Refused:
    """400 for a schema that the provider can't hold an answer to."""
    code = "invalid_function_parameters" if what.startswith("function") else None
    return Refused(400, f"Invalid schema for {what}: {problem}", param=param, code=code)


def chat_shape(value: Json | None, messages: list[Json]) -> Shape | None:
    """The shape that `response_format` asks for; None: text."""
    if value is None:
        return None
    if value.get("type") != "json_schema":
        return plain_shape(value, "response_format", "messages", [text_of(m.get("content")) for m in messages])
    inner = value.get("json_schema")
    if inner is None:
        raise missing("response_format.json_schema")
    if not isinstance(inner, dict):
        raise invalid_type("response_format.json_schema", "an object", inner)
    return schema_shape(inner, "response_format", "response_format.json_schema")


def responses_shape(text: Json | None, texts: list[str]) -> Shape | None:
    """The shape that `text.format` asks for; None: text."""
    value = (text or {}).get("format")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid_type("text.format", "an object", value)
    if value.get("type") != "json_schema":
        return plain_shape(value, "text.format", "input", texts)
    return schema_shape(value, "text.format", "text.format")


def plain_shape(value: Json, param: str, source: str, texts: list[str]) -> Shape | None:
    """`text` or `json_object`; the latter wants the word "json" somewhere in the prompt."""
    kind = value.get("type")
    if kind is None:
        raise missing(f"{param}.type")
    if kind == "text":
        return None
    if kind != "json_object":
        raise invalid_value(f"{param}.type", kind, TYPES)
    if not any("json" in text.lower() for text in texts):
        message = f"'{source}' must contain the word 'json' in some form, to use '{param}' of type 'json_object'."
        raise Refused(400, message, param=source)
    return Shape(None)


def schema_shape(value: Json, param: str, path: str) -> Shape:
    """A checked `json_schema`."""
    name = check_name(value.get("name"), f"{path}.name")
    schema = value.get("schema")
    if schema is None:
        raise missing(f"{path}.schema")
    if not isinstance(schema, dict):
        raise invalid_type(f"{path}.schema", "an object", schema)
    problem = schema_problem(schema, strict=value.get("strict") is True)
    if problem:
        raise bad_schema(f"{param} '{name}'", problem, param)
    return Shape(schema)
