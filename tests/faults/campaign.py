"""Random chains, fault plans and deadlines (tests/live/chains.py) by the seed: each seed gives the same scenarios."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.live.chains import Scenario, judge, play, scenarios
from tests.live.live import Live


@dataclass
class Report:
    """What one seed came to: how often each result was seen, and what was wrong."""

    seed: int
    played: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    tries: int = 0
    wrong: list[str] = field(default_factory=list)


def campaign(make: Callable[[], Live], number: int, count: int) -> Report:
    """Play so many scenarios of one seed, each with a `Live` of its own. What fails stands in the report."""
    report = Report(number)

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenario=scenarios())
    def one(scenario: Scenario) -> None:
        try:
            play_one(make(), scenario, report)
        except AssertionError as error:
            report.wrong.append(f"seed {number}: {scenario}: {str(error)[:600]}")

    one()
    return report


def play_one(live: Live, scenario: Scenario, report: Report) -> None:
    """Play and judge one scenario."""
    played = play(live, scenario)
    report.played += 1
    report.tries += len(played.record.calls)
    report.ends[played.record.outcome.result, played.record.outcome.error_code or "-"] += 1
    judge(live, scenario, played)


def campaigns(make: Callable[[], Live], first: int, minutes: float, count: int) -> Iterator[Report]:
    """Seed after seed, from `first` on, until the time is over; one at least."""
    until = time.monotonic() + minutes * 60
    number = first
    while True:
        yield campaign(make, number, count)
        number += 1
        if time.monotonic() >= until:
            return
