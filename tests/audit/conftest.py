"""A database of our own for tests whose stores connect by themselves: nothing in the audit can be deleted again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.harness import environment
from tests.live.databases import forget, own_database, readable
from tests.live.processes import prepare


@pytest.fixture(scope="session")
def audit_database(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL; with all tables, and empty at first."""
    folder = tmp_path_factory.mktemp("audit")
    with own_database(folder, f"audit_{worker_id}") as url:
        prepare(environment.for_tests(folder, None) | {"DATABASE_URL": url})
        yield url
        forget(url)


@pytest.fixture
def database(audit_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The same, known to Django as `live` within a test."""
    with django_db_blocker.unblock(), readable(audit_database):
        yield audit_database
