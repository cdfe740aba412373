"""Where a test writes a row of the configuration outside of a change, it is one by the tests, and nobody judges it.

`strict_changes` is the product's own way, for the tests of changes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, router
from django.db.models import F

from iwrouting.models import ConfigModel, OpenChange, Revision, change, changing
from iwrouting.types import Via

WRITES = ("save", "delete")
BY = "tests"


def _by_tests(write: Any) -> Any:
    @functools.wraps(write)
    def written(row: Any, *args: Any, **kwargs: Any) -> Any:
        using = kwargs.get("using") or router.db_for_write(type(row), instance=row)
        with change(author=BY, via=Via.CLI, reason="A test needs this row", using=using):
            return write(row, *args, **kwargs)

    return written


@pytest.fixture(scope="session", autouse=True)
def changes_by_tests() -> Iterator[None]:
    """Each lone save or delete is a change of its own, which may bring whatever a test wants to find stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changing, "_checks", [_unless_by_tests(check) for check in changing._checks])
        for name in WRITES:
            patch.setattr(ConfigModel, name, _by_tests(getattr(ConfigModel, name)))
        yield


def _unless_by_tests(check: changing.Check) -> changing.Check:
    def checked(made: OpenChange) -> None:
        if made.author != BY:
            check(made)

    return checked


def account(using: str = DEFAULT_DB_ALIAS) -> None:
    """Have what was just written by SQL count as a revision of our own: what a faulty release might let through."""
    Revision.objects.using(using).filter(id=1).update(number=F("number") + 1, accounted=F("touches"))


@pytest.fixture
def strict_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written inside of a change or not at all."""
    for name in WRITES:
        monkeypatch.setattr(ConfigModel, name, getattr(ConfigModel, name).__wrapped__)
