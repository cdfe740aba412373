"""Twelve decisions of 3 and 4 November 2026 whose place in every view is known by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from iwrouting.models import Decision
from tests.audit_tables.rows import attempt, decision, outcome

DAY = datetime(2026, 11, 3, 10, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 4, tzinfo=UTC)
NANO, MINI, MAIN, CODEX = "gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1", "gpt-5.1-codex"


def id_of(number: int) -> str:
    """The dashed id of a decision of the story."""
    return f"01890000-0000-7000-8000-{number:012d}"


def tell() -> None:
    """Store the story."""
    _served_at_once(_decide(1, run_id="run-1", request_id="req-1", key_id="k1", is_stream=True, warnings='["a", "b"]'))
    code = {"alias": "code", "kind": "chat_mode", "model_asked": "code", "model_resolved": CODEX}
    _fell_back_over_a_duplicate(_decide(2, source="project_override", run_id="run-1", **code))
    _tried_twice_then_fell_back_twice(_decide(3, project="borealis", **code))
    _failed_everywhere(_decide(4))
    _still_open(_decide(5))
    _closed_by_both(_decide(6))
    _closed_by_the_sweeper(_decide(7))
    only_resolved = _decide(8, alias="fast", kind="chat_mode", model_resolved=NANO, source="environment")
    outcome(only_resolved, "resolved")
    outcome(_decide(9, project="borealis"), "refused", status=400, error_code="context_window")
    _cheap(_decide(10, is_test=True), 7)
    named = {"alias": "", "kind": "", "source": "explicit"}
    _cheap(_decide(11, at=NEXT_DAY - timedelta(microseconds=1), **named), 1)
    _cheap(_decide(12, at=NEXT_DAY, **named), 1)


def _decide(number: int, **values: Any) -> Decision:
    return decision(values.pop("at", DAY + timedelta(minutes=number)), id=UUID(id_of(number)), **values)


def _served_at_once(of: Decision) -> None:
    sent_at = of.decision_at + timedelta(milliseconds=1)
    sizes = {"bytes_sent": 300, "bytes_received": 4000, "chunks": 12}
    times = {"sent_at": sent_at, "first_byte_us": 98_500, "end_us": 811_499}
    attempt(of, 1, 0, model=MAIN, status=200, changes='["max_tokens"]', upstream_request_id="up-1", **sizes, **times)
    tokens = {"prompt_tokens": 100, "cached_tokens": 40, "completion_tokens": 20, "reasoning_tokens": 5}
    cost = {"cost_pico": 123_456_789_012, "cost_state": "exact", "price_version": "p1"}
    times = {"latency_us": 812_499, "first_byte_us": 99_500, "overhead_us": 1_499}
    served = {"model_served": MAIN, "upstream_served": "openai", "tokens_source": "provider", "finish_reason": "stop"}
    outcome(of, "ok", status=200, calls=1, **tokens, **cost, **times, **served)


def _fell_back_over_a_duplicate(of: Decision) -> None:
    attempt(of, 1, 0, model=CODEX, status=404, error_code="model_not_found", error_type="invalid_request_error")
    attempt(of, 2, 1, kind="skip", model=CODEX, skip_reason="duplicate")
    attempt(of, 3, 2, model=MAIN, status=200, upstream="azure")
    served = {"model_served": MAIN, "upstream_served": "azure", "latency_us": 3_000_000}
    used = {"prompt_tokens": 200, "completion_tokens": 100, "cost_pico": 2_000_000_000, "cost_state": "exact"}
    outcome(of, "ok_after_fallback", calls=2, fallbacks=1, **served, **used)


def _tried_twice_then_fell_back_twice(of: Decision) -> None:
    attempt(of, 1, 0, model=CODEX, status=500, end_us=200_000)
    attempt(of, 2, 0, model=CODEX, status=500, end_us=300_000, try_number=2, retry_after_ms=250)
    attempt(of, 3, 1, kind="skip", model=MINI, skip_reason="model_disabled")
    attempt(of, 4, 2, model=NANO, status=200, end_us=1_500_000)
    used = {"prompt_tokens": 300, "completion_tokens": 30, "cost_state": "unpriced", "latency_us": 2_500_000}
    outcome(of, "ok_after_fallback", calls=3, fallbacks=2, model_served=NANO, **used)


def _failed_everywhere(of: Decision) -> None:
    attempt(of, 1, 0, model=MAIN, status=429, error_code="rate_limit_exceeded")
    attempt(of, 2, 1, model=MINI, error_type="timeout_error")
    error = {"status": 502, "error_type": "upstream_error", "error_code": "all_candidates_failed"}
    outcome(of, "error", calls=2, fallbacks=1, cost_state="unpriced", **error)


def _still_open(of: Decision) -> None:
    attempt(of, 1, 0, kind="skip", model=MAIN, skip_reason="breaker_open")
    attempt(of, 2, 1, model=MINI)


def _closed_by_both(of: Decision) -> None:
    attempt(of, 1, 0, model=MAIN, status=200)
    outcome(of, "interrupted", origin="sweeper", cost_state="unpriced")
    used = {"prompt_tokens": 10, "completion_tokens": 1, "tokens_source": "bytes"}
    outcome(of, "ok", calls=1, model_served=MAIN, cost_pico=5, cost_state="estimated", latency_us=100_000, **used)


def _closed_by_the_sweeper(of: Decision) -> None:
    attempt(of, 1, 0, model=MAIN)
    outcome(of, "interrupted", origin="sweeper", cost_state="unpriced")


def _cheap(of: Decision, cost_pico: int) -> None:
    attempt(of, 1, 0, model=MAIN, status=200)
    used = {"prompt_tokens": 1, "completion_tokens": 1, "cost_pico": cost_pico, "cost_state": "exact"}
    outcome(of, "ok", calls=1, model_served=MAIN, latency_us=50_000, **used)
