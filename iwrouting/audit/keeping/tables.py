"""The three tables that are split by month, and the calendar by which they are kept. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from iwrouting.models import Attempt, Decision, Outcome

DECISION = Decision._meta.db_table
MONTHLY = {model._meta.db_table: model for model in (Decision, Attempt, Outcome)}
TABLES = tuple(MONTHLY)
"""In the order in which they are locked, emptied and told."""

Settle = Callable[[datetime], None]
"""What is called in the transaction that removes rows, before they go, with the moment before which all were decided:
reports outlive the rows."""


def first_of_month(day: date, ahead: int = 0) -> date:
    """The first day of the month so many after that of a day; `ahead` may be negative."""
    years, months = divmod(day.month - 1 + ahead, 12)
    return date(day.year + years, months + 1, 1)


def kept_from(days: int, now: datetime) -> date:
    """The first day that is kept: months that end before it are older than `days` as a whole."""
    return first_of_month((now.astimezone(UTC) - timedelta(days=days)).date())


def midnight(day: date) -> datetime:
    """The moment at which a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def partition(table: str, month: date | None) -> str:
    """The name of a partition; None: of the default partition. As `iw_audit_make_partition` names them."""
    return f"{table}_default" if month is None else f"{table}_y{month:%Y}m{month:%m}"
