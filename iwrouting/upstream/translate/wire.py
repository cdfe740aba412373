"""JSON in and out of a translated stream, with what orjson refuses: half a surrogate pair, cut between two deltas."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any, NoReturn

import orjson

from iwrouting.upstream.sse import frame_data

DEEP = 200
"""How deep an event may be nested: what is much deeper can be read but not written again."""


def frame_of(chunk: dict[str, Any]) -> bytes:
    """A chat chunk as a frame."""
    return b"data: " + dumps(chunk) + b"\n\n"


def dumps(value: dict[str, Any]) -> bytes:
    """An object as JSON. Raises ValueError for one that is nested too deep."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _written_slowly(value)


def loads(data: bytes) -> dict[str, Any]:
    """The object in JSON text. Raises ValueError for anything else, and for what could not be written again."""
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError:
        parsed = _slowly(data)
    if not isinstance(parsed, dict):
        raise ValueError("no object")
    if data.count(b"[") + data.count(b"{") > DEEP and _depth(parsed) > DEEP:
        raise ValueError("nested too deep")
    return parsed


def event_of(frame: bytes) -> dict[str, Any] | None:
    """The event of a frame; None for a comment and the terminal marker. Raises ValueError for a malformed one."""
    data = frame_data(frame)
    return None if data in (b"", b"[DONE]") else loads(data)


def _slowly(data: bytes) -> object:
    try:
        return json.loads(data, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _written_slowly(value: object) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _depth(parsed: object) -> int:
    """How deep a value is nested, as far as DEEP and a level more."""
    level, depth = [parsed], 0
    while level and depth <= DEEP:
        depth += 1
        level = [inner for each in level for inner in _inside(each)]
    return depth


def _inside(value: object) -> Collection[object]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in found if isinstance(each, dict | list)]
