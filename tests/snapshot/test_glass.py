"""Break-glass: an override is switched off on this host without the database, loudly, and told once it is back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from iwrouting.conf import settings
from iwrouting.models import Alias, Change, Override
from iwrouting.resolver import resolve
from iwrouting.server.lines import LineWriter
from iwrouting.snapshot import SnapshotStore, disk, glass, load
from iwrouting.snapshot.sealed import Unusable
from iwrouting.types import State

REASON = "gpt-4.1 answers nonsense"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Other settings for the files; a folder of this test alone from the beginning."""

    def tell(**changes: Any) -> None:
        given = settings().model_copy(update={"journal_dir": tmp_path, "secret_key": "k" * 40, **changes})
        for name in ("disk", "glass"):
            monkeypatch.setattr(f"iwrouting.snapshot.{name}.settings", lambda: given)

    tell()
    return tell


@pytest.fixture
def override(told: Callable[..., None]) -> Override:
    """The one override; the configuration with it is kept on disk."""
    disk.write(load(), disk.now_utc())
    return Override.objects.get()


@pytest.fixture
def store(override: Override) -> SnapshotStore:
    """A worker's holder that has read the database."""
    made = SnapshotStore()
    made.glass.look()
    made.check()
    return made


def look(store: SnapshotStore) -> bool:
    """What the watch does each second."""
    changed = store.glass.look()
    if changed:
        store._reglaze()
    return changed


def disable(number: int, *options: str, reason: str = REASON) -> None:
    call_command("routing_override", "disable", str(number), "--from-snapshot", "--yes", "--reason", reason, *options)


def ladder(store: SnapshotStore) -> list[State]:
    found = resolve(store.current, "blueprint", project="atlas", now=datetime.now(UTC))
    return [step.state for step in found.ladder]


def file() -> Path:
    return glass.path()


def test_disable__needs_no_database_and_holds_in_a_worker_within_a_look(
    store: SnapshotStore,
    override: Override,
    django_assert_num_queries: DjangoAssertNumQueries,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = store.current
    assert ladder(store)[0] is State.USED
    with django_assert_num_queries(0):
        disable(override.pk)
        assert look(store)
    assert ladder(store)[0] is State.DISABLED
    assert store.current.glass == (f"override:{override.pk}",)
    assert store.plain is before
    said = capsys.readouterr()
    assert json.loads(said.out)["told"] == "blueprint for atlas -> gpt-4.1"
    assert "BREAK-GLASS" in said.err
    assert "ALONE" in said.err
    [record] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "BREAK-GLASS: override:" in record.getMessage()
    assert REASON in record.getMessage()
    assert oct(file().stat().st_mode & 0o777) == "0o600"
    assert not look(store), "nothing is new"


def test_a_worker_that_starts_or_reads_anew__holds_it_too(store: SnapshotStore, override: Override) -> None:
    disable(override.pk)
    look(store)
    Alias.objects.get(name="blueprint").save()
    store.check()
    assert store.current.revision == load().revision
    assert ladder(store)[0] is State.DISABLED
    fresh = SnapshotStore()
    fresh.glass.look()
    fresh.check()
    assert ladder(fresh)[0] is State.DISABLED
    kept = disk.read().overrides.values()
    assert [each.enabled for each in kept] == [True], "the file of the configuration stays as the database has it"


def test_end__lifts_it(store: SnapshotStore, override: Override, caplog: pytest.LogCaptureFixture) -> None:
    disable(override.pk)
    look(store)
    disable(override.pk, "--end", reason="It is well again")
    assert look(store)
    assert (ladder(store)[0], store.current.glass) == (State.USED, ())
    assert "BREAK-GLASS ended" in caplog.text
    with pytest.raises(CommandError, match=r"override:\d+ is not switched off on .* Switched off here: none is"):
        disable(override.pk, "--end")


def test_twice__is_one_deed(override: Override) -> None:
    disable(override.pk)
    disable(override.pk, reason="Said once more")
    assert [each.reason for each in glass.read()] == [REASON]


def test_dry_run__changes_nothing(override: Override) -> None:
    disable(override.pk, "--dry-run")
    assert not file().exists()


def test_an_override_that_the_snapshot_does_not_know__names_what_there_is(override: Override) -> None:
    with pytest.raises(CommandError, match=rf"has no override 4711: it has {override.pk} \(blueprint for atlas -> gpt"):
        disable(4711)


def test_without_a_snapshot__it_says_what_is_missing(told: Callable[..., None]) -> None:
    with pytest.raises(CommandError, match="not there: nothing was switched off") as caught:
        disable(1)
    assert caught.value.returncode == 4


@pytest.mark.parametrize("reason", ["", "why", "x" * 301])
def test_a_reason__must_be_one(override: Override, reason: str) -> None:
    with pytest.raises(CommandError, match="Say why in 5 to 300 characters"):
        disable(override.pk, reason=reason)


def test_nobody_to_ask__is_wrong_usage(override: Override) -> None:
    with pytest.raises(CommandError, match="Add --yes") as caught:
        call_command("routing_override", "disable", str(override.pk), "--from-snapshot", "--reason", REASON)
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "damaged, forged, or written under another"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b'"ref":"o', b'"ref":"p')), "damaged, forged"),
        (lambda path: path.write_bytes(b"{}"), "its beginning is not ours"),
        (lambda path: path.chmod(0o644), "open to others"),
    ],
)
def test_a_file_that_is_not_surely_ours__is_ignored_loudly(
    store: SnapshotStore,
    override: Override,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], object],
    why: str,
) -> None:
    disable(override.pk)
    spoil(file())
    assert not look(store)
    look(store)
    assert ladder(store)[0] is State.USED
    assert why in store.glass.fault
    assert len([each for each in caplog.records if "it is ignored" in each.getMessage()]) == 1
    with pytest.raises(CommandError, match="Remove it, and do it again"):
        disable(override.pk)
    file().unlink()
    look(store)
    assert store.glass.fault == ""


def test_another_secret_key__switches_nothing(
    store: SnapshotStore, override: Override, told: Callable[..., None]
) -> None:
    disable(override.pk)
    told(secret_key="l" * 40)
    look(store)
    assert (ladder(store)[0], store.current.glass) == (State.USED, ())
    with pytest.raises(Unusable, match="another IW_SECRET_KEY"):
        glass.read()


def test_what_held__goes_on_holding_where_the_file_breaks_later(store: SnapshotStore, override: Override) -> None:
    disable(override.pk)
    look(store)
    file().write_bytes(b"spoilt")
    look(store)
    assert (ladder(store)[0], bool(store.glass.fault)) == (State.DISABLED, True)


def lines() -> list[tuple[str, str, str, datetime]]:
    rows = Change.objects.filter(kind="break_glass").order_by("at", "id")
    return [(row.author, json.loads(row.details)["what"], row.reason, row.at) for row in rows]


def test_back_again__each_deed_stands_once_in_the_change_list(store: SnapshotStore, override: Override) -> None:
    writer = LineWriter(store)
    writer.break_glass()
    assert lines() == []
    disable(override.pk, "--as", "ann")
    [begun] = glass.read()
    for _ in range(2):
        writer.break_glass()
    [(author, what, reason, at)] = lines()
    assert (author.partition(" ")[0], what, at) == ("ann", "begun", begun.at)
    assert reason.endswith(f"alone: {REASON}")
    assert begun.holds
    disable(override.pk, "--end", reason="It is well again")
    for _ in range(2):
        writer.break_glass()
    assert [(what, reason[-16:]) for _, what, reason, _ in lines()] == [
        ("begun", REASON[-16:]),
        ("ended", "It is well again"),
    ]
    assert not file().exists(), "what is lifted and told is forgotten"


def test_begun_and_ended_while_the_database_was_away__both_are_told(store: SnapshotStore, override: Override) -> None:
    disable(override.pk)
    disable(override.pk, "--end", reason="It is well again")
    LineWriter(store).break_glass()
    assert [what for _, what, _, _ in lines()] == ["begun", "ended"]


@pytest.mark.parametrize("way", ["disabled", "deleted"])
def test_disabled_or_deleted_in_the_database__it_is_lifted_and_told(
    store: SnapshotStore, override: Override, way: str
) -> None:
    disable(override.pk)
    look(store)
    if way == "disabled":
        call_command("routing_override", "disable", str(override.pk), "--yes", "--reason", "For everybody now")
    else:
        override.delete()
    store.check()
    LineWriter(store).break_glass()
    assert look(store)
    assert store.current.glass == ()
    assert [what for _, what, _, _ in lines()] == ["begun", "ended"]
    assert f"as of revision {load().revision}" in lines()[-1][2]


def test_the_database_not_read__nothing_is_lifted(
    store: SnapshotStore, override: Override, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable(override.pk)
    override.delete()
    store.check()
    monkeypatch.setattr(store, "_fault", "database: OperationalError")
    LineWriter(store).break_glass()
    assert [each.holds for each in glass.read()] == [True]
