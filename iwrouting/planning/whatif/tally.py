"""Adding up what was judged: lines by alias, project and model, what has no price, conflicts with their examples."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from iwrouting.planning.whatif.costing import Cost
from iwrouting.planning.whatif.groups import Group, Rest, Sums
from iwrouting.planning.whatif.judging import Problem, Verdict
from iwrouting.planning.whatif.result import MOST_EXAMPLES, Line, Money
from iwrouting.planning.whatif.statement import LATE_USAGE, RESOLVE
from iwrouting.types import CostState

K = TypeVar("K")
SERVED = ""
"""In `Group.result`: neither refused nor resolved without a call."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A group with what both configurations say of it."""

    group: Group
    sums: Sums
    alias: str
    before: Verdict
    after: Verdict
    costs: tuple[Cost, Cost]
    problems: frozenset[Problem]

    @property
    def calls(self) -> int:
        """How many calls it counts for: usage that was told later is no call of its own."""
        return 0 if self.group.endpoint == LATE_USAGE else self.sums.calls

    @property
    def changed(self) -> bool:
        """Whether another model would serve, or none."""
        return self.before.model != self.after.model


@dataclass(slots=True)
class Tally:
    """The sums so far."""

    total: Line = field(default_factory=Line)
    recorded: Money = field(default_factory=Money)
    by_alias: dict[str, Line] = field(default_factory=dict)
    by_project: dict[str, Line] = field(default_factory=dict)
    by_model: dict[tuple[str, str], Line] = field(default_factory=dict)
    unpriced: Counter[tuple[str, str]] = field(default_factory=Counter)
    conflicts: Counter[Problem] = field(default_factory=Counter)
    examples: dict[Problem, list[tuple[datetime, Group]]] = field(default_factory=dict)
    drifted: int = 0
    refused: int = 0
    resolves: int = 0
    resolves_changed: int = 0
    without_mode: int = 0

    def add(self, judged: Judged) -> None:
        """Count a group of calls."""
        group, sums = judged.group, judged.sums
        if group.result == "refused":
            self.refused += sums.calls
            return
        if group.result != SERVED or group.endpoint == RESOLVE:
            self.resolves += sums.calls
            self.resolves_changed += sums.calls if judged.changed else 0
            return
        count(self.recorded, judged.costs[0], judged.calls)
        self._meet(judged)
        lines = [self.total, _at(self.by_alias, judged.alias), _at(self.by_project, group.project)]
        if judged.changed:
            lines.append(_at(self.by_model, (judged.before.model, judged.after.model)))
            self.drifted += judged.calls if group.resolved != judged.before.primary else 0
        for line in lines:
            _count(line, judged)
        if judged.changed and judged.after.model and judged.costs[1].pico is None:
            self.unpriced[judged.after.model, judged.costs[1].reason] += judged.calls

    def add_rest(self, rest: Rest, alias: str, calls: int, cost_pico: int) -> None:
        """Count calls that the change can't touch."""
        if rest.result == "refused":
            self.refused += calls
        elif rest.result != SERVED or rest.endpoint == RESOLVE:
            self.resolves += calls
        else:
            calls = 0 if rest.endpoint == LATE_USAGE else calls
            count(self.recorded, recorded_cost(rest.state, cost_pico), calls)
            for line in (self.total, _at(self.by_alias, alias), _at(self.by_project, rest.project)):
                line.calls += calls

    def _meet(self, judged: Judged) -> None:
        for problem in judged.problems if judged.calls else ():
            self.conflicts[problem] += judged.calls
            met = self.examples.setdefault(problem, [])
            met += [(at, judged.group) for at in judged.sums.at]
            self.examples[problem] = heapq.nlargest(MOST_EXAMPLES, met, key=lambda each: each[0])


def recorded_cost(state: str, cost_pico: int) -> Cost:
    """The cost of calls as the records have it."""
    if state in (CostState.EXACT, CostState.ESTIMATED):
        return Cost(cost_pico, state == CostState.ESTIMATED)
    return Cost(None, reason="unpriced" if state == CostState.UNPRICED else "none")


def count(money: Money, cost: Cost, calls: int) -> None:
    """Count calls and what they cost together."""
    if cost.pico is not None:
        money.cost_pico += cost.pico
        money.exact += 0 if cost.estimated else calls
        money.estimated += calls if cost.estimated else 0
    elif cost.reason == "none":
        money.none += calls
    else:
        money.unpriced += calls


def _count(line: Line, judged: Judged) -> None:
    line.calls += judged.calls
    if not judged.changed:
        return
    line.changed += judged.calls
    for name in line.tokens.__slots__:
        setattr(line.tokens, name, getattr(line.tokens, name) + getattr(judged.sums, name))
    before, after = judged.costs
    count(line.before, before, judged.calls)
    count(line.after, after, judged.calls)
    if before.pico is not None and after.pico is not None:
        line.compared += judged.calls
        line.difference_pico += after.pico - before.pico


def _at(lines: dict[K, Line], name: K) -> Line:
    return lines.setdefault(name, Line())
