"""What an output may say, told apart from the translators: only what stands in the input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

TEXTS = {"content", "refusal", "arguments", "name", "call_id", "text", "delta", "model"}
"""Members whose texts are the provider's: none may be made up."""


HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Half a surrogate pair: two deltas may share a character, but pydantic reads no half."""


def leaves(value: Any) -> Iterator[Any]:
    """Every text and number inside a value; of objects the values."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            stack += each.values()
        elif isinstance(each, list):
            stack += each
        else:
            yield each


def texts(value: Any) -> set[str]:
    """The texts inside a value."""
    return {each for each in leaves(value) if isinstance(each, str)}


def said(value: Any) -> Iterator[str]:
    """The provider's texts in something that we made."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            yield from (text for name, text in each.items() if name in TEXTS and isinstance(text, str) and text)
            stack += each.values()
        elif isinstance(each, list):
            stack += each


def composed(text: str, known: set[str]) -> bool:
    """Whether a text is made of known ones, put one after the other."""
    if text in known:
        return True
    ends = {0}
    for at in range(len(text)):
        if at in ends:
            ends |= {at + len(each) for each in known if each and text.startswith(each, at)}
    return len(text) in ends


def counts(usage: Any) -> set[int]:
    """The numbers of a usage object."""
    return {each for each in leaves(usage) if type(each) is int}


def readable(data: bytes) -> Any:
    """The JSON in data, however odd; None where there is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> object:
    raise AssertionError(f"{name} is no JSON")


def faults(adapter: TypeAdapter[Any], data: bytes) -> list[str]:
    """Where JSON that we made is not of the SDK's type: the places, strictly judged."""
    try:
        json.loads(data, parse_constant=_refuse)
        adapter.validate_json(HALF.sub(b"?", data), strict=True)
    except ValidationError as error:
        return [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
    return []
