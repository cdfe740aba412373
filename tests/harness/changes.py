"""Where a test writes a row of the configuration outside of a change, it is one by the tests.

`strict_changes` is the product's own way, for the tests of changes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, router
from django.db.models import F

from iwrouting.models import ConfigModel, Revision, change
from iwrouting.types import Via

WRITES = ("save", "delete")


def _by_tests(write: Any) -> Any:
    @functools.wraps(write)
    def written(row: Any, *args: Any, **kwargs: Any) -> Any:
        using = kwargs.get("using") or router.db_for_write(type(row), instance=row)
        with change(author="tests", via=Via.CLI, reason="A test needs this row", using=using):
            return write(row, *args, **kwargs)

    return written


@pytest.fixture(scope="session", autouse=True)
def changes_by_tests() -> Iterator[None]:
    """Each lone save or delete is a change of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in WRITES:
            patch.setattr(ConfigModel, name, _by_tests(getattr(ConfigModel, name)))
        yield


def account(using: str = DEFAULT_DB_ALIAS) -> None:
    """Have what was just written by SQL count as a revision of our own: what a faulty release might let through."""
    Revision.objects.using(using).filter(id=1).update(number=F("number") + 1, accounted=F("touches"))


@pytest.fixture
def strict_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written inside of a change or not at all."""
    for name in WRITES:
        monkeypatch.setattr(ConfigModel, name, getattr(ConfigModel, name).__wrapped__)
