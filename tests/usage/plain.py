"""The usage of stored decisions, by plain sums in Python over their rows: what reading it is held to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from iwrouting.models import Attempt, Decision, Outcome, UsageCell
from iwrouting.models.usage import DIMENSIONS, MEASURES

LOOKS = {"responses.get", "responses.cancel", "responses.delete", "responses.items"}
TOKENS = ("prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens", "cost_pico")
TIMES = ("latency_ms", "first_byte_ms", "overhead_ms")
Counts = dict[str, int | None]


@dataclass(frozen=True, slots=True)
class Call:
    """An ended decision: when, its dimensions by the names of the columns, its labels, and its measures."""

    at: datetime
    facts: dict[str, Any]
    run: str
    tags: frozenset[str]
    counts: Counts


def calls() -> list[Call]:
    """All that are stored and count."""
    outcomes: dict[Any, dict[str, Outcome]] = defaultdict(dict)
    for outcome in Outcome.objects.all():
        outcomes[outcome.decision_id][outcome.origin] = outcome
    attempts: dict[Any, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.all():
        attempts[attempt.decision_id].append(attempt)
    return [
        _call(decision, found.get("server") or found["sweeper"], attempts[decision.pk])
        for decision in Decision.objects.all()
        if decision.endpoint not in LOOKS and (found := outcomes.get(decision.pk))
    ]


def _call(decision: Decision, outcome: Outcome, attempts: list[Attempt]) -> Call:
    facts: dict[str, Any] = {name: getattr(decision, name, "") for name in DIMENSIONS}
    facts["rule"] = decision.reason.partition(":")[0][:64] if decision.inferred_mode else ""
    facts["model_served"] = outcome.model_served
    facts["upstream"] = outcome.upstream_served or decision.upstream
    tags = frozenset(json.loads(decision.tags))
    return Call(decision.decision_at, facts, decision.run_id, tags, _counts(decision, outcome, attempts))


def _counts(decision: Decision, outcome: Outcome, attempts: list[Attempt]) -> Counts:
    tried, fallbacks = outcome.calls, outcome.fallbacks
    if outcome.origin == "sweeper":
        tried = sum(each.kind == "call" for each in attempts)
        fallbacks = max(len({each.rung for each in attempts if each.skip_reason != "duplicate"}) - 1, 0)
    call = outcome.result != "resolved"
    found: Counts = dict.fromkeys(MEASURES)
    found |= {name: getattr(outcome, name) for name in TOKENS}
    found |= {name: _milliseconds(getattr(outcome, name.replace("_ms", "_us"))) if call else None for name in TIMES}
    found |= {
        "decisions": int(call),
        "calls": int(call and decision.endpoint != "responses.usage"),
        "resolves": int(not call),
        "errors": int(outcome.result in {"error", "truncated", "interrupted"}),
        "refused": int(outcome.result == "refused"),
        "client_closed": int(outcome.result == "client_closed"),
        "streams": int(call and decision.is_stream),
        "attempts": tried,
        "fallbacks": fallbacks,
        "calls_with_fallback": int(fallbacks > 0),
        "served_by_fallback": int(outcome.result == "ok_after_fallback"),
        "unpriced": int(outcome.cost_state == "unpriced"),
        "estimated": int(outcome.cost_state == "estimated"),
        "timed": int(found["latency_ms"] is not None),
        "timed_first_byte": int(found["first_byte_ms"] is not None),
    }
    return found


def _milliseconds(microseconds: int | None) -> int | None:
    return None if microseconds is None else (microseconds + 500) // 1000


def total(counts: Iterable[Counts]) -> Counts:
    """All together; what nobody reported stays None, counts of nothing are 0."""
    rows = [*counts]
    said = {name: [row[name] for row in rows if row[name] is not None] for name in MEASURES}
    return {
        name: sum(value for value in said[name] if value is not None)
        if said[name] or not UsageCell._meta.get_field(name).null
        else None
        for name in MEASURES
    }


def grouped(found: Iterable[Call], key: Callable[[Call], Iterable[Any]]) -> dict[Any, Counts]:
    """The totals by what `key` says of each: a call counts under each of its keys."""
    groups: dict[Any, list[Counts]] = defaultdict(list)
    for call in found:
        for each in key(call):
            groups[each].append(call.counts)
    return {name: total(rows) for name, rows in groups.items()}
