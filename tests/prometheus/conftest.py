"""One service of two workers and one Prometheus for these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI
from pytest_django.plugin import DjangoDbBlocker

from tests.live.databases import readable
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.live.world import Tenant, World, world
from tests.prometheus.server import Prometheus, prometheus


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), "prometheus", django_db_blocker) as started:
        yield started


@pytest.fixture(scope="session")
def live(running: World, django_db_blocker: DjangoDbBlocker) -> Iterator[Live]:
    sdk = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="set by each test", timeout=30)
    with sdk, django_db_blocker.unblock(), readable(running.database):
        yield Live(running, sdk)


@pytest.fixture(scope="session")
def metered(live: Live) -> ServiceProcess:
    """The service that is scraped."""
    return live.world.other_service("metered", workers=2)


@pytest.fixture(scope="session")
def tenant(live: Live) -> Tenant:
    """Who calls, and whose key Prometheus has."""
    return live.tenant(scopes=["call", "resolve", "read_audit"], projects=["*"])


@pytest.fixture(scope="session")
def scraping(metered: ServiceProcess, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    target = metered.url.removeprefix("http://")
    with prometheus(tmp_path_factory.mktemp("prometheus") / "server", target, tenant.key) as server:
        yield server
