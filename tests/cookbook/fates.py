"""What became of each of the cookbook's calls: served, fallen back, refused, left, broken off, still open."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.cookbook.flows import BIG_IMPORT, OUTAGE, Call
from tests.cookbook.world import ALIASES, LUNA_CHANGED, LUNA_LATER, MODELS

NANO_ENDS = datetime.fromisoformat("2026-10-23T00:00:00+00:00")
NO_MODEL = {"status": 404, "error_type": "invalid_request_error", "error_code": "model_not_found"}
BUSY = {"status": 503, "error_type": "server_error", "error_code": "server_is_overloaded"}
TOO_MANY = {"status": 429, "error_type": "rate_limit_error", "error_code": "rate_limit_exceeded", "retry_after_ms": 400}
SILENT = {"status": None, "error_type": "timeout_error", "error_code": "timeout"}

SPEED = {
    "gpt-4.1": (900, 9),
    "gpt-4.1-nano": (250, 3),
    "gpt-5.1": (1_900, 14),
    "gpt-6-luna": (220, 4),
    "text-embedding-3-small": (180, 0),
    "house-70b": (1_200, 22),
}
"""Milliseconds until the first byte, and for a token of output."""


@dataclass(slots=True)
class Fate:
    """The tries that failed, as (rung, model, how, milliseconds), and the end."""

    failed: list[tuple[int, str, dict[str, Any], int]] = field(default_factory=list)
    served: str = ""
    rung: int = 0
    result: str = "ok"
    error: dict[str, Any] = field(default_factory=dict)


def fate(call: Call) -> Fate:
    """What became of it."""
    at, flow = call.at, call.flow
    if flow.resolves:
        return Fate(result="resolved")
    if at.date() == BIG_IMPORT and flow.run == "import-{day}" and call.nth in (3, 4):
        return Fate(result="refused", error=_error(403, "permission_error", "run_budget_exceeded"))
    if flow.alias == "fast" and at.day == 12 and at.hour == 16:
        return Fate(result="refused", error=_error(400, "invalid_request_error", "max_context_tokens_exceeded"))
    if call.model == "gpt-5.1" and at.date() == OUTAGE and 10 <= at.hour < 16:
        return _outage(call)
    if call.model == "gpt-4.1-nano" and at >= NANO_ENDS:
        return Fate([(0, "gpt-4.1-nano", NO_MODEL, 140)], "gpt-4.1", 1, "ok_after_fallback")
    if flow.alias == "fast" and at.weekday() in (1, 3) and at.hour == 14:
        limited = [(0, call.model, TOO_MANY, 60 + call.number % 40)] * 2
        return Fate(limited, "gpt-4.1", 1, "ok_after_fallback")
    return _single(call)


def _outage(call: Call) -> Fate:
    slow = [(0, call.model, BUSY, 6_000 + call.number % 7 * 500)]
    if call.at.hour == 14:
        error = _error(503, "upstream_error", "all_candidates_failed")
        return Fate([*slow, (1, "gpt-4.1", BUSY, 4_000)], result="error", error=error)
    return Fate(slow, "gpt-4.1", 1, "ok_after_fallback")


def _single(call: Call) -> Fate:
    if call.number % 67 == 0 and call.model == "gpt-5.1":
        return Fate([(0, call.model, SILENT, 30_000)], "gpt-4.1", 1, "ok_after_fallback")
    if call.number % 53 == 0 and call.flow.stream:
        return Fate(served=call.model, result="client_closed")
    if call.number % 101 == 0 and call.flow.stream:
        return Fate(served=call.model, result="truncated", error=_error(200, "upstream_error", "stream_truncated"))
    return Fate(served=call.model)


def _error(status: int, kind: str, code: str) -> dict[str, Any]:
    return {"status": status, "error_type": kind, "error_code": code}


def spread(call: Call, salt: int) -> float:
    """A number from 0 to 1 that is another for each call, and the same each time."""
    return (call.number * 7919 + salt * 104_729) % 1009 / 1008


def used(call: Call, model: str) -> dict[str, int | None]:
    """The tokens of a call that a model served."""
    prompt = int(call.flow.prompt * (0.6 + 0.8 * spread(call, 1)))
    answer = int(call.flow.answer * (0.6 + 0.8 * spread(call, 2)))
    again = call.nth > 0 and call.flow.alias in ("auto", "worker_code", "summary")
    return {
        "prompt_tokens": prompt,
        "cached_tokens": prompt * 3 // 5 // 128 * 128 if again else 0,
        "completion_tokens": answer,
        "reasoning_tokens": answer * 3 // 5 if model == "gpt-5.1" else 0,
    }


def cost(call: Call, model: str, tokens: dict[str, int | None]) -> int | None:
    """Pico-dollars at the price that was in force; None where there is none."""
    prices = LUNA_LATER if model == "gpt-6-luna" and call.at >= LUNA_CHANGED else MODELS[model][3]
    if prices is None:
        return None
    fresh, cached, output = (round(float(word) * 1_000_000) for word in prices.split())
    hit = tokens["cached_tokens"] or 0
    return ((tokens["prompt_tokens"] or 0) - hit) * fresh + hit * cached + (tokens["completion_tokens"] or 0) * output


def times(call: Call, model: str, answer: int) -> tuple[int, int]:
    """Microseconds until the first byte and until the end, of the try that served. Afternoons are slow."""
    first_ms, token_ms = SPEED[model]
    load = 1.6 if model == "gpt-5.1" and call.at.hour in (14, 15) else 1.0
    first = int(first_ms * 1000 * load * (0.7 + 0.6 * spread(call, 3)))
    return first, first + int(answer * token_ms * 1000 * load * (0.8 + 0.4 * spread(call, 4)))


def rung_alias(call: Call, rung: int) -> str:
    """The alias that a rung of its chain names."""
    alias = call.mode or call.flow.alias
    return alias if rung == 0 else ALIASES[alias][3][rung - 1]
