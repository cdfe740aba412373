"""`matrix_export` and `routing_check`: the matrix written down, and written ones against what is live."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from iwrouting.models import Alias, Override, Project
from tests.commands.running import Done, run
from tests.planning.cast import by_ann, sql

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

FORMS = ("markdown", "yaml", "env")
OWNERS = Path(__file__).parents[1] / "matrix" / "owner.md"
ON = ("--on", "2026-11-23")


@pytest.fixture(autouse=True)
def _matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The built-in matrix, a project, an alias of no variable, and overrides of both kinds; one variable is set."""
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {"OPENAI_MODEL_INTENT": "gpt-5.1"})
    with by_ann():
        call_command("matrix_load")
        atlas = Project(slug="atlas")
        atlas.save()
        Alias(name="mine", kind="role", default_model="gpt-5.1", purpose="A\n## 3. Defaults `<!--").save()
        aliases = {alias.name: alias for alias in Alias.objects.all()}
        Override(alias=aliases["manager"], model="gpt-4.1").save()
        Override(alias=aliases["manager"], project=atlas, model="gpt-5-mini").save()


def exported(tmp_path: Path, *options: str) -> Path:
    file = tmp_path / "matrix"
    assert run("matrix_export", *options, "--output", str(file)).err.endswith(f"Wrote {file}.\n")
    return file


def check(file: Path, *options: str) -> Done:
    return run("routing_check", str(file), "--format", "json", *ON, *options)


def drift(done: Done) -> list[tuple[Any, ...]]:
    return [(row["code"], row["alias"], row["project"], row["live"]) for row in done.json["drift"]]


@pytest.mark.parametrize("form", FORMS)
def test_export__spares_a_document_with_more_in_it__and_replaces_its_own(tmp_path: Path, form: str) -> None:
    file = tmp_path / "matrix"
    file.write_bytes(OWNERS.read_bytes())
    done = run("matrix_export", "--format", form, "--output", str(file))
    assert (done.code, f"{file} was not written by matrix_export" in done.err) == (1, True)
    assert file.read_bytes() == OWNERS.read_bytes()
    file.unlink()
    assert exported(tmp_path, "--format", form) == exported(tmp_path, "--format", form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("project", [(), ("--project", "atlas")])
def test_export__is_the_same_again__and_does_not_drift(tmp_path: Path, form: str, project: tuple[str, ...]) -> None:
    text = run("matrix_export", "--format", form, *project).out
    file = exported(tmp_path, "--format", form, *project)
    assert file.read_text(encoding="utf-8") == text
    done = check(file, *project)
    assert (done.code, done.json["form"], drift(done)) == (0, form, [])
    assert done.json["not_read"] == []


def test_export__says_what_an_environment_can_not() -> None:
    done = run("matrix_export", "--format", "env", "--project", "atlas")
    assert "Not written: mine reads no variable: gpt-5.1 serves it." in done.err
    assert "OPENAI_MODEL_MANAGER=gpt-5-mini\n" in done.out
    assert "OPENAI_MODEL_INTENT=gpt-5.1\n" in done.out


def test_export__of_a_profile__is_the_built_in_matrix_with_its_defaults(tmp_path: Path) -> None:
    text = exported(tmp_path, "--profile", "design", "--format", "env").read_text(encoding="utf-8")
    assert "OPENAI_MODEL_AUTO=gpt-4.1-mini\n" in text
    assert "OPENAI_MODEL_INTENT=gpt-4.1-nano\n" in text
    done = run("matrix_export", "--profile", "design", "--as-of", "1")
    assert (done.code, "give neither --project nor --as-of" in done.err) == (2, True)


def test_export__as_of_a_revision__is_what_was_true_then(tmp_path: Path) -> None:
    with by_ann():
        Override.objects.get(project=None).delete()
    assert "`gpt-4.1` (override)" in run("matrix_export", "--as-of", "1").out
    assert "`gpt-4.1` (override)" not in run("matrix_export").out


def test_check__names_each_drift_once__with_its_line_and_where_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = exported(tmp_path)
    lines = file.read_text(encoding="utf-8").split("\n")
    with by_ann():
        worker = Alias.objects.get(name="worker_doc")
        worker.default_model = "gpt-5.1"
        worker.save()
        deep = Alias.objects.get(name="deep")
        deep.variable = "OPENAI_MODEL_DEPTH"
        deep.save()
        Alias.objects.get(name="mine").delete()
        Alias(name="newer", kind="role", default_model="gpt-5.1").save()
        Override.objects.get(project=None).delete()
        override = Override(alias=Alias.objects.get(name="code"), model="gpt-5.1")
        override.save()
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {"OPENAI_MODEL_FAST": "gpt-5.1"})
    done = check(file)
    assert done.code == 3
    found = {(row["code"], row["alias"]): row for row in done.json["drift"]}
    assert set(found) == {
        ("other_default", "worker_doc"),
        ("other_variable", "deep"),
        ("missing_alias", "mine"),
        ("unwritten_alias", "newer"),
        ("default_serves", "manager"),
        ("default_serves", "intent"),
        ("override_serves", "code"),
        ("environment_serves", "fast"),
    }
    assert len(done.json["drift"]) == len(found)
    row = found["override_serves", "code"]
    [at] = row["lines"]
    assert lines[at - 1] == "  - `OPENAI_MODEL_CODE` → `gpt-5.1-codex`"
    assert (row["document"], row["live"]) == ("gpt-5.1-codex", "gpt-5.1 (override)")
    assert row["fix"] == f"admin: Overrides, {override.pk}; or line {at}"
    assert found["environment_serves", "fast"]["fix"].startswith("unset OPENAI_MODEL_FAST; or line ")
    assert found["other_default", "worker_doc"]["fix"].startswith("admin: Aliases, worker_doc; or lines ")
    assert found["default_serves", "manager"]["live"] == "gpt-5.1 (default)"
    assert done.err.endswith(" profile runtime: 8 differences, 6 models to look at.")
    assert done.json["notes"] == []


def test_check__of_a_default_that_document_and_database_share__notes_that_the_built_in_one_differs(
    tmp_path: Path,
) -> None:
    with by_ann():
        fast = Alias.objects.get(name="fast")
        fast.default_model = "gpt-5.1"
        fast.save()
    file = exported(tmp_path)
    done = check(file)
    assert (done.code, done.json["same"]) == (0, True)
    [note] = done.json["notes"]
    assert (note["code"], note["alias"], note["live"]) == (
        "builtin_differs",
        "fast",
        "gpt-4.1-mini (built-in profile runtime)",
    )
    assert check(file, "--strict").code == 3


def test_check__of_a_variable_that_is_set_for_nobody__notes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = exported(tmp_path)
    set_to = {"OPENAI_MODEL_INTENT": "gpt-5.1", "OPENAI_MODEL_INTNT": "gpt-4.1", "OPENAI_MODEL_X": " "}
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: set_to)
    [note] = check(file).json["notes"]
    assert (note["code"], note["live"]) == (
        "variable_not_read",
        "OPENAI_MODEL_INTNT is set, and no alias reads it",
    )


def test_check__of_an_environment__notes_the_override_of_a_project(tmp_path: Path) -> None:
    done = check(exported(tmp_path, "--format", "env"))
    [note] = done.json["notes"]
    assert (note["code"], note["project"], note["live"]) == (
        "project_override_serves",
        "atlas",
        "gpt-5-mini (project override)",
    )


def test_check__of_models_that_are_gone__warns__and_fails_where_it_is_asked_to(tmp_path: Path) -> None:
    file = exported(tmp_path)
    done = check(file)
    first = done.json["warnings"][0]
    assert (done.code, first["code"], first["model"], first["shutdown_date"], first["replacement"]) == (
        0,
        "model_retired",
        "gpt-5.1-codex",
        "2026-07-23",
        "gpt-5.6-sol",
    )
    assert first["live"] == ["code"]
    assert check(file, "--fail-on", "dead").code == check(file, "--fail-on", "dying").code == 3
    early = ("--on", "2026-07-01")
    assert check(file, *early, "--fail-on", "dead").code == 0
    assert check(file, *early, "--fail-on", "dying").code == 3
    assert check(file, *early, "--days", "1", "--fail-on", "dying").code == 0


@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_check__has_all_rows_in_each_format(tmp_path: Path, form: str) -> None:
    file = exported(tmp_path, "--profile", "design")
    out = run("routing_check", str(file), "--format", form, *ON).out
    if form == "jsonl":
        codes = [json.loads(line)["code"] for line in out.splitlines()]
    elif form == "csv":
        codes = [row["code"] for row in csv.DictReader(io.StringIO(out))]
    else:
        codes = [line.split()[1] for line in out.splitlines() if line and not line.startswith("level")]
    assert codes.count("unwritten_alias") == 1
    assert codes.count("model_retired") == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- `OPENAI_MODEL_FAST` → gpt-4.1\n", "matrix, line 1: 'gpt-4.1' names no model: expected `model`"),
        ("# A page\n\nNothing.\n", "matrix, line 1: Nothing in it was read as a matrix (markdown): expected lines"),
        ("version: 1\naliases: {}\n", "matrix, line 1: This is a bundle of the configuration: config_plan"),
        ("OPENAI_MODEL_FAST=gpt 4\n", "matrix, line 1: OPENAI_MODEL_FAST has no value that can be read"),
    ],
)
def test_check__of_what_can_not_be_read__says_line_and_what_was_expected(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "matrix"
    file.write_text(text, encoding="utf-8")
    done = check(file, *(("--as-format", "env") if text.startswith("OPENAI") else ()))
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_check__of_a_file_that_is_not_there__says_so(tmp_path: Path) -> None:
    done = check(tmp_path / "none.md")
    assert (done.code, "none.md can't be read: No such file or directory." in done.err) == (1, True)


def test_check__tells_what_it_did_not_read__without_harm_to_a_terminal(tmp_path: Path) -> None:
    file = exported(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + "See \x1b[31m `OPENAI_MODEL_FAST` there.\n", encoding="utf-8")
    done = check(file)
    [line] = done.json["not_read"]
    assert line["text"].endswith("there.")
    assert "Not read, line " in done.err
    assert "\x1b" not in done.err + done.out


def test_check__of_an_environment_file_with_secrets__shows_none(tmp_path: Path) -> None:
    file = tmp_path / "service.env"
    file.write_text(
        "DATABASE_URL=postgres://u:hush@db/x\nhush hush\nOPENAI_MODEL_FAST=gpt-4.1-mini\n", encoding="utf-8"
    )
    done = check(file)
    assert done.json["form"] == "env"
    assert [line["line"] for line in done.json["not_read"]] == [1, 2]
    assert "hush" not in done.out + done.err


def test_check__against_the_built_in_matrix__reads_no_database(tmp_path: Path, django_assert_num_queries: Any) -> None:
    file = exported(tmp_path, "--profile", "design")
    with django_assert_num_queries(0):
        done = check(file, "--built-in", "--profile", "design")
    assert (done.code, drift(done)) == (3, [("environment_serves", "intent", None, "gpt-5.1 (environment)")])
    assert done.json["revision"] is None
    other = tmp_path / "other.yaml"
    other.write_text("matrix: 1\naliases:\n  fast: {variable: OPENAI_MODEL_FAST, default: nothing-known}\n")
    asked = check(other, "--built-in").json
    fixes = {row["code"]: row["fix"] for row in asked["drift"]}
    assert fixes == {"other_default": "line 3", "unwritten_alias": "write it down as matrix_export --format yaml does"}
    assert {row["fix"] for row in asked["warnings"]} == {"its lines", "admin: Models; or its lines"}
    assert check(file, "--built-in", "--project", "atlas").code == 2


def test_check__of_a_project__tells_of_that_alone(tmp_path: Path) -> None:
    file = exported(tmp_path, "--profile", "runtime")
    done = check(file, "--project", "atlas")
    assert ("project_override_serves", "manager", "atlas", "gpt-5-mini (project override)") in drift(done)
    assert not [row for row in drift(done) if row[0] == "override_serves"]
    assert "There is no project altas. Did you mean atlas?" in check(file, "--project", "altas").err


def test_check__while_a_change_by_sql_waits__compares_with_what_is_in_force(tmp_path: Path) -> None:
    file = exported(tmp_path)
    sql("UPDATE iwrouting_alias SET default_model = 'gpt-5.1' WHERE name = 'fast'")
    done = check(file)
    assert (done.code, drift(done)) == (0, [])
    assert "is in force: the configuration was changed by SQL" in done.err
