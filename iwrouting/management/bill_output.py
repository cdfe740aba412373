"""How `audit_reconcile` tells a provider's bill by day and model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iwrouting.pricing import dollars
from iwrouting.reports.reconcile import MEANINGS, TOTAL, Day, Sum

TABLE = (
    "day", "model", "share", "verdict", "input", "theirs_input", "output", "theirs_output", "cost", "theirs_cost",
    "reasons",
)  # fmt: skip
COLUMNS = (
    "day", "model", "share_percent", "verdict", "requests", "theirs_requests", "sent", "input_tokens",
    "theirs_input_tokens", "cached_tokens", "theirs_cached_tokens", "output_tokens", "theirs_output_tokens",
    "left_input_tokens", "left_output_tokens", "cost_usd", "theirs_cost_usd", "left_cost_usd", "reasons",
)  # fmt: skip
TOKENS: Mapping[str, str] = {"input_tokens": "prompt", "cached_tokens": "cached", "output_tokens": "completion"}


def day_row(day: Day) -> dict[str, Any]:
    """One day and model as JSON has it."""
    return {
        "day": day.day,
        "model": day.model,
        "verdict": day.verdict,
        "share_percent": None if day.share is None else round(day.share, 3),
        "sent": day.sent,
        "ours": _side(day.ours, tokens=not day.is_cost, cost=True),
        "theirs": _side(day.theirs, tokens=not day.is_cost, cost=day.is_cost),
        "left": _left(day),
        "reasons": [
            {
                "code": code,
                "count": tally.calls,
                "input_tokens": tally.prompt,
                "output_tokens": tally.completion,
                "cost_usd": dollars(tally.cost_pico),
            }
            for code, tally in day.reasons.items()
        ],
    }


def sheet_row(day: Day) -> dict[str, Any]:
    """The same as a row of COLUMNS."""
    told = day_row(day)
    theirs = {f"theirs_{name}": value for name, value in told["theirs"].items()}
    left = {f"left_{name}": value for name, value in told["left"].items()}
    return {**told, **told["ours"], **theirs, **left, "reasons": _reasons(day)}


def table_row(day: Day) -> dict[str, Any]:
    """The same as a row of TABLE."""
    share = "-" if day.share is None else f"{day.share:.2f}%"
    found = {"day": day.day, "model": day.model, "share": share, "verdict": day.verdict, "reasons": _reasons(day)}
    found["cost"] = f"${dollars(day.ours.cost_pico)}"
    if day.is_cost:
        return {**found, "theirs_cost": f"${dollars(day.theirs.cost_pico)}"}
    tokens = {"input": day.ours.prompt, "output": day.ours.completion}
    theirs = {"theirs_input": day.theirs.prompt, "theirs_output": day.theirs.completion}
    return {**found, **tokens, **theirs}


def legend(days: Sequence[Day]) -> Iterator[str]:
    """The reasons that the totals name, each with its meaning."""
    codes = sorted({code for day in days if day.day == TOTAL for code in day.reasons})
    yield from (f"{code}: {MEANINGS[code]}." for code in codes)


def _side(side: Sum, *, tokens: bool, cost: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"requests": side.requests} if tokens else {}
    if tokens:
        told |= {name: getattr(side, field) for name, field in TOKENS.items()}
    return {**told, "cost_usd": dollars(side.cost_pico)} if cost else told


def _left(day: Day) -> dict[str, Any]:
    if day.is_cost:
        return {"cost_usd": dollars(day.left["cost_pico"])}
    return {"input_tokens": day.left["prompt"], "output_tokens": day.left["completion"]}


def _reasons(day: Day) -> str:
    return ", ".join(f"{code} {tally.calls:,}" if tally.calls else code for code, tally in day.reasons.items())
