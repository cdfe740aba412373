"""What a round has seen, and what was wrong in it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.storm.load import Call


@dataclass(frozen=True)
class Happened:
    """A fault as it was: when it began, ended and was recovered from, by the monotonic clock; None: never."""

    name: str
    began: float
    ended: float
    recovered: float | None


@dataclass
class Seen:
    """What a round has to tell; `wrong` must be empty."""

    seed: int
    database: str
    calls: list[Call] = field(default_factory=list)
    database_faults: list[Happened] = field(default_factory=list)
    process_faults: list[Happened] = field(default_factory=list)
    sessions: int = 0
    idle: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def recoveries(self, name: str) -> list[float]:
        """Seconds from each end of this fault to the recovery, those left out that another fault disturbed."""
        return [
            fault.recovered - fault.ended
            for fault in self.database_faults
            if fault.name == name and fault.recovered is not None and not self._is_disturbed(fault)
        ]

    def _is_disturbed(self, fault: Happened) -> bool:
        """Whether a process was killed, stopped or started while it recovered."""
        end = fault.recovered or time.monotonic()
        return any(other.began < end and other.ended > fault.ended - 1 for other in self.process_faults)
