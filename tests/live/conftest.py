"""One sandbox, one database and one service for all live tests of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.reports.invariants import all_broken
from tests.live.databases import readable
from tests.live.guarded import Guarded, guarded_service
from tests.live.live import Live
from tests.live.world import World, world
from tests.tamper.verified import verify_service


@pytest.fixture(scope="session")
def running(
    worker_id: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("live"), worker_id, django_db_blocker) as started:
        yield started
        started.stop()
        with django_db_blocker.unblock(), readable(started.database) as using:
            assert list(all_broken(using=using)) == []
            tally = verify_service(started.env, using)
            assert (tally.findings, tally.pending, tally.unchecked, tally.not_covered) == ([], [], 0, 0)


@pytest.fixture(scope="session")
def sdk() -> Iterator[OpenAI]:
    """The SDK with one pool of connections; each test has its own options on it."""
    with OpenAI(base_url="http://127.0.0.1:9/v1", api_key="set by each test", timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def of_file(running: World) -> Iterator[World]:
    """The same, and what a file starts beside the service of all tests ends with the file."""
    yield running
    running.stop_others()


@pytest.fixture
def live(of_file: World, sdk: OpenAI, django_db_blocker: DjangoDbBlocker) -> Iterator[Live]:
    with django_db_blocker.unblock(), readable(of_file.database):
        yield Live(of_file, sdk)


@pytest.fixture
def own_home(live: Live) -> None:
    """A home that no other test has: for who changes it, or counts all that it did."""
    live.home = live.tenant()


@pytest.fixture
def guarded(live: Live) -> Guarded:
    return guarded_service(live)
