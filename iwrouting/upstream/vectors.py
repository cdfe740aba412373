"""Whether the vectors of an embeddings answer can be what was asked for (faults.md U25, openai-facts.md 6). Pure."""

from __future__ import annotations

import binascii
import math
import re
import struct
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from iwrouting.types import ModelFacts
from iwrouting.upstream.failures import Failure

NOT_FINITE = (0x7F, 0xFF)
"""The last byte of a little-endian float32 that may be infinite or no number: every ordinary one is smaller."""

FORMS = {"float": list, "base64": str}
"""What a vector is under each `encoding_format`; without one the wire's default is float."""

NUMBERS = {int, float}
INDEX = re.compile(r"\binput\[(\d{1,9})\]")


@dataclass(frozen=True, slots=True)
class Expected:
    """What each vector must be. `form` str: base64, or numbers from a provider that knows no base64; None: an encoding
    that we don't know. `width` None: any, but one for all."""

    form: type | None = list
    width: int | None = None


def expected_vectors(body: Mapping[str, Any], facts: ModelFacts) -> Expected:
    """What a request asks for; where it asks for no width, the model's own."""
    asked, given = body.get("dimensions"), body.get("encoding_format")
    form = FORMS.get(given) if isinstance(given, str) else None
    return Expected(list if given is None else form, asked if type(asked) is int else facts.dimensions)


def sort_items(data: object, size: int) -> list[dict[str, Any]] | None:
    """The items sorted by `index`, or None unless there is exactly one for each of `size` inputs."""
    if not isinstance(data, list) or len(data) != size or not all(isinstance(item, dict) for item in data):
        return None
    by_index = {index: item for item in data if type(index := item.get("index")) is int}
    if by_index.keys() != set(range(size)):
        return None
    return [by_index[index] for index in range(size)]


def common_width(items: list[dict[str, Any]], expected: Expected) -> int | None:
    """How many numbers each vector has; None unless all are as expected, equally wide, and each number is finite."""
    vectors = [item.get("embedding") for item in items]
    # Providers that know no base64 give numbers; the SDK, which asks for base64 unasked, takes them.
    forms = (str, list) if expected.form is str else expected.form
    if forms is not None and not all(isinstance(vector, forms) for vector in vectors):
        return None
    widths = {_width(vector) for vector in vectors}
    width = widths.pop() if len(widths) == 1 else None
    return width if expected.width in (None, width) else None


def renumbered(failure: Failure, start: int, size: int) -> Failure:
    """A refusal of one batch in the caller's own numbering: the batch holds `size` items from number `start` on.

    A 400 that names no item gets told which ones it was about.
    """
    if failure.status != 400:
        return failure

    def moved(found: re.Match[str]) -> str:
        return f"input[{int(found[1]) + start}]"

    param, message = (INDEX.sub(moved, text) for text in (failure.param, failure.message))
    if message and not INDEX.search(param + message) and param in ("", "input"):
        message = f"{message} (in the batch of input[{start}] to input[{start + size - 1}])"
    return replace(failure, param=param, message=message)


def _width(vector: object) -> int | None:
    """The width of one vector, as a list or as base64 of little-endian float32; None for a bad one."""
    if isinstance(vector, str):
        return _packed_width(vector)
    if not isinstance(vector, list) or not vector or not set(map(type, vector)) <= NUMBERS:
        return None
    return len(vector) if math.isfinite(sum(vector)) else None


def _packed_width(text: str) -> int | None:
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not data or len(data) % 4:
        return None
    suspects = data[3::4]
    if any(byte in suspects for byte in NOT_FINITE) and not all(
        map(math.isfinite, struct.unpack(f"<{len(data) // 4}f", data))
    ):
        return None
    return len(data) // 4
