"""Recorded calls in groups: all calls of a group resolve alike, meet the same limits and have the same price."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from iwrouting.models import Decision
from iwrouting.planning.whatif.result import MOST_EXAMPLES
from iwrouting.planning.whatif.splits import Splits
from iwrouting.planning.whatif.statement import MILLION, counts, statement

SLICES = 64
LONG_S, SHORT_S = 0.8, 0.3
"""A slice of time that took longer to read is halved, one that took less doubled."""

A_MS = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECISION_ID = Decision._meta.get_field("id")
HINTS = "SET LOCAL jit = off; SET LOCAL enable_sort = off"
"""Compiling the statement takes longer than it runs; its groups are few, which the planner can't know."""


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
            self._read_groups(found, start, stop)
            self._read_rest(start, stop)
            self.step = _next(self.step, time.monotonic() - began)
            start = stop
            self.progress(Told((start - self.start) / (self.end - self.start), self.decisions))
        return found

    def _read_groups(self, found: dict[Group, Sums], start: datetime, end: datetime) -> None:
        if self.splits.names == ():
            return
        for row in self._rows(statement(self.splits), self.splits.keys, start, end):
            group, sums = Group(*row[:WIDTH]), _sums(row[WIDTH:])
            known = found.get(group)
            found[group] = sums if known is None else known.plus(sums)
            self.decisions += sums.calls

    def _read_rest(self, start: datetime, end: datetime) -> None:
        if self.splits.names is None:
            return
        for *names, calls, dollars, more in self._rows(counts(self.splits), (), start, end):
            rest = Rest(*names)
            before = self.rest.get(rest, (0, 0))
            self.rest[rest] = (before[0] + calls, before[1] + dollars * MILLION + more)
            self.decisions += calls

    def at(self, moment: datetime) -> Iterator[tuple[Group, str]]:
        """Each decision of one millisecond: its group and its id. Raises TooLong, or a database error."""
        sql = statement(self.splits, singly=True)
        for row in self._rows(sql, self.splits.keys, moment, moment + A_MS):
            yield Group(*row[:WIDTH]), str(UUID(str(row[WIDTH])))

    def _rows(self, sql: str, keys: Sequence[str], start: datetime, end: datetime) -> Sequence[Any]:
        times = [connection.ops.adapt_datetimefield_value(moment) for moment in (start, end)]
        ids = [DECISION_ID.get_db_prep_value(first_id(moment), connection) for moment in (start, end + A_MS)]
        with self._cursor() as cursor:
            cursor.execute(sql, [*keys, *(times + ids) * 3, *(self.splits.projects or ()), *(self.splits.names or ())])
            rows: Sequence[Any] = cursor.fetchall()
            return rows

    @contextmanager
    def _cursor(self) -> Iterator[CursorWrapper]:
        """A cursor for one statement."""
        left = None if self.until is None else self.until - time.monotonic()
        if left is not None and left <= 0:
            raise TooLong
        if connection.vendor != "postgresql":
            with connection.cursor() as cursor:
                yield cursor
            return
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(HINTS)
                if left is not None:
                    cursor.execute(f"SET LOCAL statement_timeout = {int(left * 1000) + 1}")
                yield cursor
        except OperationalError as error:
            if left is not None and "statement timeout" in str(error):
                raise TooLong from None
            raise


def first_id(moment: datetime) -> UUID:
    """The lowest UUIDv7 of a moment's millisecond."""
    return UUID(int=((moment - EPOCH) // A_MS) << 80)


def _sums(row: Sequence[Any]) -> Sums:
    calls, prompt, cached, written, completion, reasoning, dollars, rest, at = row
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Sums(calls, prompt, cached, written, completion, reasoning, dollars * MILLION + rest, (moment,))


def _next(step: timedelta, took_s: float) -> timedelta:
    if took_s > LONG_S:
        return step / 2
    return step * 2 if took_s < SHORT_S else step
