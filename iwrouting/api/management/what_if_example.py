"""The example of the what-if in the OpenAPI document; docs/api.md shows the same one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

BODY = OpenApiExample(
    "Example",
    {"override": {"alias": "manager", "project": "atlas", "model": "gpt-4.1"}, "days": 7},
    request_only=True,
)
_LINE: dict[str, Any] = {
    "calls": 1200,
    "changed": 1200,
    "tokens": {
        "prompt_tokens": 1800000,
        "cached_tokens": 300000,
        "cache_write_tokens": 0,
        "completion_tokens": 240000,
        "reasoning_tokens": 0,
    },
    "before": {
        "cost_usd": "4.3125",
        "cost_pico": 4312500000000,
        "exact": 1200,
        "estimated": 0,
        "unpriced": 0,
        "none": 0,
    },
    "after": {"cost_usd": "5.07", "cost_pico": 5070000000000, "exact": 1200, "estimated": 0, "unpriced": 0, "none": 0},
    "compared": 1200,
    "difference_pico": 757500000000,
    "difference_usd": "0.7575",
}
ANSWER: dict[str, Any] = {
    "proposal": {
        "changes": [
            {
                "operation": "create",
                "object_type": "override",
                "name": "manager for atlas",
                "changed": {"model": [None, "gpt-4.1"]},
            }
        ],
        "refused": [],
        "findings": [],
    },
    "start": "2026-11-15T20:00:00.000Z",
    "end": "2026-11-22T20:00:00.000Z",
    "revision": 41,
    "environment_id": "9f0c2b7d6a5e4f31",
    "total": {**_LINE, "calls": 20000},
    "recorded": {
        "cost_usd": "91.2",
        "cost_pico": 91200000000000,
        "exact": 19990,
        "estimated": 10,
        "unpriced": 0,
        "none": 0,
    },
    "by_alias": [{"alias": "manager", **_LINE}],
    "by_project": [{"project": "atlas", **_LINE, "calls": 5000}],
    "by_model": [{"model_before": "gpt-5.1", "model_after": "gpt-4.1", **_LINE}],
    "unpriced": [],
    "conflicts": [],
    "drifted": 0,
    "refused": 3,
    "resolves": 0,
    "resolves_changed": 0,
    "assumed": ["Tokens are those of the records: another model would count and answer with others."],
}
