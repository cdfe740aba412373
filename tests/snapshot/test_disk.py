"""The configuration on disk: what comes back is what was kept, and nothing that is not surely ours is believed."""

from __future__ import annotations

import importlib
import os
import signal
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given

from iwrouting.conf import settings
from iwrouting.conf.points import FaultPoint, arm, read_plan
from iwrouting.models import ApiKey, Upstream, new_key
from iwrouting.snapshot import disk, load, stored
from iwrouting.types import Configuration
from tests.harness.samples import sample
from tests.snapshot.examples import configurations
from tests.snapshot.malformed import spoil

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def told(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Other settings for the file and what is read from it."""
    module = importlib.import_module("iwrouting.snapshot.disk")
    given = vars(module)["settings"]().model_copy(update=changes)
    for name in ("disk", "stored", "builtin"):
        monkeypatch.setattr(f"iwrouting.snapshot.{name}.settings", lambda: given)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    told(monkeypatch, journal_dir=tmp_path, secret_key="k" * 40)
    return tmp_path


@pytest.fixture
def file(folder: Path) -> Path:
    """The file of the rows that every test here has."""
    disk.write(load(), NOW)
    return folder / "snapshot"


@given(config=configurations())
@sample(20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_field__comes_back_equal(config: Configuration) -> None:
    payload = stored.encode(config, "0.1.0", NOW)
    back = stored.revive(stored.decode(payload))
    assert back == replace(config, from_disk=NOW)
    # `saved_at` is left out of comparisons.
    assert [asdict(each) for each in back.models.values()] == [asdict(each) for each in config.models.values()]
    assert [asdict(each) for each in back.upstreams.values()] == [asdict(each) for each in config.upstreams.values()]
    assert stored.encode(back, "0.1.0", NOW) == payload


def test_every_member__is_kept_or_known_to_be_the_readers_own() -> None:
    kept = {each.name for each in fields(stored.Stored)}
    assert kept | stored.OWN == {each.name for each in fields(Configuration)}
    assert not kept & stored.OWN


def test_what_was_written__is_read_whole(file: Path) -> None:
    assert disk.read() == replace(load(), from_disk=NOW)
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert [each.name for each in file.parent.iterdir()] == ["snapshot"]


def test_the_readers_environment__decides_what_is_its_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emergency = "ab" * 32
    told(
        monkeypatch,
        upstream_base_url="https://elsewhere.example/v1",
        upstream_name="elsewhere",
        api_key_sha256=(emergency,),
        allow_private_upstreams=True,
        lifecycle_warning_days=7,
    )
    found = disk.read()
    assert (found.default_upstream, found.lifecycle_warning_days) == ("elsewhere", 7)
    assert found.upstreams["elsewhere"].base_url == "https://elsewhere.example/v1"
    assert found.upstreams["far"].trusted
    assert (found.keys[emergency].name, len(found.keys)) == ("IW_API_KEY_SHA256", 2)


def test_a_stored_key_that_is_revoked__stays_so_where_the_environment_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ApiKey.objects.get()
    row.revoked_at = NOW
    row.save()
    disk.write(load(), NOW)
    told(monkeypatch, api_key_sha256=(row.sha256,))
    assert disk.read().keys[row.sha256].revoked_at == NOW


def test_the_file__holds_hashes_and_references_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, secret = new_key(), "sk-canary-0123456789"
    ApiKey(key_id=made.key_id, sha256=made.sha256, name="canary", project=ApiKey.objects.get().project).save()
    monkeypatch.setenv("IW_UPSTREAM_API_KEY", secret)
    spoil("upstream", "secret_ref", secret)
    disk.write(load(), NOW)
    text = (folder / "snapshot").read_text()
    assert made.sha256 in text
    assert not [each for each in (made.text, secret, "k" * 40) if each in text]
    far = disk.read().upstreams["far"]
    assert (far.secret_ref, far.base_url) == ("", "")


def test_an_address_with_a_password_put_in_by_sql__is_not_copied(folder: Path) -> None:
    spoil("upstream", "base_url", "https://user:canary-pass@far.example/v1")
    disk.write(load(), NOW)
    assert b"canary-pass" not in (folder / "snapshot").read_bytes()


def test_every_cut_and_every_flipped_byte__is_refused(file: Path) -> None:
    whole = file.read_bytes()
    places = {*range(0, 120), *range(120, len(whole), 97), len(whole) - 1}
    for place in places:
        for spoilt in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
            file.write_bytes(spoilt)
            with pytest.raises(disk.SnapshotUnusable, match=r"damaged|of another form"):
                disk.read()
    file.write_bytes(whole)
    assert disk.read().revision == load().revision


def test_another_secret_key__is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, secret_key="l" * 40)
    with pytest.raises(disk.SnapshotUnusable, match="another IW_SECRET_KEY"):
        disk.read()


def test_another_form__is_refused_by_name(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"snapshot 1", b"snapshot 2", 1))
    with pytest.raises(disk.SnapshotUnusable, match="of another form"):
        disk.read()


def test_signed_content_of_another_shape__is_refused_by_place(file: Path) -> None:
    payload = orjson.dumps({"app_version": "9", "confirmed_at": NOW, "configuration": {"revision": "41"}})
    file.write_bytes(disk.FORM + disk._mac(payload) + b"\n" + payload)
    with pytest.raises(disk.SnapshotUnusable, match=r"its configuration\.revision is not what this release keeps"):
        disk.read()


def test_what_no_load_would_take__is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, upstream_name="far")
    with pytest.raises(disk.SnapshotUnusable, match="upstream far of the database has the name"):
        disk.read()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_touch__is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(disk.SnapshotUnusable, match="open to others"):
        disk.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user__is_refused(file: Path) -> None:
    os.chown(file, 4711, -1)
    with pytest.raises(disk.SnapshotUnusable, match="open to others"):
        disk.read()


def test_a_link_a_folder_or_nothing_in_its_place__is_refused(file: Path) -> None:
    file.rename(file.with_name("real"))
    with pytest.raises(disk.SnapshotUnusable, match="not there"):
        disk.read()
    file.symlink_to(file.with_name("real"))
    with pytest.raises(disk.SnapshotUnusable, match="unreadable"):
        disk.read()
    file.unlink()
    file.mkdir()
    with pytest.raises(disk.SnapshotUnusable, match="no file"):
        disk.read()


@pytest.mark.parametrize(
    ("point", "moved"), [("before_write", False), ("before_rename", False), ("after_rename", True)]
)
def test_a_write_that_breaks_off__leaves_the_former_or_the_next_whole(file: Path, point: str, moved: bool) -> None:
    Upstream(slug="near", base_url="https://near.example/v1").save()
    arm(read_plan(f"snapshot.{point}=raise"))
    try:
        with pytest.raises(FaultPoint):
            disk.write(load(), NOW + timedelta(minutes=1))
    finally:
        arm({})
    assert ("near" in disk.read().upstreams) is moved
    assert [each.name for each in file.parent.iterdir()] == ["snapshot"]


@pytest.mark.parametrize(
    ("point", "moved", "left"), [("before_write", False, 0), ("before_rename", False, 1), ("after_rename", True, 0)]
)
def test_a_process_that_is_killed_while_it_writes__leaves_one_of_both_whole(
    file: Path, point: str, moved: bool, left: int
) -> None:
    Upstream(slug="near", base_url="https://near.example/v1").save()
    config = load()
    child = os.fork()
    if not child:
        arm(read_plan(f"snapshot.{point}=kill"))
        disk.write(config, NOW + timedelta(minutes=1))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert ("near" in disk.read().upstreams) is moved
    assert len(list(file.parent.glob("*.tmp"))) == left


def test_what_a_dead_process_left__is_removed_once_it_is_old(file: Path) -> None:
    old, young = file.with_name("snapshot.1.tmp"), file.with_name("snapshot.2.tmp")
    old.touch()
    young.touch()
    os.utime(old, (1, 1))
    disk.clear_left_overs()
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize(
    ("after_s", "said"),
    [(0, ""), (86_400, ""), (86_401, "older than IW_SNAPSHOT_MAX_AGE"), (-300, ""), (-301, "set the clock")],
)
def test_its_age__decides_whether_it_serves_calls(folder: Path, after_s: int, said: str) -> None:
    config = replace(load(), from_disk=NOW)
    found = disk.stale_reason(config, NOW + timedelta(seconds=after_s))
    assert (said in found, bool(found)) == (True, bool(said))
    assert disk.stale_reason(load(), NOW + timedelta(days=400)) == ""
    assert settings().snapshot_max_age_s == 86_400
