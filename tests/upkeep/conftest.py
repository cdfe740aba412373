"""A database of its own, with its tables, for each test: what upkeep does can't be done within a test's transaction.

A test file named for one database is collected on that one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.audit import locks
from iwrouting.audit.keeping import patience
from iwrouting.conf import points, settings
from tests.upkeep.databases import IS_POSTGRESQL, copied, emptied, serving

collect_ignore_glob = ["test_*_sqlite.py" if IS_POSTGRESQL else "test_*_postgresql.py"]


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The name of a database with all tables and no rows."""
    with django_db_blocker.unblock(), emptied(tmp_path_factory.mktemp("pattern")) as name:
        with serving(name):
            call_command("migrate", verbosity=0)
            connections["default"].close()
        yield name


@pytest.fixture
def own(pattern: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A copy of it as the default database of this test; gives its name."""
    with django_db_blocker.unblock(), copied(pattern, tmp_path) as name, serving(name):
        yield name


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Locks are tried for again at once, and files of locks are the test's own; fault points are off at the end."""
    conf = settings().model_copy(update={"journal_dir": tmp_path})
    monkeypatch.setattr(locks, "settings", lambda: conf)
    monkeypatch.setattr(patience, "PAUSE_S", 0.02)
    yield
    points.arm({})
