"""The examples of the management API in the OpenAPI document; docs/api.md shows the same ones."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

LADDER: list[dict[str, Any]] = [
    {"source": "project_override", "value": None, "state": "not_set", "ref": "project_override:fast"},
    {"source": "override", "value": None, "state": "not_set", "ref": "override:fast"},
    {"source": "environment", "value": None, "state": "not_set", "ref": "OPENAI_MODEL_FAST"},
    {"source": "default", "value": "gpt-4.1-mini", "state": "used", "ref": "alias:fast"},
]
CHAIN: list[dict[str, Any]] = [
    {
        "rung": 0,
        "alias": "fast",
        "model": "gpt-4.1-mini",
        "source": "default",
        "upstream": "environment",
        "skip": None,
    }
]
ATTEMPT: dict[str, Any] = {
    "seq": 1,
    "kind": "call",
    "rung": 0,
    "try": 1,
    "batch": None,
    "alias": "fast",
    "model": "gpt-4.1-mini",
    "upstream": "environment",
    "endpoint": "chat",
    "skip_reason": None,
    "changes": [],
    "sent_at": "2026-11-22T20:00:00.125Z",
    "first_byte_ms": 798.2,
    "duration_ms": 807.9,
    "status": 200,
    "error_type": None,
    "error_code": None,
    "error_param": None,
    "upstream_request_id": "req_1f0c",
    "retry_after_ms": None,
    "bytes_sent": 212,
    "bytes_received": 845,
    "chunks": None,
}
OUTCOME: dict[str, Any] = {
    "result": "ok",
    "origin": "server",
    "ended_at": "2026-11-22T20:00:00.934Z",
    "status": 200,
    "error_type": None,
    "error_code": None,
    "error_param": None,
    "model_served": "gpt-4.1-mini",
    "upstream_served": "environment",
    "endpoint_served": "chat",
    "calls": 1,
    "fallbacks": 0,
    "finish_reason": "stop",
    "prompt_tokens": 1000,
    "cached_tokens": 0,
    "cache_write_tokens": None,
    "completion_tokens": 100,
    "reasoning_tokens": 0,
    "tokens_source": "provider",
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    "cost_pico": 560000000,
    "cost_usd": "0.00056",
    "cost_state": "exact",
    "price_version": "catalogue 2026-11-22",
    "latency_ms": 811.6,
    "first_byte_ms": 798.2,
    "overhead_ms": 3.7,
    "bytes_delivered": 845,
    "chunks_delivered": None,
}
DECISION: dict[str, Any] = {
    "decision_id": "019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11",
    "created_at": "2026-11-22T20:00:00.123Z",
    "project": "atlas",
    "project_external_id": None,
    "key_id": "0f3a9c1d2e",
    "request_id": "req-1",
    "run_id": "run-42",
    "tags": ["nightly"],
    "client_retry": 0,
    "endpoint": "chat",
    "is_stream": False,
    "is_test": False,
    "model_asked": "auto",
    "alias": "auto",
    "kind": "chat_mode",
    "inferred_mode": "fast",
    "reason": "short and simple: 1 word",
    "features": {"messages": 1, "chars": 2, "words": 1, "lines": 1},
    "model_resolved": "gpt-4.1-mini",
    "upstream": "environment",
    "source": "default",
    "ladder": LADDER,
    "chain": CHAIN,
    "warnings": [],
    "revision": 41,
    "environment_id": "9f0c2b7d6a5e4f31",
    "catalogue_version": "2026-11-22",
    "rules_version": "2026-11-22.1",
    "app_version": "0.1.0",
    "estimate_tokens": 53,
    "estimate_source": "bytes",
    "attempts": [ATTEMPT],
    "outcome": OUTCOME,
}
ALIASES: dict[str, Any] = {
    "results": [
        {
            "name": "fast",
            "kind": "chat_mode",
            "purpose": "Short answers at low cost",
            "variable": "OPENAI_MODEL_FAST",
            "default_model": "gpt-4.1-mini",
            "tier": "small",
            "subsystem": "4",
            "infer": True,
            "chain": ["auto"],
            "model": "gpt-4.1-mini",
            "source": "default",
            "upstream": "environment",
        }
    ],
    "project": None,
    "revision": 41,
    "environment_id": "9f0c2b7d6a5e4f31",
}
PROJECT_BODY = OpenApiExample(
    "Example", {"slug": "maps", "name": "Maps", "owner": "Maps team", "enabled": True}, request_only=True
)
