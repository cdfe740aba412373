"""Recorded calls in groups: all calls of a group resolve alike, meet the same limits and have the same price."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from iwrouting.models import Decision
from iwrouting.models.patience import OutOfTime, cursor_for
from iwrouting.planning.whatif.result import MOST_EXAMPLES
from iwrouting.planning.whatif.splits import Splits
from iwrouting.planning.whatif.statement import MILLION, counts, statement
from iwrouting.types.ids import A_MS, first_id

SLICES, FEWEST_SLICES = 64, 8
"""Of a window: into how many parts it is cut at first, and at least."""

LONG_S, SHORT_S, SLICE_S = 0.8, 0.3, 3.0
"""A slice of time that took longer to read is halved, one that took less doubled, one that takes this long given up."""

SHORTEST = timedelta(seconds=1)
HINTS = "SET LOCAL jit = off; SET LOCAL enable_sort = off; SET LOCAL enable_nestloop = off; "
"""For PostgreSQL: to compile the statement takes longer than to run it; its groups are few, which no planner knows; and
it takes time and id for two conditions, expects one row, and would try all pairs of a slice."""

DECISION_ID = Decision._meta.get_field("id")
Rows = Sequence[Any]


class Group(NamedTuple):
    """What the calls of a group have in common. `mode`: the chat mode that `auto` was taken for.

    `input`, `whole` and `output` are tokens: the fewest that are over the same limits. `used_tools`: the answer called
    a function; `read_images`: the messages had some. `shape` tells which classes of tokens were used (statement.py).
    """

    project: str
    key_id: str
    asked: str
    mode: str
    endpoint: str
    resolved: str
    served: str
    result: str
    state: str
    price_version: str
    shape: int
    input: int
    whole: int
    output: int
    used_tools: int
    read_images: int
    single: str


class Sums(NamedTuple):
    """What the calls of a group add up to: tokens by class, and the cost as recorded. `at`: some of the newest."""

    calls: int
    prompt: int
    cached: int
    cache_write: int
    completion: int
    reasoning: int
    cost_pico: int
    at: tuple[datetime, ...]

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.calls + other.calls,
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.cache_write + other.cache_write,
            self.completion + other.completion,
            self.reasoning + other.reasoning,
            self.cost_pico + other.cost_pico,
            tuple(sorted({*self.at, *other.at}, reverse=True)[:MOST_EXAMPLES]),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """How far a reading is: the part of the window, from 0 to 1, and the decisions in it."""

    part: float
    decisions: int


class TooLong(Exception):
    """The decisions of the window can't be read in the time allowed."""


WIDTH = len(Group._fields)


class Rest(NamedTuple):
    """What calls have in common that the change can't touch."""

    project: str
    asked: str
    endpoint: str
    result: str
    state: str


@dataclass(slots=True)
class Reader:
    """Reads the decisions from `start` to `end`. `until`, by the monotonic clock: when it must be done.

    `rest` gathers the calls that the change can't touch: how many, and their cost as recorded.
    """

    splits: Splits
    start: datetime
    end: datetime
    progress: Callable[[Told], object]
    until: float | None = None
    decisions: int = 0
    rest: dict[Rest, tuple[int, int]] = field(default_factory=dict)
    step: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self.step = (self.end - self.start) / SLICES

    def read(self, start: datetime, end: datetime) -> dict[Group, Sums]:
        """The groups of a part of the window. Raises TooLong, or a database error."""
        found: dict[Group, Sums] = {}
        while start < end:
            stop = min(start + self.step, end)
            began = time.monotonic()
            try:
                groups, rest = self._groups(start, stop), self._rest(start, stop)
            except OutOfTime:
                self._shorten(start)
                continue
            self._add(found, groups, rest)
            self._adapt(time.monotonic() - began)
            start = stop
            self._tell(start)
        return found

    def _groups(self, start: datetime, end: datetime) -> Rows:
        if self.splits.names == ():
            return ()
        return self._rows(statement(self.splits), self.splits.keys, start, end)

    def _rest(self, start: datetime, end: datetime) -> Rows:
        return () if self.splits.names is None else self._rows(counts(self.splits), (), start, end)

    def _add(self, found: dict[Group, Sums], groups: Rows, rest: Rows) -> None:
        for row in groups:
            group, sums = Group(*row[:WIDTH]), _sums(row[WIDTH:])
            known = found.get(group)
            found[group] = sums if known is None else known.plus(sums)
            self.decisions += sums.calls
        for *names, calls, dollars, more in rest:
            before = self.rest.get(Rest(*names), (0, 0))
            self.rest[Rest(*names)] = (before[0] + calls, before[1] + dollars * MILLION + more)
            self.decisions += calls

    def _adapt(self, took_s: float) -> None:
        if took_s > LONG_S:
            self.step = max(self.step / 2, SHORTEST)
        elif took_s < SHORT_S:
            self.step = min(self.step * 2, (self.end - self.start) / FEWEST_SLICES)

    def _shorten(self, start: datetime) -> None:
        """Go on with a much shorter slice. Raises TooLong where the whole time is up."""
        if self.until is not None and time.monotonic() >= self.until:
            raise TooLong
        self.step = max(self.step / 4, SHORTEST)
        self._tell(start)

    def _tell(self, start: datetime) -> None:
        self.progress(Told((start - self.start) / (self.end - self.start), self.decisions))

    def at(self, moment: datetime) -> Iterator[tuple[Group, str]]:
        """Each decision of one millisecond: its group and its id. Raises TooLong, or a database error."""
        sql = statement(self.splits, singly=True)
        try:
            rows = self._rows(sql, self.splits.keys, moment, moment + A_MS)
        except OutOfTime:
            raise TooLong from None
        for row in rows:
            yield Group(*row[:WIDTH]), str(UUID(str(row[WIDTH])))

    def _rows(self, sql: str, keys: Sequence[str], start: datetime, end: datetime) -> Rows:
        times = [connection.ops.adapt_datetimefield_value(moment) for moment in (start, end)]
        ids = [DECISION_ID.get_db_prep_value(first_id(moment), connection) for moment in (start, end + A_MS)]
        with cursor_for(self._patience_s(), HINTS) as cursor:
            cursor.execute(sql, [*keys, *(times + ids) * 3, *(self.splits.projects or ()), *(self.splits.names or ())])
            rows: Rows = cursor.fetchall()
            return rows

    def _patience_s(self) -> float | None:
        """How long a statement may take: what is left, and no longer than a slice that can be shortened should."""
        left = None if self.until is None else self.until - time.monotonic()
        if left is not None and left <= 0:
            raise TooLong
        if self.step <= SHORTEST:
            return left
        return SLICE_S if left is None else min(left, SLICE_S)


def _sums(row: Sequence[Any]) -> Sums:
    calls, prompt, cached, written, completion, reasoning, dollars, rest, at = row
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Sums(calls, prompt, cached, written, completion, reasoning, dollars * MILLION + rest, (moment,))
