"""What the raw rows, the cells and the views come to, each as counters that can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from iwrouting.models import UsageMark
from iwrouting.models.usage import DAY, DIMENSIONS, HOUR, LABEL_DIMENSIONS, MEASURES, QUARTER
from iwrouting.reports.usage.cover import begin_of
from iwrouting.reports.usage.summing import ALL, Cells

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
        if connection.vendor == "postgresql":
            cursor.execute("SET jit = off")
        cursor.execute(statement)
        return list(cursor.fetchall())


def moment(value: Any) -> datetime:
    """A time as either database gives it in a plain statement."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


DAILY = ("project", "alias", "model_served", "source", "is_test")
DAILY_SUMS = tuple(name for name in MEASURES if name != "resolves")


def of_hourly() -> Sums:
    """rpt_usage_hourly_v1."""
    names = ("hour", *DIMENSIONS, *MEASURES)
    return _by_key(names, _rows(f"SELECT {', '.join(names)} FROM rpt_usage_hourly_v1"))  # noqa: S608


def of_daily() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """rpt_usage_daily_v1."""
    found = {}
    for row in _rows(f"SELECT day, {', '.join((*DAILY, *DAILY_SUMS))} FROM rpt_usage_daily_v1"):  # noqa: S608
        key = (str(row[0]), *(_plain(value) for value in row[1 : 1 + len(DAILY)]))
        assert key not in found, key
        found[key] = row[1 + len(DAILY) :]
    return found


def daily_of_raw() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What rpt_usage_daily_v1 must be: the raw rows by less than all dimensions, without groups that only resolved."""
    found: Sums = {}
    for (day, *values), sums in of_raw(USAGE, DAY).items():
        given = dict(zip(DIMENSIONS, values, strict=True))
        group = found.setdefault((str(day.date()), *(given[name] for name in DAILY)), dict.fromkeys(MEASURES))
        for name, value in sums.items():
            if value is not None:
                group[name] = (group[name] or 0) + value
    return {key: tuple(sums[name] for name in DAILY_SUMS) for key, sums in found.items() if sums["decisions"]}


def assert_views() -> None:
    """Both views are what the raw rows are at this moment, whatever is marked."""
    assert of_hourly() == of_raw(USAGE, HOUR)
    assert of_daily() == daily_of_raw()


def by_local_day(sums: Sums, zone: ZoneInfo) -> dict[tuple[Any, ...], Counter[str]]:
    """Sums of quarters by the day of a time zone."""
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for (at, *key), values in sums.items():
        group = found.setdefault((at.astimezone(zone).date(), *key), Counter())
        group.update({name: value for name, value in values.items() if value is not None})
    return found
