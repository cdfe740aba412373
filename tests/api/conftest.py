"""Fixtures of the API's tests: keys, a client without sockets, and for the lean routes a running service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.snapshot import store
from tests.api.rows import Rows, small_configuration
from tests.api.stock import Stock
from tests.live.world import World, world

EDITOR = "0123456789"
"""The id of the running service's key that may change upstreams."""


@pytest.fixture
def stock(db: None, monkeypatch: pytest.MonkeyPatch) -> Stock:
    """The stock stack on an empty configuration that no other test has read."""
    monkeypatch.setattr(store, "_current", None)
    monkeypatch.setattr(store, "_plain", None)
    monkeypatch.setattr(store, "_fault", "")
    return Stock()


@pytest.fixture(scope="module")
def running(
    worker_id: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """Sandbox, database and service; the database has another name than that of the live tests."""
    settings = {"IW_UPSTREAM_EDITORS": EDITOR}
    with world(tmp_path_factory.mktemp("api"), f"api_{worker_id}", django_db_blocker, settings=settings) as started:
        yield started


@pytest.fixture
def rows(stock: Stock) -> Rows:
    """A small configuration, and a key that may manage all of it."""
    small_configuration()
    return Rows(stock, stock.key(projects=["*"]))
