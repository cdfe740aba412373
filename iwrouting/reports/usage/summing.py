"""The statements that sum usage into cells: raw rows to quarters of an hour, these to hours, these to days.

All of them from the lists of `iwrouting.models.usage`: a dimension or measure that is added there is summed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from iwrouting.models import LabelCell, UsageCell
from iwrouting.models.usage import DAY, DIMENSIONS, HOUR, LABEL_DIMENSIONS, MEASURES, QUARTER, Label

FINER = {HOUR: QUARTER, DAY: HOUR}
"""Of which width each wider cell is the sum."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A table of cells, the view of the raw rows behind it, and what its cells tell apart."""

    model: type[UsageCell] | type[LabelCell]
    raw: str
    dimensions: tuple[str, ...]


ALL = (Cells(UsageCell, "iw_usage_raw", DIMENSIONS), Cells(LabelCell, "iw_label_raw", LABEL_DIMENSIONS))


QUARTER_OF = {
    "postgresql": "date_bin('15 minutes', decision_at, '2000-01-01 00:00:00+00')",
    "sqlite": (
        "substr(decision_at, 1, 14) || printf('%%02d', CAST(substr(decision_at, 15, 2) AS INTEGER) / 15 * 15) || ':00'"
    ),
}
"""The beginning of the quarter of an hour of a raw row, as `bucket_at` is stored."""


TAGS = {
    "postgresql": (
        "t.tag",
        "CROSS JOIN LATERAL (SELECT DISTINCT tag FROM string_to_table(nullif(g.tags, ''), ',') AS tag) AS t",
    ),
    "sqlite": (
        "t.value",
        "JOIN (SELECT DISTINCT g.tags AS named, j.value AS value FROM g "
        """JOIN json_each('["' || replace(g.tags, ',', '","') || '"]') AS j WHERE g.tags <> '') AS t """
        "ON t.named = g.tags",
    ),
}
"""A tag, and what joins each tag of a group `g` to it once."""


def sum_up_quarters(quarters: Sequence[datetime]) -> None:
    """Make all cells of quarters of an hour anew, from their raw rows; those in a row in one statement. In order."""
    for begin, end in _runs(quarters):
        for cells in ALL:
            cells.model._default_manager.filter(width=QUARTER, bucket_at__gte=begin, bucket_at__lt=end).delete()
            _insert(cells, QUARTER, "bucket_at", _quarters_of(cells), [begin, end])


def _runs(quarters: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    step, begin = timedelta(minutes=QUARTER), None
    for quarter, following in zip(quarters, (*quarters[1:], None), strict=False):
        begin = begin or quarter
        if following != quarter + step:
            yield begin, quarter + step
            begin = None


def sum_up(begin: datetime, width: int) -> None:
    """Make all cells of an hour or a day anew, from the next finer ones."""
    end = begin + timedelta(minutes=width)
    for cells in ALL:
        cells.model._default_manager.filter(width=width, bucket_at=begin).delete()
        bucket = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
        finer = f"{cells.model._meta.db_table} WHERE width = %s AND bucket_at >= %s AND bucket_at < %s"
        _insert(cells, width, bucket, finer, [begin, FINER[width], begin, end])


def _quarters_of(cells: Cells) -> str:
    """The raw rows between two moments with the beginning of their quarter, as a subquery.

    Labels: summed up before each is told apart, as few calls differ in run and tags. As iw_label_raw tells them.
    """
    among = "WHERE decision_at >= %s AND decision_at < %s"
    if cells.model is UsageCell:
        return f"(SELECT {_quarter()} AS bucket_at, u.* FROM {cells.raw} AS u {among}) AS q"  # noqa: S608
    asked, sums = "run_id, tags, project, is_test", ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    tag, each = TAGS[connection.vendor]
    rest = f"project, is_test, {', '.join(MEASURES)}"
    return (
        f"(WITH g AS (SELECT {_quarter()} AS bucket_at, {asked}, {sums} FROM iw_usage_raw {among} "  # noqa: S608
        f"GROUP BY 1, {asked}) "
        f"SELECT bucket_at, '{Label.RUN}' AS label_kind, run_id AS label, {rest} FROM g WHERE run_id <> '' UNION ALL "
        f"SELECT bucket_at, '{Label.TAG}', {tag}, {rest} FROM g {each}) AS q"
    )


def _quarter() -> str:
    return QUARTER_OF[connection.vendor]


def _insert(cells: Cells, width: int, bucket: str, source: str, values: Sequence[Any]) -> None:
    """`bucket`: the SQL of the cells' time. `values`: what the placeholders of it and of `source` stand for."""
    names = ", ".join(cells.dimensions)
    sums = ", ".join(f"sum({name})" for name in MEASURES)
    statement = (
        f"INSERT INTO {cells.model._meta.db_table} (width, bucket_at, {names}, {', '.join(MEASURES)}) "  # noqa: S608
        f"SELECT {width}, {bucket}, {names}, {sums} FROM {source} GROUP BY 2, {names}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_given(value) for value in values])


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
