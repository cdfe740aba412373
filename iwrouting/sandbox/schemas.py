"""A value for a well-formed JSON schema, always the same for the same one: tool arguments, structured answers."""

from __future__ import annotations

from typing import Any

from iwrouting.sandbox.answer import Json

DEEPEST = 6
"""Levels after which only required members are made, so that a recursive schema ends."""

FORMATS = {
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "date-time": "2026-01-02T03:04:05Z",
    "duration": "PT1H",
    "email": "sandbox@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example(schema: Any, name: str = "value", root: Any = None, depth: int = 0) -> Any:
    """A value that the schema allows. `name` is the member it stands under; `root` holds the `$defs`."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > 3 * DEEPEST:
        return None
    schema = resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return example(alternative(schema[word], depth), name, root, depth + 1)
    return of_type(schema, name, root, depth)


def alternative(options: list[Any], depth: int) -> Any:
    """One of several schemas: the first, or deep down null where that is allowed."""
    if depth > DEEPEST:
        return next((o for o in options if isinstance(o, dict) and o.get("type") == "null"), options[0])
    return options[0]


def resolved(schema: Json, root: Any, depth: int = 0) -> Json:
    """The schema behind a local `$ref`, with the members of `allOf` laid over one another, as deep as they end."""
    target = schema.get("$ref")
    if isinstance(target, str):
        found = pointed(root, target)
        schema = {**found, **{k: v for k, v in schema.items() if k != "$ref"}} if isinstance(found, dict) else {}
    merged = dict(schema)
    for part in schema.get("allOf") or () if depth < DEEPEST else ():
        inner = resolved(part, root, depth + 1)
        properties = {**merged.get("properties", {}), **inner.get("properties", {})}
        merged = {**merged, **inner, **({"properties": properties} if properties else {})}
    return merged


def pointed(root: Any, reference: str) -> Any:
    """What a reference like `#/$defs/Step` names; None where it names nothing."""
    found = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def of_type(schema: Json, name: str, root: Any, depth: int) -> Any:
    """A value of the schema's type; a list of types means the first that is not null."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    if kind == "object" or (kind is None and "properties" in schema):
        return an_object(schema, root, depth)
    if kind == "array" or (kind is None and "items" in schema):
        return an_array(schema, name, root, depth)
    if kind in ("integer", "number"):
        return a_number(schema, integer=kind == "integer")
    if kind == "boolean":
        return True
    return None if kind == "null" else a_string(schema, name)


def an_object(schema: Json, root: Any, depth: int) -> Json:
    """An object with all its properties; deep down only the required ones."""
    required = schema.get("required") or []
    properties = schema.get("properties") or {}
    wanted = [key for key in properties if depth <= DEEPEST or key in required]
    return {key: example(properties[key], key, root, depth + 1) for key in wanted}


def an_array(schema: Json, name: str, root: Any, depth: int) -> list[Any]:
    """An array of one item, or of as few as `minItems` allows; deep down empty where it may be."""
    least = schema.get("minItems") or 0
    count = max(least, 0 if depth > DEEPEST else 1)
    return [example(schema.get("items", {}), name, root, depth + 1) for _ in range(count)]


def a_number(schema: Json, *, integer: bool) -> float:
    """The smallest allowed number from 1 up."""
    value: float = max(1, schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
    if "maximum" in schema:
        value = min(value, schema["maximum"])
    if "exclusiveMaximum" in schema:
        value = min(value, schema["exclusiveMaximum"] - 1)
    step = schema.get("multipleOf")
    if step:
        value = -(-value // step) * step
    return int(value) if integer else value


def a_string(schema: Json, name: str) -> str:
    """A string of the asked format and length that says where it comes from."""
    value = FORMATS.get(schema.get("format", ""), f"sandbox {name}")
    value = value.ljust(schema.get("minLength") or 0, "x")
    longest = schema.get("maxLength")
    return value if longest is None else value[:longest]
