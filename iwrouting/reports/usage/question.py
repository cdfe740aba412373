"""What is asked of the usage, and from which table it is answered. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from iwrouting.models.usage import DIMENSIONS, MEASURES, Label
from iwrouting.reports.usage.periods import Step

PERIOD, PROJECT, IS_TEST = "period", "project", "is_test"
RUN, TAG = Label.RUN.value, Label.TAG.value
NAMES = (*(name for name in DIMENSIONS if name != IS_TEST), RUN, TAG)
"""What can be grouped and filtered by."""


class Source(StrEnum):
    """Which cells have what is asked for, or that none have."""

    USAGE = "usage"
    LABELS = "labels"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Question:
    """The usage of the decisions made from `start` up to, not including, `end`, by periods of `zone` and by `group`.

    `group` and the keys of `filters` are NAMES; each filter has the values of which any will do. `is_test`: None for
    both. `projects`: of these alone; None: of all. `order`: names of the group, PERIOD and measures, each after a `-`
    for the greatest first; then by period and group. `limit`: at most so many rows. Raises ValueError for a name that
    is none of these.
    """

    start: datetime
    end: datetime
    zone: tzinfo = UTC
    step: Step | None = None
    group: Sequence[str] = ()
    filters: Mapping[str, Collection[str]] = field(default_factory=dict)
    is_test: bool | None = False
    projects: Collection[str] | None = None
    order: Sequence[str] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        ordered = {name.removeprefix("-") for name in self.order}
        unknown = ({*self.group, *self.filters} - {*NAMES}) | (ordered - {PERIOD, *self.group, *MEASURES})
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]} can't be asked for")

    @property
    def label(self) -> str:
        """The one label that is named; empty for none or both."""
        found = {RUN, TAG} & {*self.group, *self.filters}
        return found.pop() if len(found) == 1 else ""

    @property
    def source(self) -> Source:
        """Where the answer stands. Runs and tags have cells by project alone, in which a call with two tags counts
        twice: only the raw rows say what calls with any of several tags, or with a run or tag and all else, add up to.
        """
        named = {*self.group, *self.filters}
        if not named & {RUN, TAG}:
            return Source.USAGE
        several = TAG in self.filters and TAG not in self.group and len(self.filters[TAG]) > 1
        return Source.LABELS if self.label and named <= {self.label, PROJECT} and not several else Source.RAW
