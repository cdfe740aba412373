"""What some rows promise beyond status and code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.sandbox.raw import Raw

Check = Callable[[Raw, bool], None]
"""Asserts something of what came back; the flag says whether another model answered."""


def no_more(_got: Raw, _fell: bool) -> None:
    """Nothing beyond the rest."""


def waits(low: int, high: int) -> Check:
    """The caller is told so many seconds, where nobody else answers."""

    def check(got: Raw, fell: bool) -> None:
        assert fell or low <= int(got.headers["retry-after"]) <= high

    return check


def redacted(got: Raw, fell: bool) -> None:
    """The provider's text passes without our key, and says that something is missing, where it passes at all."""
    passed = b"You sent" in got.body
    assert passed == (b"[redacted]" in got.body)
    assert passed or fell or got.error["code"] == "all_candidates_failed"


def listed(got: Raw, fell: bool) -> None:
    """Every attempt stands in the error, in safe form."""
    details = got.error["details"]
    assert [detail["seq"] for detail in details] == list(range(1, len(details) + 1))
    assert all(set(detail) <= {"seq", "kind", "rung", "model", "status", "type", "code", "ms"} for detail in details)
    assert not fell


def indexes(*wanted: Any) -> Check:
    """The tool calls' deltas have these values as `index`, and arguments that nobody merged or cut."""

    def check(got: Raw, _fell: bool) -> None:
        events = [json.loads(frame.removeprefix(b"data: ")) for frame in got.frames[:-1]]
        calls = [c for e in events for choice in e["choices"] for c in choice["delta"].get("tool_calls") or ()]
        assert {call.get("index", "none") for call in calls} == set(wanted)
        assert [call["function"]["name"] for call in calls if "name" in call["function"]] == ["add", "sum"]
        assert "".join(call["function"]["arguments"] for call in calls) == "{}{}"

    return check
