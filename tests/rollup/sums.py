"""What the raw rows, the cells and the views come to, each as counters that can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from iwrouting.models import UsageMark
from iwrouting.models.usage import DAY, DIMENSIONS, HOUR, LABEL_DIMENSIONS, MEASURES, QUARTER
from iwrouting.reports.usage.summing import ALL, Cells, begin_of

Sums = dict[tuple[Any, ...], dict[str, int | None]]
"""By bucket and dimensions: every measure."""

USAGE, LABELS = ALL
assert (USAGE.dimensions, LABELS.dimensions) == (DIMENSIONS, LABEL_DIMENSIONS)


def of_raw(cells: Cells, width: int) -> Sums:
    """The raw rows, summed here and not by the database."""
    names = ("decision_at", *cells.dimensions, *MEASURES)
    found: Sums = {}
    for row in _rows(f"SELECT {', '.join(names)} FROM {cells.raw}"):  # noqa: S608 - names of our own
        given = dict(zip(names, row, strict=True))
        key = (begin_of(moment(given["decision_at"]), width), *(_plain(given[name]) for name in cells.dimensions))
        sums = found.setdefault(key, dict.fromkeys(MEASURES))
        for name in MEASURES:
            if given[name] is not None:
                sums[name] = (sums[name] or 0) + given[name]
    return found


def of_cells(cells: Cells, width: int) -> Sums:
    """The cells of a width; two of the same bucket and dimensions are an error."""
    names = ("bucket_at", *cells.dimensions, *MEASURES)
    table = cells.model._meta.db_table
    return _by_key(names, _rows(f"SELECT {', '.join(names)} FROM {table} WHERE width = {width}"))  # noqa: S608


def _by_key(names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Sums:
    found: Sums = {}
    split = len(names) - len(MEASURES)
    for row in rows:
        key = (moment(row[0]), *(_plain(value) for value in row[1:split]))
        assert key not in found, key
        found[key] = dict(zip(MEASURES, row[split:], strict=True))
    return found


def assert_rolled() -> None:
    """Every cell is what the raw rows are, to the last digit, and nothing is marked."""
    assert not UsageMark.objects.exists()
    for cells in ALL:
        for width in (QUARTER, HOUR, DAY):
            assert of_cells(cells, width) == of_raw(cells, width), (cells.raw, width)


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def moment(value: Any) -> datetime:
    """A time as either database gives it in a plain statement."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value
