"""When what is in force: the change all the time, everything else as it was at each decision's time. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from iwrouting.types import Configuration


def lasting(before: Configuration, after: Configuration) -> Configuration:
    """`after` with the overrides that it changes in force at every time: their schedule is left out of account.

    An override that is new, or differs in anything, counts as changed. Disabled stays disabled.
    """
    overrides = {
        place: row if before.overrides.get(place) == row else replace(row, starts_at=None, expires_at=None)
        for place, row in after.overrides.items()
    }
    return replace(after, overrides=overrides)


def cuts(before: Configuration, after: Configuration, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """The moments inside the window at which an answer or a price may change: in between all stays as it is."""
    moments = {*_moments(before), *_moments(after)}
    return tuple(sorted(moment for moment in moments if start < moment < end))


def _moments(config: Configuration) -> Iterator[datetime]:
    for row in config.overrides.values():
        if row.enabled:
            yield from (moment for moment in (row.starts_at, row.expires_at) if moment is not None)
    for prices in config.prices.values():
        yield from (price.valid_from for price in prices)
