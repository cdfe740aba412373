"""When which fault comes, by the seed: faults of the database and of the processes, side by side."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.faults.storm.weather import POSTGRESQL, PROCESS, SQLITE, Kind


@dataclass(frozen=True)
class Event:
    """A fault that begins `at_s` seconds after the start and lasts `for_s`."""

    at_s: float
    for_s: float
    kind: Kind


@dataclass(frozen=True)
class Schedule:
    """The events of a round, each lane in order; within a lane none overlap."""

    seed: int
    seconds: float
    database: tuple[Event, ...]
    process: tuple[Event, ...]


def schedule(seed: int, database: str, seconds: float) -> Schedule:
    """The same for the same seed. Every kind of fault of a lane comes once before any comes twice."""
    dice = random.Random(f"{seed}-{database}")  # noqa: S311 - a schedule, no secret
    kinds = POSTGRESQL if database == "PostgreSQL" else SQLITE
    return Schedule(
        seed,
        seconds,
        tuple(_lane(dice, kinds, seconds, (0.5, 3.0))),
        tuple(_lane(dice, PROCESS, seconds, (4.0, 14.0))),
    )


def _lane(dice: random.Random, kinds: Sequence[Kind], seconds: float, quiet: tuple[float, float]) -> Iterator[Event]:
    at = 1.0
    bag: list[Kind] = []
    while True:
        bag = bag or dice.sample(kinds, len(kinds))
        kind = bag.pop()
        at += dice.uniform(*quiet)
        length = kind.lasts(dice)
        if at + length > seconds:
            return
        yield Event(at, length, kind)
        at += length
