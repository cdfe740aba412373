"""What a metric is: its name, its labels, and in which whole numbers it is counted."""

from __future__ import annotations

from dataclasses import dataclass

MICROSECONDS = 1_000_000
PICO_DOLLARS = 10**12


@dataclass(frozen=True, eq=False, slots=True)
class Metric:
    """A metric of calls. `kind`: `counter`, `gauge` or `histogram`, as Prometheus has them.

    Counted in whole numbers, `per` of which make one of what is told: microseconds for a metric in seconds. `bounds`
    of a histogram are in the same whole numbers, rising. `starts`: the labels of series that are told from the start,
    at 0, so that their first event is no unseen one.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    per: int = 1
    bounds: tuple[int, ...] = ()
    starts: tuple[tuple[str, ...], ...] = ()

    @property
    def width(self) -> int:
        """How many numbers a series has: one; of a histogram each bucket's, that above all bounds, and the sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1
