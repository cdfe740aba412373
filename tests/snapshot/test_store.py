"""The holder of the snapshot outlives whatever a load does, and says what it was."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable

import pytest

from iwrouting.models import Alias
from iwrouting.snapshot import SnapshotStore
from iwrouting.types import Configuration

MODULE = importlib.import_module("iwrouting.snapshot.store")
"""The module: in its package its name means the instance."""


def failing(error: Exception) -> Callable[[], Configuration]:
    def fail() -> Configuration:
        raise error

    return fail


@pytest.fixture
def fresh(db: None) -> SnapshotStore:
    """A holder that has read nothing."""
    return SnapshotStore()


@pytest.mark.parametrize("error", [ValueError("secret"), TypeError(), RuntimeError(), KeyError("x")])
def test_whatever_a_load_raises__is_told_and_the_former_one_serves(
    fresh: SnapshotStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    fresh.check()
    before = fresh.current
    Alias(name="fast", kind="chat_mode", default_model="gpt-4.1").save()
    monkeypatch.setattr(MODULE, "load", failing(error))
    fresh.check()
    assert fresh.fault == f"unexpected: {type(error).__name__}"
    assert fresh.current is before
    assert [record.exc_info is not None for record in caplog.records] == [True]
    monkeypatch.undo()
    fresh.check()
    fresh.check()
    assert [record.getMessage() for record in caplog.records[1:]] == [
        f"the configuration is refreshed again: revision {fresh.current.revision}"
    ]
    assert (fresh.fault, "fast" in fresh.current.aliases) == ("", True)


def test_start_with_a_configuration_that_is_refused__goes_on_without_one(fresh: SnapshotStore) -> None:
    Alias(name="fast", kind="bogus", default_model="gpt-4.1").save()
    fresh.check()
    assert fresh.fault.startswith("snapshot refused: alias fast: kind 'bogus'")
    assert (fresh.current.database, fresh.current.keys) == (False, {})


def test_refresh__tells_that_it_failed_and_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SnapshotStore()
    monkeypatch.setattr(broken, "_check", failing(ValueError()))
    assert asyncio.run(broken.refresh()) is False
    assert broken.fault == "unexpected: ValueError"


def test_the_poller__outlives_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    polled = threading.Semaphore(0)
    broken = SnapshotStore()

    def check() -> Configuration:
        polled.release()
        raise ValueError

    monkeypatch.setattr(MODULE, "POLL_S", 0.01)
    monkeypatch.setattr(MODULE, "start_listener", lambda wake, stop: None)
    monkeypatch.setattr(broken, "_check", check)
    broken.start()
    try:
        assert all(polled.acquire(timeout=5) for _ in range(3))
    finally:
        broken.stop()
    assert broken.fault == "unexpected: ValueError"
