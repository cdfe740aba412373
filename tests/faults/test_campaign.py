"""Random chains, faults and deadlines: a handful in `make test`, as many as there is time for in `make faults`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.campaign import Report, campaigns
from tests.faults.run import MINUTES, SEED
from tests.live.live import Live

pytestmark = pytest.mark.timeout(0)


def test_random_chains__do_what_the_table_says_for_as_long_as_asked(live: Live) -> None:
    minutes = float(os.environ.get(MINUTES, "0"))
    found = list(campaigns(maker(live), int(os.environ.get(SEED, "1")), minutes, 40 if minutes else 6))
    show(found)
    assert [fault for report in found for fault in report.wrong] == []
    assert all(report.played for report in found)


def test_seed__gives_the_same_scenarios_again(live: Live) -> None:
    first, second = (next(campaigns(maker(live), 7, 0, 3)) for _ in range(2))
    assert (first.ends, first.tries) == (second.ends, second.tries)


def maker(live: Live) -> Callable[[], Live]:
    """Makes a Live for each scenario, so that none reads the rows of all before it."""
    return lambda: Live(live.world, live.sdk)


def show(found: list[Report]) -> None:
    """Print seeds and counts; `make faults` shows them."""
    ends: Counter[tuple[str, str]] = Counter()
    for report in found:
        ends += report.ends
    print(f"seeds {found[0].seed} to {found[-1].seed}: {sum(report.played for report in found)} scenarios, "
          f"{sum(report.tries for report in found)} tries")  # fmt: skip
    for (result, code), count in sorted(ends.items()):
        print(f"  {result:<20}{code:<30}{count:>7}")
