"""How far the cells are behind the raw rows, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from iwrouting.models import LabelCell, UsageCell, UsageMark, UsageState
from iwrouting.models.usage import DAY, HOUR, QUARTER


@dataclass(frozen=True, slots=True)
class Standing:
    """`waiting`: quarters of an hour that are marked, the `oldest` of them; cells by width in minutes.

    `rolled_at`: when something was summed up last; None: never. `raw_from`: what was decided before it has cells alone.
    """

    waiting: int
    oldest: datetime | None
    rolled_at: datetime | None
    raw_from: datetime | None
    usage_cells: Mapping[int, int]
    label_cells: Mapping[int, int]


def standing() -> Standing:
    """How it is now."""
    marks = UsageMark.objects.aggregate(waiting=Count("bucket_at", distinct=True), oldest=Min("bucket_at"))
    state = UsageState.objects.filter(id=1).first() or UsageState()
    return Standing(
        **marks,
        rolled_at=state.rolled_at,
        raw_from=state.raw_from,
        usage_cells=_by_width(UsageCell),
        label_cells=_by_width(LabelCell),
    )


def _by_width(model: type[UsageCell] | type[LabelCell]) -> dict[int, int]:
    return {width: model._default_manager.filter(width=width).count() for width in (QUARTER, HOUR, DAY)}
