"""Whether the vectors of an embeddings answer can be what was asked for (faults.md U25). Pure."""

from __future__ import annotations

import binascii
import math
import struct
from base64 import b64decode
from typing import Any

NOT_FINITE = (0x7F, 0xFF)
"""The last byte of a little-endian float32 that may be infinite or no number: every ordinary one is smaller."""


def sort_items(data: object, size: int) -> list[dict[str, Any]] | None:
    """The items sorted by `index`, or None unless there is exactly one for each of `size` inputs."""
    if not isinstance(data, list) or len(data) != size or not all(isinstance(item, dict) for item in data):
        return None
    by_index = {index: item for item in data if type(index := item.get("index")) is int}
    if by_index.keys() != set(range(size)):
        return None
    return [by_index[index] for index in range(size)]


def common_width(items: list[dict[str, Any]]) -> int | None:
    """How many numbers each vector has; None unless all have as many, and each number is finite."""
    widths = {_width(item.get("embedding")) for item in items}
    return widths.pop() if len(widths) == 1 else None


def _width(vector: object) -> int | None:
    """The width of one vector, as a list or as base64 of little-endian float32; None for a bad one."""
    if isinstance(vector, str):
        return _packed_width(vector)
    if not isinstance(vector, list) or not vector:
        return None
    try:
        return len(vector) if math.isfinite(sum(vector)) else None
    except TypeError:
        return None


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
