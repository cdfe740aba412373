"""The statements that sum usage into cells: raw rows to quarters of an hour, these to hours, these to days.

All of them from the lists of `iwrouting.models.usage`: a dimension or measure that is added there is summed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from iwrouting.models import LabelCell, UsageCell
from iwrouting.models.usage import DAY, DIMENSIONS, HOUR, LABEL_DIMENSIONS, MEASURES, QUARTER

FINER = {HOUR: QUARTER, DAY: HOUR}
"""Of which width each wider cell is the sum."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A table of cells, the view of the raw rows behind it, and what its cells tell apart."""

    model: type[UsageCell] | type[LabelCell]
    raw: str
    dimensions: tuple[str, ...]


ALL = (Cells(UsageCell, "iw_usage_raw", DIMENSIONS), Cells(LabelCell, "iw_label_raw", LABEL_DIMENSIONS))


def begin_of(at: datetime, width: int) -> datetime:
    """The beginning of the bucket of that width, in minutes, in which a moment lies. UTC."""
    minutes = (at.hour * 60 + at.minute) % width
    return at.replace(second=0, microsecond=0) - timedelta(minutes=minutes)


def sum_up(begin: datetime, width: int) -> None:
    """Make all cells of a bucket anew, from the next finer ones: quarters from the raw rows."""
    end = begin + timedelta(minutes=width)
    for cells in ALL:
        cells.model._default_manager.filter(width=width, bucket_at=begin).delete()
        if width == QUARTER:
            _insert(cells, begin, width, cells.raw, "decision_at >= %s AND decision_at < %s", [begin, end])
        else:
            where = "width = %s AND bucket_at >= %s AND bucket_at < %s"
            _insert(cells, begin, width, cells.model._meta.db_table, where, [FINER[width], begin, end])


def _insert(cells: Cells, begin: datetime, width: int, source: str, where: str, values: Sequence[Any]) -> None:
    names = ", ".join(cells.dimensions)
    sums = ", ".join(f"sum({name})" for name in MEASURES)
    statement = (
        f"INSERT INTO {cells.model._meta.db_table} (width, bucket_at, {names}, {', '.join(MEASURES)}) "  # noqa: S608
        f"SELECT %s, %s, {names}, {sums} FROM {source} WHERE {where} GROUP BY {names}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_given(value) for value in (width, begin, *values)])


def _given(value: Any) -> Any:
    """A value as the database takes it in a statement of our own: SQLite keeps times as text."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def late_calls(begin: datetime) -> int:
    """How many ended calls a quarter has raw rows of."""
    end = begin + timedelta(minutes=QUARTER)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM iw_usage_raw WHERE decision_at >= %s AND decision_at < %s",
            [_given(begin), _given(end)],
        )
        return int(cursor.fetchone()[0])
