"""Where each alert stands, folded from its rows, and what is to be told next. Pure, but for `open_alerts`.

An alert is raised, told again while it stands, and cleared. What could not be told to a channel is tried again with
growing pauses until the next telling is due anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from iwrouting.alerts.findings import Finding, Looked
from iwrouting.conf import Settings, settings
from iwrouting.models import Alert

RAISED, AGAIN, CLEARED = "raised", "again", "cleared"
LOOK_BACK = timedelta(days=7)
"""An alert without a row for so long is forgotten: while it stands it has one at least every day."""

FLAP_S = 600.0
"""What ceases and comes back is raised anew at most this often."""

RETRY_S = 60.0
MOST_AT_ONCE = 10
"""So many are told in one round; the others in the next."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `Alert`, as its columns."""

    id: str
    at: datetime
    rule: str
    subject: str
    state: str
    message: str
    told: str = ""
    fault: str = ""

    @property
    def failed(self) -> tuple[str, ...]:
        """The channels that did not take it: `fault` is `channel: reason; channel: reason`."""
        return tuple(part.partition(":")[0] for part in self.fault.split("; ") if part)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands. `begun_at`: when this state was first told or tried; `failures`: tries in a row since
    then that left the channels of `pending` untold. `raised_at`: when it was last raised."""

    rule: str
    subject: str
    state: str
    message: str
    raised_at: datetime
    begun_at: datetime
    last_at: datetime
    failures: int = 0
    pending: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it stands."""
        return self.state != CLEARED

    def follow(self, row: Row, every_s: float) -> Standing:
        """Where it stands after one more row."""
        retried = bool(self.pending) and row.state == self.state and _since(self.begun_at, row.at) < every_s
        return replace(
            self,
            state=row.state,
            message=row.message,
            raised_at=row.at if row.state == RAISED and not retried else self.raised_at,
            begun_at=self.begun_at if retried else row.at,
            last_at=row.at,
            failures=(self.failures if retried else 0) + bool(row.failed),
            pending=row.failed,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """Something to tell. `only`: to the channels that did not take it before; None: to all."""

    state: str
    finding: Finding
    only: tuple[str, ...] | None = field(default=None)


def fold(rows: Iterable[Row], every_s: float, known: Mapping[Key, Standing] | None = None) -> dict[Key, Standing]:
    """Where each alert stands after these rows, the oldest first. `every_s`: the pause between two tellings."""
    standings = dict(known or {})
    for row in rows:
        key = row.rule, row.subject
        before = standings.get(key)
        first = Standing(row.rule, row.subject, row.state, row.message, row.at, row.at, row.at)
        standings[key] = (before or first).follow(row, every_s)
    return standings


def steps(standings: Mapping[Key, Standing], looked: Looked, now: datetime, every_s: float) -> list[Step]:
    """What to tell now, at most MOST_AT_ONCE."""
    found = {finding.key: finding for finding in looked.findings}
    made = [*_of_found(standings, found.values(), now, every_s), *_of_ceased(standings, looked, now, every_s)]
    return made[:MOST_AT_ONCE]


def _of_found(
    standings: Mapping[Key, Standing], found: Iterable[Finding], now: datetime, every_s: float
) -> Iterator[Step]:
    for finding in found:
        standing = standings.get(finding.key)
        if standing is None or not standing.is_open:
            if standing is None or _since(standing.raised_at, now) >= min(FLAP_S, every_s):
                yield Step(RAISED, finding)
        elif _since(standing.begun_at, now) >= every_s:
            yield Step(AGAIN, finding)
        elif _retry_due(standing, now, every_s):
            yield Step(standing.state, finding, standing.pending)


def _of_ceased(standings: Mapping[Key, Standing], looked: Looked, now: datetime, every_s: float) -> Iterator[Step]:
    for standing in standings.values():
        if not looked.ceased(standing.rule, standing.subject):
            continue
        if standing.is_open:
            yield Step(CLEARED, Finding(standing.rule, standing.subject, f"No longer: {standing.message}"[:500]))
        elif _retry_due(standing, now, every_s) and _since(standing.begun_at, now) < every_s:
            yield Step(CLEARED, Finding(standing.rule, standing.subject, standing.message), standing.pending)


def _retry_due(standing: Standing, now: datetime, every_s: float) -> bool:
    pause = min(RETRY_S * 2.0 ** max(0, standing.failures - 1), every_s)
    return bool(standing.pending) and _since(standing.last_at, now) >= pause


def _since(at: datetime, now: datetime) -> float:
    return (now - at).total_seconds()


def recorded(now: datetime) -> list[Row]:
    """The rows of the last week, oldest first. Raises DatabaseError."""
    rows = Alert.objects.filter(at__gte=now - LOOK_BACK).order_by("at", "id")
    return [Row(str(number), *rest) for number, *rest in rows.values_list(*Row.__slots__)]


def open_alerts(conf: Settings | None = None) -> list[Standing]:
    """The alerts that stand, of rules that are on, the latest first. Raises DatabaseError."""
    conf = conf or settings()
    standings = fold(recorded(timezone.now()), conf.alert_every_s).values()
    found = [each for each in standings if each.is_open and each.rule not in conf.alert_off]
    return sorted(found, key=lambda each: each.raised_at, reverse=True)


def record(rows: Sequence[Row]) -> None:
    """Store rows, each once. Raises DatabaseError."""
    numbers = [UUID(row.id) for row in rows]
    # SQLite's guard refuses an insert over a row, even one that would be ignored.
    there = set(Alert.objects.filter(id__in=numbers).values_list("id", flat=True))
    made = [Alert(**{**asdict(row), "id": number}) for number, row in zip(numbers, rows, strict=True)]
    Alert.objects.bulk_create([each for each in made if each.id not in there], ignore_conflicts=True)


def as_plain(item: Row | Standing) -> dict[str, Any]:
    """As JSON takes it."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(item).items()}


def read_row(plain: Mapping[str, Any]) -> Row:
    """What `as_plain` made of a row. Raises KeyError, TypeError, ValueError."""
    return Row(**{**plain, "at": datetime.fromisoformat(plain["at"])})


def read_standing(plain: Mapping[str, Any]) -> Standing:
    """What `as_plain` made of a standing. Raises KeyError, TypeError, ValueError."""
    times = {name: datetime.fromisoformat(plain[name]) for name in ("raised_at", "begun_at", "last_at")}
    return Standing(**{**plain, **times, "pending": tuple(plain["pending"])})
