"""What makes a JSON schema unusable, in the provider's words: malformed keywords, and what strict mode demands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.schemas import pointed

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
LISTS = ("anyOf", "oneOf", "allOf")
MAPS = ("properties", "$defs", "definitions")

Steps = tuple[str, ...]


def is_number(value: Any) -> bool:
    """Whether a value is a finite number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def is_count(value: Any) -> bool:
    """Whether a value is a length that an answer can have."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100_000


def is_type(value: Any) -> bool:
    """Whether a value is a type's name or a list of them."""
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in TYPES for name in names)


def is_schema(value: Any) -> bool:
    """Whether a value can stand where a schema does."""
    return isinstance(value, dict)


def is_filled_list(value: Any) -> bool:
    """Whether a value is a list of at least one item."""
    return isinstance(value, list) and bool(value)


KEYWORDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "type": (is_type, "a type or an array of types"),
    "enum": (is_filled_list, "an array of at least one value"),
    "required": (lambda v: isinstance(v, list) and all(isinstance(key, str) for key in v), "an array of strings"),
    "format": (lambda v: isinstance(v, str), "a string"),
    "$ref": (lambda v: isinstance(v, str), "a string"),
    "items": (is_schema, "a schema"),
    **dict.fromkeys(MAPS, (lambda v: isinstance(v, dict) and all(map(is_schema, v.values())), "an object of schemas")),
    **dict.fromkeys(LISTS, (lambda v: is_filled_list(v) and all(map(is_schema, v)), "an array of schemas")),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (is_number, "a number")),
    "multipleOf": (lambda v: is_number(v) and v > 0, "a positive number"),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), (is_count, "a length")),
}


def schema_problem(schema: Any, *, strict: bool) -> str | None:
    """What keeps a schema from being used; None: nothing. `strict`: it has to be closed, all members required."""
    for steps, inner in branches(schema):
        problem = malformed(inner, schema) or (not_strict(inner) if strict else None)
        if problem:
            return f"In context={context(steps)}, {problem}"
    return None


def malformed(schema: Json, root: Any) -> str | None:
    """The first keyword with an unusable value, or a reference to nothing."""
    for name, (fits, expected) in KEYWORDS.items():
        if name in schema and not fits(schema[name]):
            return f"'{name}' is not valid: expected {expected}."
    target = schema.get("$ref")
    if target is not None and not isinstance(pointed(root, target), dict):
        return f"reference '{target[:80]}' does not point to a schema."
    return None


def not_strict(schema: Json) -> str | None:
    """What strict mode misses in one object schema."""
    properties = schema.get("properties")
    if schema.get("type") != "object" and properties is None:
        return None
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    absent = [key for key in properties or {} if key not in (schema.get("required") or [])]
    if not absent:
        return None
    return (
        "'required' is required to be supplied and to be an array including every key in properties. Missing "
        f"'{absent[0]}'."
    )


def branches(schema: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Json]]:
    """A schema and all schemas inside it, each with the steps that lead to it; unusable ones are passed over."""
    if not isinstance(schema, dict):
        return
    yield steps, schema
    for word in MAPS:
        inner = schema.get(word)
        for key, value in inner.items() if isinstance(inner, dict) else ():
            yield from branches(value, (*steps, word, key))
    for word in LISTS:
        options = schema.get(word)
        for index, value in enumerate(options if isinstance(options, list) else ()):
            yield from branches(value, (*steps, word, str(index)))
    yield from branches(schema.get("items"), (*steps, "items"))


def context(steps: Steps) -> str:
    """The steps as the provider writes them."""
    return "(" + ", ".join(f"'{step}'" for step in steps) + ("," if len(steps) == 1 else "") + ")"
