"""Fixtures of the audit's tables. A test file named for one database is collected on that one alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.audit_tables.checks import store_one_row_each
from tests.audit_tables.databases import IS_POSTGRESQL, fresh_database

collect_ignore_glob = ["test_*_sqlite.py" if IS_POSTGRESQL else "test_*_postgresql.py"]


@pytest.fixture
def stored(db: None) -> None:
    """One row in every table of the audit."""
    store_one_row_each()


@pytest.fixture
def own(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[str]:
    """The alias of an empty database of its own, in no transaction."""
    with django_db_blocker.unblock(), fresh_database(tmp_path) as alias:
        yield alias
