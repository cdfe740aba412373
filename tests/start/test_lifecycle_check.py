"""`manage.py lifecycle_check`: the places whose model is gone or going, and the exit codes of a check."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from iwrouting.models import Alias, Model, Override, Project
from tests.start.folder import Folder

TODAY = datetime.now(UTC).date()


def model(name: str, days: int | None) -> None:
    ends = None if days is None else TODAY + timedelta(days=days)
    Model(model_id=name, endpoints=["chat"], shutdown_date=ends, replacement="next" if days else "").save()


@pytest.fixture
def rows(db: None) -> None:
    """A gone default, a variable and a project's override that are going, and one far off."""
    for name, days in (("dead", -10), ("dying", 20), ("sound", None), ("later", 200)):
        model(name, days)
    fast = Alias(name="fast", kind="role", default_model="dead")
    fast.save()
    Alias(name="code", kind="role", default_model="later", variable="OPENAI_MODEL_INTENT", chain=["fast"]).save()
    project = Project(slug="atlas", name="Atlas")
    project.save()
    Override(alias=fast, project=project, model="dying").save()


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str]:
    """What is told as JSON, and the last word on it."""
    with pytest.raises(CommandError) as caught:
        call_command("lifecycle_check", "--format", "json", *arguments)
    assert caught.value.returncode == 3
    return json.loads(capsys.readouterr().out), str(caught.value)


@pytest.mark.usefixtures("rows")
def test_findings__are_told_with_their_place_and_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    found, said = check(capsys)
    assert (found["version"], found["days"]) == (1, 90)
    assert said == "2 places name a model that is gone or going."
    assert [(each["days"], each["model"], each["where"], each["project"]) for each in found["findings"]] == [
        (-10, "dead", "default of the alias fast", None),
        (20, "dying", "override of the alias fast for the project atlas", "atlas"),
    ]
    first = found["findings"][0]
    assert (first["code"], first["replacement"], first["fix"]) == ("model_retired", "next", "admin: Aliases, fast")
    assert (first["date"], first["rung_of"]) == (str(TODAY - timedelta(days=10)), ["code"])


@pytest.mark.usefixtures("rows")
def test_one_finding__is_told_as_one_and_as_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    Override.objects.get().delete()
    with pytest.raises(CommandError) as caught:
        call_command("lifecycle_check", "--format", "json")
    assert (type(caught.value).__name__, str(caught.value)) == (
        "Findings",
        "1 place names a model that is gone or going.",
    )
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1


@pytest.mark.usefixtures("rows")
def test_days__look_further(capsys: pytest.CaptureFixture[str]) -> None:
    assert [each["model"] for each in check(capsys, "--days", "200")[0]["findings"]] == ["dead", "dying", "later"]
    assert [each["model"] for each in check(capsys, "--days", "0")[0]["findings"]] == ["dead"]
    with pytest.raises(CommandError, match="'-1' is no whole number from 0 to 3650"):
        call_command("lifecycle_check", "--days=-1")


@pytest.mark.usefixtures("rows")
def test_table__has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError):
        call_command("lifecycle_check", "--format", "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["days", "date", "model", "where", "replacement", "fix", "rung_of"]
    assert len(lines) == 3
    assert lines[1].startswith("-10 ")
    assert "admin: Overrides, " in lines[2]


@pytest.mark.django_db
def test_nothing_to_find__is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    model("sound", None)
    Alias(name="fast", kind="role", default_model="sound").save()
    call_command("lifecycle_check", "--format", "json")
    said = capsys.readouterr()
    assert (json.loads(said.out)["findings"], said.err) == (
        [], "No place names a model that is gone or will be within 90 days.\n",
    )  # fmt: skip


@pytest.mark.skipif(connection.vendor == "postgresql", reason="it starts on a SQLite file of its own")
def test_process__ends_with_3_and_json_without_a_terminal(prepared: Folder) -> None:
    done = prepared.manage("lifecycle_check", "--days", "3650", IW_ENV="development")
    assert done.returncode == 3, done.stderr
    assert "gpt-5.1-codex" in {each["model"] for each in json.loads(done.stdout)["findings"]}
    assert done.stderr.startswith("Findings: ")
    assert done.stderr.endswith("places name a model that is gone or going.\n")
