"""JSON in and out of a translated stream, with what orjson refuses: half a surrogate pair, cut between two deltas."""

from __future__ import annotations

import json
from typing import Any

import orjson

from iwrouting.upstream.sse import frame_data


def frame_of(chunk: dict[str, Any]) -> bytes:
    """A chat chunk as a frame."""
    return b"data: " + dumps(chunk) + b"\n\n"


def dumps(value: dict[str, Any]) -> bytes:
    """An object as JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def loads(data: bytes) -> dict[str, Any]:
    """The object in JSON text. Raises ValueError for anything else."""
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError:
        parsed = _slowly(data)
    if not isinstance(parsed, dict):
        raise ValueError("no object")
    return parsed


def event_of(frame: bytes) -> dict[str, Any] | None:
    """The event of a frame; None for a comment and the terminal marker. Raises ValueError for a malformed one."""
    data = frame_data(frame)
    return None if data in (b"", b"[DONE]") else loads(data)


def _slowly(data: bytes) -> object:
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
