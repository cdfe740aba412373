"""What-if: recorded decisions through another configuration, without calling any model (docs/what-if.md).

Read in groups, judge each group under both configurations, price what changes, add up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

from iwrouting.planning.whatif.costing import Cost, Prices
from iwrouting.planning.whatif.groups import Group, Reader, Sums, Told, TooLong
from iwrouting.planning.whatif.judging import AUTO_NAMES, REFUSED, Judge, Verdict, vector_problem
from iwrouting.planning.whatif.result import Conflict, Line, Unpriced, WhatIf
from iwrouting.planning.whatif.schedule import cuts, lasting
from iwrouting.planning.whatif.splits import splits
from iwrouting.planning.whatif.tally import Judged, Tally, recorded_cost
from iwrouting.planning.whatif.words import assumptions, conflict_text, unpriced_text
from iwrouting.resolver import facts_of
from iwrouting.resolver.names import find_alias
from iwrouting.types import Configuration, KeyFacts, Kind, Scope
from iwrouting.types.ids import A_MS, EPOCH

K = TypeVar("K")
DAYS, MAX_DAYS = 7, 90
"""How many days back are looked at: usually, and at most."""

__all__ = ["DAYS", "MAX_DAYS", "Conflict", "Told", "TooLong", "Unpriced", "WhatIf", "what_if"]


def what_if(
    before: Configuration,
    after: Configuration,
    start: datetime,
    end: datetime,
    *,
    progress: Callable[[Told], object] = lambda told: None,
    until: float | None = None,
    projects: Collection[str] | None = None,
) -> WhatIf:
    """The decisions from `start` up to, not including, `end` (UTC, to the millisecond) under `after`.

    `before` is what holds now: only what the two say differently counts as changed. `projects`: whose calls are looked
    at, by slug; None: all. `progress` is told after each slice of time. `until`, by the monotonic clock: raises TooLong
    once that is past. Raises database errors.
    """
    start, end = _to_the_millisecond(start), _to_the_millisecond(end)
    if start >= end:
        raise ValueError(f"the window from {start} to {end} is empty")
    work = _Work(before, lasting(before, after), Reader(splits(before, after, projects), start, end, progress, until))
    borders = (start, *cuts(before, after, start, end), end)
    for low, high in pairwise(borders):
        work.take(low, high)
    return work.result()


def _to_the_millisecond(moment: datetime) -> datetime:
    return EPOCH + (moment - EPOCH) // A_MS * A_MS


class _Work:
    """One what-if under way."""

    def __init__(self, before: Configuration, after: Configuration, reader: Reader) -> None:
        today = datetime.now(UTC).date()
        self._before = Judge(before, today)
        self._after = Judge(after, today, _barred(before, after))
        self._prices = Prices(before, after)
        self._reader = reader
        self._tally = Tally()

    def take(self, start: datetime, end: datetime) -> None:
        """Read and judge a part of the window during which both configurations stay as they are."""
        for group, sums in self._reader.read(start, end).items():
            self._tally.add(self._judged(group, sums, start))

    def _judged(self, group: Group, sums: Sums, now: datetime) -> Judged:
        old, new = self._before.judge(group, now), self._after.judge(group, now)
        met = new.problems - old.problems if old.model or new.model else frozenset()
        if self._vectors_differ(group, old, new):
            met |= {("vector_space", new.model)}
        costs = (recorded_cost(group.state, sums.cost_pico), self._cost(group, sums, old, new, now))
        if group.asked in AUTO_NAMES and not group.mode:
            self._tally.without_mode += sums.calls
        return Judged(group, sums, self._alias(group.asked), old, new, costs, met)

    def _vectors_differ(self, group: Group, old: Verdict, new: Verdict) -> bool:
        alias = find_alias(self._before.config, group.asked)
        if alias is None or alias.kind is not Kind.EMBEDDING or not old.model or not new.model:
            return False
        return vector_problem(facts_of(self._before.config, old.model), facts_of(self._after.config, new.model))

    def _cost(self, group: Group, sums: Sums, old: Verdict, new: Verdict, at: datetime) -> Cost:
        if not new.model:
            return Cost(None, reason="none")
        if new.model == old.model:
            return recorded_cost(group.state, sums.cost_pico)
        return self._prices.moved(group, sums, new.model, at)

    def _alias(self, asked: str) -> str:
        """The alias that a name means; empty for a model id."""
        found = find_alias(self._before.config, asked) or find_alias(self._after.config, asked)
        return found.name if found else ""

    def result(self) -> WhatIf:
        """What came of it."""
        tally, before = self._tally, self._before.config
        for rest, (calls, cost_pico) in self._reader.rest.items():
            tally.add_rest(rest, self._alias(rest.asked), calls, cost_pico)
        return WhatIf(
            start=self._reader.start,
            end=self._reader.end,
            revision=before.revision,
            environment_id=before.environment.id,
            total=tally.total,
            recorded=tally.recorded,
            by_alias=_changed(tally.by_alias),
            by_project=_changed(tally.by_project),
            by_model=_changed(tally.by_model),
            unpriced=tuple(
                Unpriced(model, reason, calls, unpriced_text(model, reason))
                for (model, reason), calls in tally.unpriced.most_common()
                if calls
            ),
            conflicts=tuple(self._conflicts()),
            drifted=tally.drifted,
            refused=tally.refused,
            resolves=tally.resolves,
            resolves_changed=tally.resolves_changed,
            assumed=tuple(assumptions(tally.drifted, tally.without_mode)),
        )

    def _conflicts(self) -> Iterator[Conflict]:
        ids: dict[datetime, list[tuple[Group, str]]] = {}
        for problem, calls in self._tally.conflicts.most_common():
            examples = []
            for moment, group in self._tally.examples[problem]:
                if moment not in ids:
                    ids[moment] = list(self._reader.at(moment))
                examples += [ident for found, ident in ids[moment] if found == group][:1]
            kind, model = problem
            named = "" if kind == REFUSED else model
            yield Conflict(kind, named, calls, tuple(examples), conflict_text(problem, self._after.config))


def _barred(before: Configuration, after: Configuration) -> frozenset[str]:
    """The ids of keys that may call now and could not after the change."""
    could = {key.key_id for key in before.keys.values() if _may_call(key)}
    return frozenset(could - {key.key_id for key in after.keys.values() if _may_call(key)})


def _may_call(key: KeyFacts) -> bool:
    return key.revoked_at is None and Scope.CALL in key.scopes


def _changed(lines: dict[K, Line]) -> dict[K, Line]:
    """The lines with changed calls, most of them first."""
    found = [(name, line) for name, line in lines.items() if line.changed]
    return dict(sorted(found, key=lambda each: (-each[1].changed, str(each[0]))))
