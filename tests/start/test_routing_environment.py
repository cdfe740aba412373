"""`manage.py routing_environment`: what each routing variable says, and what shadows it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from iwrouting.conf.environment import variables
from iwrouting.models import Alias, Override, Project


@pytest.fixture(autouse=True)
def rows(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A variable that wins, one that is shadowed everywhere and in one project, and one that is not set."""
    for name in ("code", "fast", "deep"):
        Alias(name=name, kind="chat_mode", default_model="gpt-4.1", variable=f"OPENAI_MODEL_{name.upper()}").save()
    fast = Alias.objects.get(name="fast")
    project = Project(slug="atlas")
    project.save()
    Override(alias=fast, project=None, model="gpt-4.1").save()
    Override(alias=fast, project=project, model="gpt-4.1-mini").save()
    monkeypatch.setenv("OPENAI_MODEL_CODE", "gpt-5.1")
    monkeypatch.setenv("OPENAI_MODEL_FAST", "gpt-5.1-mini")
    monkeypatch.delenv("OPENAI_MODEL_DEEP", raising=False)
    variables.cache_clear()
    yield
    monkeypatch.undo()
    variables.cache_clear()


def test_json__has_every_variable_with_what_shadows_it(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("routing_environment", "--format", "json")
    said = capsys.readouterr()
    told = json.loads(said.out)
    rows = {row["variable"]: row for row in told["variables"]}
    assert (told["version"], set(rows)) == (1, {"OPENAI_MODEL_CODE", "OPENAI_MODEL_FAST", "OPENAI_MODEL_DEEP"})
    assert (rows["OPENAI_MODEL_CODE"]["standing"], rows["OPENAI_MODEL_CODE"]["serves"]) == ("wins", "gpt-5.1")
    fast = rows["OPENAI_MODEL_FAST"]
    assert (fast["standing"], fast["serves"], fast["projects"]) == ("shadowed", "gpt-4.1", ["atlas"])
    assert fast["global_override"] == f"override:{Override.objects.get(project=None).pk}"
    assert (rows["OPENAI_MODEL_DEEP"]["standing"], rows["OPENAI_MODEL_DEEP"]["value"]) == ("not set", None)
    assert said.err == f"Environment {told['environment_id']}: 2 of 3 routing variables are set, 1 of them win.\n"


def test_set__leaves_out_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("routing_environment", "--set", "--format", "table")
    out = capsys.readouterr().out
    assert "OPENAI_MODEL_DEEP" not in out
    assert [line.split()[2] for line in out.splitlines()] == ["standing", "wins", "shadowed"]
