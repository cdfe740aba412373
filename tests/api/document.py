"""Checks of answers against the OpenAPI document."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # carries no types

from iwrouting.api.schema.generator import openapi

PASSED_THROUGH = ("ChatCompletion", "Embeddings", "Response", "Deleted", "InputItems")
"""What the provider sends may have members that the document does not name."""


@cache
def components() -> dict[str, Any]:
    """The document's schemas, such that no object of ours may have a member that they do not name."""
    found: dict[str, Any] = copy.deepcopy(openapi()["components"])
    for name, schema in found["schemas"].items():
        if "properties" in schema and name not in PASSED_THROUGH:
            schema["additionalProperties"] = False
    return found


def operation(method: str, path: str) -> dict[str, Any]:
    """One operation of the document; `path` with the document's parameters, such as /v1/models/{name}."""
    found: dict[str, Any] = openapi()["paths"][path][method.lower()]
    return found


def faults(method: str, path: str, status: int, body: object) -> list[str]:
    """What an answer has that the document does not promise for this status, and the reverse."""
    response = operation(method, path)["responses"].get(str(status))
    if response is None:
        return [f"{method} {path} may not answer {status}"]
    schema = response["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": components()})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
