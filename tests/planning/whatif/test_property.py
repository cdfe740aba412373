"""The what-if against its slow definition, on random configurations, changes and calls.

WHAT_IF_WORLDS says how many worlds are tried, and FAULTS_SEED the first of them (`make faults ONLY=what-if`).
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from django.db import connection

from iwrouting.planning.whatif import WhatIf, what_if
from iwrouting.planning.whatif.result import Line
from iwrouting.planning.whatif.words import REFUSALS
from tests.planning.whatif.naive import naive
from tests.planning.whatif.worlds import BASE, HOUR, changed, configuration, record

WORLDS = int(os.environ.get("WHAT_IF_WORLDS", "1" if connection.vendor == "postgresql" else "8"))
SEED = int(os.environ.get("FAULTS_SEED", "1"))
CALLS = 60


@pytest.mark.django_db
def test_what_if__any_world_and_change__says_what_its_definition_says() -> None:
    changes = 0
    for number in range(SEED, SEED + WORLDS):
        dice = Random(number)  # noqa: S311 - a world that can be had again
        start = BASE + (number - SEED) * HOUR
        before = configuration(dice, start)
        record(dice, before, start, CALLS)
        for _ in range(5):
            after = changed(dice, before, start)
            found = what_if(before, after, start, start + HOUR)
            said = naive(before, after, start, start + HOUR, datetime.now(UTC).date())
            assert _as_said(found) == _without_nothing(said), f"world {number}"
            assert all(len(conflict.examples) > 0 for conflict in found.conflicts), f"world {number}"
            changes += found.total.changed
    assert changes > 10 * WORLDS


def _as_said(found: WhatIf) -> dict[str, Any]:
    lines: dict[Any, Counter[str]] = {"total": _line(found.total)}
    lines |= {("alias", name): _line(line) for name, line in found.by_alias.items()}
    lines |= {("project", name): _line(line) for name, line in found.by_project.items()}
    lines |= {("model", name): _line(line) for name, line in found.by_model.items()}
    unpriced: Counter[str] = Counter()
    for each in found.unpriced:
        unpriced[each.model] += each.calls
    return _without_nothing(
        {
            "lines": lines,
            "unpriced": unpriced,
            "conflicts": Counter(
                {(each.kind, each.model or _reason(each.told)): each.calls for each in found.conflicts}
            ),
            "refused": found.refused,
            "resolves": found.resolves,
            "resolves_changed": found.resolves_changed,
            "drifted": found.drifted,
            "recorded_pico": found.recorded.cost_pico,
        }
    )


def _reason(told: str) -> str:
    return next(reason for reason, text in REFUSALS.items() if text == told)


def _line(line: Line) -> Counter[str]:
    found = Counter(calls=line.calls, changed=line.changed, compared=line.compared, difference=line.difference_pico)
    found.update({name: getattr(line.tokens, name) for name in line.tokens.__slots__})
    for side, money in (("before", line.before), ("after", line.after)):
        found[f"{side}_pico"] = money.cost_pico
        found.update({f"{side}_{name}": getattr(money, name) for name in ("exact", "estimated", "unpriced", "none")})
    return found


def _without_nothing(said: dict[str, Any]) -> dict[str, Any]:
    """Without counts of 0, and without the lines in which nothing changes: the real one leaves them out."""
    lines = {
        place: {name: count for name, count in line.items() if count}
        for place, line in said["lines"].items()
        if place == "total" or line["changed"]
    }
    counters = {name: {key: n for key, n in said[name].items() if n} for name in ("unpriced", "conflicts")}
    return {**said, "lines": lines, **counters}
