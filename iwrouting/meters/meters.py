"""Counting in one worker: a look-up and an addition, in memory, without a lock. In the event loop alone."""

from __future__ import annotations

import os
from bisect import bisect_left

from iwrouting.meters.board import MOST, SCRATCH, Board, make
from iwrouting.meters.metric import Metric
from iwrouting.meters.names import METRICS, OTHER

MOST_AT_ONCE = 2**53
"""What one event can add: no true count of tokens or microseconds comes near it, nor a true cost."""

Labels = tuple[str, ...]


class Meters:
    """The metrics of calls of one worker, on the board of its `serve`. `owner`: the process that keeps the board."""

    def __init__(self, board: Board, number: int, owner: int) -> None:
        self.board = board
        self.owner = owner
        self._slot = board.slot(number)
        self._words = self._slot.words
        self._at: dict[Metric, dict[Labels, int]] = {metric: self._known(metric) for metric in METRICS}

    def add(self, metric: Metric, labels: Labels, amount: int = 1) -> None:
        """Add to a counter: from 0 to MOST_AT_ONCE, whatever it is."""
        at = self._at[metric].get(labels)
        if at is None:
            at = self._place(metric, labels)
        self._words[at] = (self._words[at] + min(max(amount, 0), MOST_AT_ONCE)) & MOST

    def move(self, metric: Metric, labels: Labels, by: int) -> None:
        """Raise or lower this worker's part of a gauge."""
        at = self._at[metric].get(labels)
        self._words[self._place(metric, labels) if at is None else at] += by

    def observe(self, metric: Metric, labels: Labels, value: int) -> None:
        """Put a value into a histogram: from 0 to MOST_AT_ONCE, whatever it is."""
        at = self._at[metric].get(labels)
        if at is None:
            at = self._place(metric, labels)
        value = min(max(value, 0), MOST_AT_ONCE)
        words, bounds = self._words, metric.bounds
        bucket = at + bisect_left(bounds, value)
        words[bucket] = (words[bucket] + 1) & MOST
        total = at + len(bounds) + 1
        words[total] = (words[total] + value) & MOST

    def _known(self, metric: Metric) -> dict[Labels, int]:
        """What stands in the slot from a worker before this one, and what must stand there."""
        found = {
            key[1:]: at
            for key, (at, width) in self._slot.found.items()
            if key[0] == metric.name and width == metric.width and len(key) == len(metric.labels) + 1
        }
        if metric.kind == "gauge":
            for at in found.values():
                self._words[at] = 0
        for labels in (_rest(metric), *metric.starts):
            place = found.get(labels) or self._slot.place((metric.name, *labels), metric.width)
            if place is not None:
                found[labels] = place
        return found

    def _place(self, metric: Metric, labels: Labels) -> int:
        at = self._slot.place((metric.name, *labels), metric.width)
        if at is None:
            return self._at[metric].get(_rest(metric), SCRATCH)
        self._at[metric][labels] = at
        return at


def _rest(metric: Metric) -> Labels:
    """The labels of what finds no more room."""
    return (OTHER,) * len(metric.labels)


_given: list[tuple[int, int, int]] = []


def use(handle: int, number: int, owner: int) -> None:
    """Count on this memory from now on, in slot `number`: what a worker's parent gave it."""
    _given[:] = [(handle, number, owner)]


def mine() -> Meters:
    """The meters of this process; without a parent that keeps the numbers, in memory of its own."""
    if _given:
        handle, number, owner = _given[0]
        return Meters(Board(handle), number, owner)
    handle = make(1)
    try:
        return Meters(Board(handle), 0, os.getpid())
    finally:
        os.close(handle)
