"""Each fault of a caller in each mode (faults.md 4, C1 to C12): what it gets, and what the audit says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI
from pytest_django.plugin import DjangoDbBlocker

from tests.faults.client_cases import scenarios
from tests.faults.client_rows import Scenario, Scene
from tests.faults.modes import MODES
from tests.faults.page import Line, check, table
from tests.live.databases import IS_POSTGRESQL, readable
from tests.live.live import Live
from tests.live.world import World

pytestmark = pytest.mark.timeout(240)
"""The first test waits for the service, and for every call of this room."""

STORED = ("C4", "C5", "C8", "C10", "C12")
"""The rows that PostgreSQL runs too: those that store something odd."""

SCENARIOS = [scenario for scenario in scenarios() if scenario.id in STORED or not IS_POSTGRESQL]


def label(scenario: Scenario) -> str:
    return f"{scenario.id}-{scenario.title}-{scenario.mode}".replace(" ", "_").replace(",", "")


@pytest.fixture(scope="module")
def played(
    running: World, sdk: OpenAI, django_db_blocker: DjangoDbBlocker
) -> dict[Scenario, tuple[str, str] | Exception]:
    """What came of every scenario, or what was wrong in it."""
    found: dict[Scenario, tuple[str, str] | Exception] = {}
    with django_db_blocker.unblock(), readable(running.database):
        live = Live(running, sdk)
        for number, scenario in enumerate(SCENARIOS):
            live.sandbox.clear()
            try:
                found[scenario] = scenario.play(Scene(live, f"{live.run}-{number}", MODES[scenario.mode]))
            except (AssertionError, OSError, ValueError, LookupError) as error:
                found[scenario] = error
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=label)
def test_caller__who_does_this__has_its_one_answer(
    played: dict[Scenario, tuple[str, str] | Exception], scenario: Scenario
) -> None:
    found = played[scenario]
    if isinstance(found, Exception):
        raise found
    assert found == (scenario.caller, scenario.audit)


if not IS_POSTGRESQL:  # which runs some rows only, where the page has them all

    def test_page__says_what_was_seen(played: dict[Scenario, tuple[str, str] | Exception]) -> None:
        check("client", table(("the caller gets", "audit"), lines(played), "tests/faults/test_client.py"))


def lines(played: dict[Scenario, tuple[str, str] | Exception]) -> Iterator[Line]:
    """Every scenario as it came out."""
    for scenario, found in played.items():
        cells = ("failed", str(found)) if isinstance(found, Exception) else found
        yield Line(scenario.id, scenario.title, scenario.mode, cells)


def test_every_row_of_a_caller__is_played_in_every_endpoint_somewhere() -> None:
    found = list(scenarios())
    assert {scenario.id for scenario in found} == {f"C{number}" for number in range(1, 13)}
    assert {scenario.mode for scenario in found} == set(MODES)
