"""The examples of the telemetry in the OpenAPI document; docs/api.md shows the same ones."""

from __future__ import annotations

from typing import Any

TELEMETRY: dict[str, Any] = {
    "from": "2026-11-22T08:00:00.000Z",
    "to": "2026-11-22T20:00:00.000Z",
    "window": "reset",
    "reset_at": "2026-11-22T08:00:00.000Z",
    "project": None,
    "auto_routes": {"code": 12, "research": 4, "fast": 31, "deep": 9},
    "reasons": [
        {"inferred_mode": "code", "rule": "code-heavy", "calls": 11, "resolves": 1},
        {"inferred_mode": "research", "rule": "long", "calls": 1, "resolves": 0},
        {"inferred_mode": "research", "rule": "research-like", "calls": 3, "resolves": 0},
        {"inferred_mode": "fast", "rule": "short and simple", "calls": 31, "resolves": 0},
        {"inferred_mode": "deep", "rule": "everything else", "calls": 9, "resolves": 0},
    ],
    "fallback": {"attempts": 3, "successes": 2, "rungs": 4},
    "calls": 214,
    "resolves": 18,
    "errors": 1,
    "refused": 0,
    "client_closed": 2,
    "aliases": [
        {
            "calls": 159,
            "resolves": 17,
            "errors": 1,
            "refused": 0,
            "client_closed": 0,
            "fallback": {"attempts": 3, "successes": 2, "rungs": 4},
            "alias": "manager",
        },
    ],
}
RESET: dict[str, Any] = {**TELEMETRY, "reset_at": "2026-11-22T20:00:00.000Z"}
