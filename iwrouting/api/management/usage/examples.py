"""The examples of the usage in the OpenAPI document; docs/api.md shows the same ones."""

from __future__ import annotations

import json
from typing import Any

COUNTS: dict[str, Any] = {
    "decisions": 412,
    "calls": 410,
    "resolves": 9,
    "errors": 3,
    "refused": 1,
    "client_closed": 0,
    "streams": 120,
    "attempts": 431,
    "fallbacks": 18,
    "calls_with_fallback": 17,
    "served_by_fallback": 14,
    "unpriced": 2,
    "estimated": 0,
    "timed": 410,
    "timed_first_byte": 406,
    "prompt_tokens": 1204000,
    "cached_tokens": 310000,
    "cache_write_tokens": None,
    "completion_tokens": 98400,
    "reasoning_tokens": 12800,
    "cost_pico": 3127400000000,
    "latency_ms": 511200,
    "first_byte_ms": 284100,
    "overhead_ms": 1530,
    "cost_usd": "3.1274",
}
ROW: dict[str, Any] = {"day": "2026-10-25", "project": "atlas", **COUNTS}
USAGE: dict[str, Any] = {
    "from": "2026-10-24T22:00:00.000Z",
    "to": "2026-10-25T23:00:00.000Z",
    "zone": "Europe/Berlin",
    "group_by": ["day", "project"],
    "read_from": ["cells"],
    "is_complete": True,
    "open_decisions": 0,
    "notes": [
        "Test traffic is left out; is_test=all counts it too.",
        "2 without a price are in no cost.",
    ],
    "groups": 1,
    "totals": COUNTS,
    "results": [ROW],
}
LINE = f"{json.dumps(ROW)}\n"
SHEET = "day,project,decisions,calls\n2026-10-25,atlas,412,410\n"
