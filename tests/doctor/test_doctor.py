"""`manage.py doctor`: each thing that can be wrong is a line with its next step, and the exit code tells how bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from iwrouting.conf import settings, sqlite
from iwrouting.conf.settings import SettingsError
from iwrouting.management.doctor import database, folder, told
from iwrouting.models import Alias, Model, Writer
from iwrouting.reports import invariants
from iwrouting.snapshot import disk, load
from tests.audit_tables.databases import IS_POSTGRESQL
from tests.audit_tables.rows import decision, outcome

NOW = datetime.now(UTC)
Lines = dict[str, list[dict[str, str]]]


@pytest.fixture(autouse=True)
def conf(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Settings of a deployment in order; called with others, it changes them."""
    monkeypatch.setattr(sqlite, "_file_needed", False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-provider")
    monkeypatch.setattr(told, "read_secret", lambda reference, conf: "sk-of-the-provider")
    monkeypatch.setattr(folder, "why_fleeting", lambda path: "")
    given: dict[str, Any] = {"journal_dir": tmp_path, "audit_key": "a" * 40, "secret_key": "s" * 40}

    def change(**changes: Any) -> None:
        given.update(changes)
        made = settings().model_copy(update=given)
        for place in ("management.commands.doctor", "snapshot.disk", "snapshot.stored", "snapshot.builtin"):
            monkeypatch.setattr(f"iwrouting.{place}.settings", lambda: made)

    change()
    disk.write(load(), disk.now_utc())
    return change


def doctor(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Lines]:
    """Its exit code, and its lines by check, those that are not ok alone."""
    code = 0
    try:
        call_command("doctor", "--format", "json", *options)
    except CommandError as error:
        code = error.returncode
    found: Lines = {}
    for line in json.loads(capsys.readouterr().out)["checks"]:
        assert line["message"]
        assert bool(line["next_step"]) is (line["level"] != "ok")
        if line["level"] != "ok":
            found.setdefault(line["check"], []).append(line)
    return code, found


@pytest.fixture
def quiet() -> None:
    """A writer that lives."""
    writer("alive")


def writer(ident: str, **values: Any) -> None:
    told = {"host": "h", "pid": 1, "key_id": "k", "app_version": "a", "mode": "database", "started_at": NOW}
    Writer.objects.create(id=ident, heartbeat_at=datetime.now(UTC), **told | values)


def test_nothing_wrong__is_0(capsys: pytest.CaptureFixture[str], quiet: None) -> None:
    assert doctor(capsys) == (0, {})


def test_people_get_lines(capsys: pytest.CaptureFixture[str], quiet: None) -> None:
    call_command("doctor", "--format", "table")
    said = capsys.readouterr()
    assert "ok        invariants: 20 of 20 hold\n" in said.out
    assert said.err == "Nothing is wrong; 0 warnings.\n"


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("audit_key", {"audit_key": ""}, "warning", "IW_AUDIT_KEY is not set"),
    ("audit_key", {"audit_key": "s" * 40}, "finding", "are the same"),
    ("settings", {"env": "production"}, "warning", "IW_ALLOWED_HOSTS"),
    ("snapshot", {"secret_key": "other" * 10}, "warning", "another IW_SECRET_KEY"),
    ("disk_low", {"alert_disk_mb": 10**12}, "finding", "are free"),
    ("snapshot", {"snapshot_max_age_s": -60}, "warning", "it would serve no call"),
]


@pytest.mark.parametrize(("check", "changes", "level", "said"), WRONG)
def test_a_setting__is_told(
    capsys: pytest.CaptureFixture[str],
    conf: Callable[..., None],
    quiet: None,
    check: str,
    changes: dict[str, Any],
    level: str,
    said: str,
) -> None:
    conf(**changes)
    code, found = doctor(capsys)
    assert code == (3 if level == "finding" else 0)
    [line] = found[check]
    assert line["level"] == level
    assert said in line["message"]


def test_a_variable_that_is_no_model__is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad() -> None:
        raise SettingsError(["OPENAI_MODEL_FAST: must be a model id"])

    monkeypatch.setattr(told, "read_environment", bad)
    assert doctor(capsys)[1]["settings"][0]["level"] == "finding"


@pytest.mark.parametrize(("env", "level"), [("production", "finding"), ("development", "warning")])
def test_no_key_of_the_provider__is_told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    conf: Callable[..., None],
    env: str,
    level: str,
) -> None:
    conf(env=env)
    monkeypatch.setattr(told, "read_secret", lambda reference, conf: None)
    [line] = doctor(capsys)[1]["upstream"]
    assert (line["level"], line["next_step"]) == (level, "Set OPENAI_API_KEY.")
    assert ("make run" in line["message"]) == (env == "development")


def test_tokenizers_that_are_damaged__are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(told, "tokenizers_dir", lambda: tmp_path / "none")
    code, found = doctor(capsys)
    assert (code, "--prepare" in found["tokenizers"][0]["next_step"]) == (3, True)


def test_a_folder_that_takes_no_file__is_told(
    capsys: pytest.CaptureFixture[str], conf: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    conf(journal_dir=tmp_path / "file" / "journal")
    code, found = doctor(capsys)
    assert (code, "takes no file: Not a directory" in found["journal_folder"][0]["message"]) == (3, True)


def test_a_folder_that_is_gone_with_its_container__is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: None
) -> None:
    monkeypatch.setattr(folder, "why_fleeting", lambda path: "it stands on the container's own file system (overlay)")
    code, found = doctor(capsys)
    assert (code, found["journal_folder"][0]["level"]) == (0, "warning")
    assert "would not outlive" in found["journal_folder"][0]["message"]


def journal(at: Path, ident: str, content: bytes) -> None:
    (at / f"{ident}.1.journal").write_bytes(content)


def test_journals_that_were_left__are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, quiet: None) -> None:
    dead, newer, spoilt = (f"{number}" * 36 for number in (1, 2, 3))
    journal(tmp_path, dead, b'IWJRNL1\n{"version":1}\n' + b"x" * 50)
    journal(tmp_path, newer, b'IWJRNL1\n{"version":99}\nrows')
    journal(tmp_path, spoilt, b"no journal")
    code, found = doctor(capsys)
    assert code == 3
    said = "\n".join(line["message"] for line in found["journals"])
    assert "50 bytes of audit rows wait" in said
    assert "by a newer release (form 99)" in said
    assert "its header is damaged" in said
    assert f"left by writers that do not run: {dead}" in said


def test_a_writer_that_went_silent__is_told(capsys: pytest.CaptureFixture[str]) -> None:
    writer("dead", pid=7)
    Writer.objects.update(heartbeat_at=NOW - timedelta(hours=1))
    code, found = doctor(capsys)
    assert (code, found["writers"][0]["level"], found["writer_silent"][0]["level"]) == (3, "warning", "finding")


def test_a_decision_that_is_open_for_too_long__is_told(capsys: pytest.CaptureFixture[str], quiet: None) -> None:
    young = decision(NOW - timedelta(minutes=30))
    assert doctor(capsys)[0] == 0
    old = decision(NOW - timedelta(hours=2), writer_id="alive", chain_hash="ab")
    code, found = doctor(capsys)
    assert (code, str(old.pk) in found["open_decisions"][0]["message"]) == (3, True)
    assert str(young.pk) not in found["open_decisions"][0]["message"]


def test_rows_that_should_have_left__are_told(
    capsys: pytest.CaptureFixture[str], conf: Callable[..., None], quiet: None
) -> None:
    of = decision(NOW - timedelta(days=100))
    outcome(of, "error")
    assert doctor(capsys)[1] == {} if not IS_POSTGRESQL else True
    conf(audit_retention_days=30)
    assert "manage.py maintain" in doctor(capsys)[1]["retention"][0]["next_step"]
    conf(audit_retention_days=0)
    assert "retention" not in doctor(capsys)[1]


def test_a_broken_invariant__is_told_unless_they_are_left_out(capsys: pytest.CaptureFixture[str], quiet: None) -> None:
    of = decision(NOW)
    outcome(of, "refused", calls=3)
    code, found = doctor(capsys)
    assert code == 3
    assert any(each["message"].startswith(f"refused_with_calls: {of.pk.hex[:8]}") for each in found["invariants"])
    assert doctor(capsys, "--skip-invariants") == (0, {})


def test_an_invariant_that_takes_too_long__is_no_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: None
) -> None:
    def slow(each: invariants.Invariant) -> None:
        raise invariants.NotChecked(f"{each.name}: not checked within 60 s")

    monkeypatch.setattr("iwrouting.management.doctor.audit.broken", slow)
    code, found = doctor(capsys)
    assert (code, {line["level"] for line in found["invariants"]}) == (0, {"warning"})


def test_a_database_that_does_not_answer__is_4_and_the_rest_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, conf: Callable[..., None]
) -> None:
    def away() -> int:
        raise OperationalError("connection refused")

    conf(audit_key="")
    monkeypatch.setattr(database, "_missing", away)
    code, found = doctor(capsys)
    assert (code, set(found)) == (4, {"audit_key", "database"})
    assert "DATABASE_URL" in found["database"][0]["next_step"]


def test_a_database_without_migrations__is_4(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_missing", lambda: 2)
    code, found = doctor(capsys)
    assert (code, found["migrations"][0]["next_step"]) == (4, "Run 'manage.py migrate'.")


def test_rights_that_are_too_wide__are_told(
    capsys: pytest.CaptureFixture[str], conf: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer("alive")
    if IS_POSTGRESQL:
        assert "rights" not in doctor(capsys)[1]
        conf(env="production")
        assert "could switch off the guards" in doctor(capsys)[1]["rights"][0]["message"]
        return
    file = tmp_path / "database.sqlite3"
    file.touch()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(file))
    file.chmod(0o604)
    assert "open to every user" in doctor(capsys)[1]["rights"][0]["message"]
    file.chmod(0o600)
    assert "rights" not in doctor(capsys)[1]


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite has no roles")
def test_a_role_that_owns_nothing_and_may_what_it_must__is_right(conf: Callable[..., None]) -> None:
    conf(env="production")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE iw_doctor_test; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO iw_doctor_test"
        )
        cursor.execute("SET LOCAL ROLE iw_doctor_test")
        [lacks] = database.check_rights(settings())
        cursor.execute("RESET ROLE; GRANT UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO iw_doctor_test")
        cursor.execute("SET LOCAL ROLE iw_doctor_test")
    assert lacks.level == "finding"
    assert "may not do what the service does: DELETE on auth_group" in lacks.message
    assert "manage.py roles --yes" in lacks.next_step
    [found] = database.check_rights(settings())
    assert (found.level, found.message) == ("ok", "iw_doctor_test is neither superuser nor owner of the tables")


@pytest.mark.skipif(not IS_POSTGRESQL, reason="SQLite's writer asks for durability itself")
def test_a_server_that_is_not_durable__is_told(capsys: pytest.CaptureFixture[str], quiet: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    code, found = doctor(capsys)
    assert (code, "synchronous_commit: off" in found["durability"][0]["message"]) == (3, True)


def test_configuration__with_what_no_save_lets_through__is_told_by_its_rule(
    capsys: pytest.CaptureFixture[str], quiet: None
) -> None:
    Model(model_id="off", endpoints=["chat"], enabled=False).save()
    row = Alias(name="code", kind="chat_mode", default_model="off", chain=["code"])
    row.save()
    code, found = doctor(capsys, "--skip-invariants")
    told_now = {line["message"].rpartition("[")[2]: line["level"] for line in found["configuration"]}
    assert (code, told_now) == (3, {"chain_cycle]": "finding", "model_disabled]": "warning"})
    row.default_model = ""
    row.save()
    (line,) = doctor(capsys, "--skip-invariants")[1]["configuration"]
    assert line["message"].startswith("refused: alias code: It has no default model")
