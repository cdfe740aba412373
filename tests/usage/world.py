"""Random decisions about times at which clocks are changed and buckets end, and what is asked about them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from iwrouting.models import Attempt, Decision, Outcome
from tests.audit_tables import rows

TURNS = (
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe puts the clock forward by half an hour
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # Berlin back
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # New York back
)
START, END = datetime(2026, 10, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
NEAR = ("2026-10-03T15:00", "2026-10-24T18:15", "2026-10-24T18:30", "2026-10-25T00:00", "2026-11-01T05:00")
"""Where days of zones begin, too."""

A_MILLISECOND = timedelta(milliseconds=1)
"""The least by which two decisions differ in time."""

RESULTS = (
    "ok",
    "ok",
    "ok",
    "ok_after_fallback",
    "error",
    "truncated",
    "interrupted",
    "refused",
    "client_closed",
    "resolved",
)
ENDPOINTS = ("chat", "chat", "chat", "embeddings", "responses.usage", "responses.get")
TAGS = ("nightly", "a/b:c", "a", "b")
MODES = (("", ""), ("", ""), ("deep", "else: nothing"), ("code", "code-heavy"))


def moment(dice: Random) -> datetime:
    """A time of the world, often on or beside a bound of buckets or a change of clocks."""
    near = [*TURNS, *(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in NEAR)]
    if dice.random() < 0.1:
        at = START + dice.random() * (END - START)
    else:
        at = (
            dice.choice(near) + dice.randint(-5, 5) * timedelta(minutes=15) + dice.choice((-1, 0, 0, 1)) * A_MILLISECOND
        )
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def record(dice: Random, count: int) -> None:
    """Store so many decisions with all that may be on their rows."""
    decisions = [_decision(dice) for _ in range(count)]
    Decision.objects.bulk_create(decisions)
    Attempt.objects.bulk_create([_attempt(of, seq, dice) for of in decisions for seq in range(dice.randint(0, 3))])
    outcomes = [_outcome(of, origin, dice) for of in decisions for origin in _origins(dice)]
    Outcome.objects.bulk_create(outcomes)


def _decision(dice: Random) -> Decision:
    mode, reason = dice.choice(MODES)
    return Decision(
        **rows.decision_values(
            moment(dice),
            project=dice.choice(("atlas", "borealis", "")),
            alias=dice.choice(("auto", "manager")),
            key_id=dice.choice(("k1", "k2")),
            endpoint=dice.choice(ENDPOINTS),
            is_stream=dice.random() < 0.5,
            is_test=dice.random() < 0.2,
            inferred_mode=mode,
            reason=reason,
            run_id=dice.choice(("", "r1", "r2")),
            tags=json.dumps(dice.sample(TAGS, dice.randint(0, 3)), separators=(",", ":")),
            source=dice.choice(("default", "override")),
        )
    )


def _attempt(of: Decision, seq: int, dice: Random) -> Attempt:
    skipped = dice.random() < 0.3
    named: dict[str, Any] = (
        {"kind": "skip", "skip_reason": dice.choice(("duplicate", "window"))} if skipped else {"kind": "call"}
    )
    values = rows.audit_values(of.decision_at) | {"decision": of, "seq": seq + 1, "rung": dice.randint(0, 2)}
    return Attempt(**values, try_number=0 if skipped else 1, upstream="openai", endpoint="chat", **named)


def _origins(dice: Random) -> tuple[str, ...]:
    return dice.choice(((), ("sweeper",), ("server",), ("server",), ("server",), ("server", "sweeper")))


def _outcome(of: Decision, origin: str, dice: Random) -> Outcome:
    known = dice.random() < 0.7
    return Outcome(
        **rows.outcome_values(
            of,
            origin=origin,
            result=dice.choice(RESULTS),
            model_served=dice.choice(("gpt-4.1", "gpt-5.1", "")),
            upstream_served=dice.choice(("", "other")),
            calls=dice.randint(0, 3),
            fallbacks=dice.randint(0, 2),
            prompt_tokens=dice.randint(0, 10**6) if known else None,
            completion_tokens=dice.randint(0, 10**5) if known else None,
            cost_pico=dice.randint(0, 10**13) if known else None,
            cost_state=dice.choice(("exact", "estimated")) if known else "unpriced",
            latency_us=dice.randint(0, 10**8) if known else None,
            first_byte_us=dice.choice((None, 500, 1499, 1500, 2500)),
            overhead_us=dice.randint(0, 10**4),
        )
    )
