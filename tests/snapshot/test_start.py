"""A start without a database: from the configuration on disk, or from the built-in one, and back once it answers."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError

from iwrouting.conf import settings
from iwrouting.models import Alias
from iwrouting.snapshot import SnapshotStore, disk, load
from iwrouting.snapshot.keeper import Keeper

MODULE = importlib.import_module("iwrouting.snapshot.store")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    given = settings().model_copy(update={"journal_dir": tmp_path})
    for name in ("disk", "glass"):
        monkeypatch.setattr(f"iwrouting.snapshot.{name}.settings", lambda: given)
    return tmp_path / "snapshot"


def away() -> None:
    raise OperationalError("secret address")


@pytest.fixture
def started(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SnapshotStore]:
    """A holder that can be started without its threads' own use of the database."""
    made = SnapshotStore()
    monkeypatch.setattr(MODULE, "start_listener", lambda wake, stop: None)
    monkeypatch.setattr(made, "_poll", lambda: None)
    yield made
    made.stop()


def test_start_without_a_database__serves_the_last_accepted_one_and_says_so(
    started: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, of = load(), disk.now_utc() - timedelta(hours=1)
    disk.write(before, of)
    monkeypatch.setattr(MODULE, "load", away)
    started.start()
    assert started.current == replace(before, from_disk=of)
    assert (started.source, started.fault) == ("disk", "database: OperationalError")
    assert started.note == f"snapshot_from_disk: revision {before.revision}, last confirmed {of:%Y-%m-%dT%H:%M:%SZ}"
    assert 3600 <= (started.age_s or 0) < 3700
    monkeypatch.setattr(MODULE, "load", load)
    started.check()
    assert (started.current, started.source, started.fault, started.note) == (before, "database", "", "")


def test_start_with_a_configuration_that_is_refused__serves_the_last_accepted_one(started: SnapshotStore) -> None:
    before = load()
    disk.write(before, disk.now_utc())
    Alias(name="fast", kind="bogus", default_model="gpt-4.1").save()
    started.start()
    assert started.fault.startswith("snapshot refused: alias fast")
    assert (started.source, "fast" in started.current.aliases) == ("disk", False)


def test_start_with_neither__serves_the_built_in_one(
    started: SnapshotStore, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk.write(load(), disk.now_utc())
    file.write_bytes(file.read_bytes()[:-9])
    monkeypatch.setattr(MODULE, "load", away)
    started.start()
    assert (started.source, started.current.database, started.current.keys) == ("builtin", False, {})
    assert started.not_read == "damaged, forged, or written under another IW_SECRET_KEY"
    assert any(f"{file} is damaged" in record.getMessage() for record in caplog.records)
    assert started.age_s is None
    assert started.note.startswith("configuration_not_refreshed: the built-in matrix serves")


def test_a_database_that_goes_away_later__is_told_with_each_decision(
    started: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    started.start()
    assert started.note == ""
    monkeypatch.setattr(MODULE.Revision, "standing", away)
    started.check()
    revision = started.current.revision
    assert started.note == (f"configuration_not_refreshed: revision {revision} serves, the database can't be read")


def test_a_database_that_hangs__counts_as_one_that_does_not_answer(
    started: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    started.start()
    monkeypatch.setattr(MODULE, "ANSWER_S", 0.01)
    with started._lock:
        started._asked_at = time.monotonic() - 1
        assert started.fault == "database: no answer"
        started.check()
    started.check()
    assert started.fault == ""


def kept(keeper: Keeper) -> None:
    """Do what its thread does, in this one."""
    assert keeper._offered is not None
    keeper._keep(*keeper._offered)


def test_the_keeper__writes_what_is_new_at_once_and_its_time_each_minute(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, config = Keeper(), load()
    keeper.offer(config)
    assert keeper._wake.is_set()
    kept(keeper)
    keeper._wake.clear()
    keeper.offer(config)
    assert not keeper._wake.is_set()
    keeper.offer(replace(config, revision=config.revision + 1))
    assert keeper._wake.is_set()
    kept(keeper)
    assert disk.read().revision == config.revision + 1
    keeper._wake.clear()
    monkeypatch.setattr("iwrouting.snapshot.keeper.time.monotonic", lambda: keeper._due_at)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(disk, "now_utc", lambda: later)
    assert keeper._written is not None
    keeper.offer(keeper._written)
    assert keeper._wake.is_set()
    kept(keeper)
    assert disk.read().from_disk == later


def test_a_folder_that_takes_no_file__is_told_and_tried_again(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper, config = Keeper(), load()
    file.mkdir()
    for _ in range(2):
        keeper.offer(config)
        kept(keeper)
        keeper._due_at = 0
    assert keeper.fault == "IsADirectoryError: Is a directory"
    assert len(caplog.records) == 1
    file.rmdir()
    kept(keeper)
    assert (keeper.fault, disk.read().revision) == ("", config.revision)


def test_the_keepers_thread__writes_and_ends(file: Path) -> None:
    keeper = Keeper()
    keeper.start()
    keeper.offer(load())
    until = time.monotonic() + 10
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.01)
    keeper.stop()
    assert keeper._thread is not None
    assert not keeper._thread.is_alive()
    assert disk.read().database
