"""`config_export`, `config_plan` and `config_apply`: the round trip, exit codes, stale plans, all or nothing."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from iwrouting.models import Alias, Change, Model, Override, Revision
from tests.commands.running import run
from tests.planning.cast import by_ann, fill, sql, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The bundle of the small configuration, which is stored."""
    fill()
    path = tmp_path / "iwrouting.yaml"
    assert run("config_export", "--output", str(path)).code == 0
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


MANAGER = "kind: role\n    default_model: gpt-5.1"
CHEAPER = "kind: role\n    default_model: gpt-4.1"
APPLY = ("--reason", "Ticket 812: cheaper", "--yes")


def test_export__goes_to_standard_output_too__and_reads_revisions(bundle: Path) -> None:
    before = bundle.read_text()
    assert run("config_export").out == before
    with by_ann():
        Override.objects.all().delete()
    assert run("config_export").out != before
    for moment in (str(Revision.current() - 1), str(Change.objects.get(revision=1).at.isoformat())):
        assert run("config_export", "--revision", moment).out == before
    late = run("config_export", "--revision", "99")
    assert (late.code, late.err) == (1, "There is no revision 99: history has the revisions 0 to 2.")


def test_export__into_a_pipe_or_through_a_link__leaves_them_there(bundle: Path, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link.yaml"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("config_export", "--output", str(pipe)).code == 0
        assert os.read(reader, 1_000_000).decode() == bundle.read_text()
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    link.symlink_to(tmp_path / "target.yaml")
    assert run("config_export", "--output", str(link)).code == 0
    assert link.is_symlink()
    assert (tmp_path / "target.yaml").read_text() == bundle.read_text()


def test_export__while_a_change_by_sql_waits__writes_what_is_in_force_alone_if_asked(bundle: Path) -> None:
    sql("UPDATE iwrouting_alias SET default_model = 'gpt-4.1'")
    done = run("config_export")
    assert (done.code, done.out) == (4, "")
    assert "`--revision 1` writes what is in force" in done.err
    assert run("config_export", "--revision", "1").out == bundle.read_text()


def test_plan__of_an_export__is_empty(bundle: Path) -> None:
    done = run("config_plan", str(bundle), "--prune", "--format", "json")
    assert (done.code, done.json["changes"], done.json["kept"]) == (0, [], [])
    assert "No differences: the configuration of revision 1" in done.err


def test_plan__of_an_edit__shows_it_and_ends_with_3(bundle: Path) -> None:
    edit(bundle, MANAGER, CHEAPER)
    done = run("config_plan", str(bundle), "--format", "table")
    assert done.code == 3
    assert done.table == [["change", "alias", "manager", "default_model", "gpt-5.1", "gpt-4.1"]]
    assert done.err.endswith("1 row would change.")
    found = run("config_plan", str(bundle), "--format", "json").json
    assert (found["version"], found["base"]) == (1, 1)
    assert found["changes"] == [
        {
            "operation": "change",
            "type": "alias",
            "name": "manager",
            "changed": {"default_model": ["gpt-5.1", "gpt-4.1"]},
        }
    ]
    assert Revision.current() == 1


def test_plan__of_a_file_that_is_none__ends_with_1_and_names_the_line(bundle: Path) -> None:
    edit(bundle, "chain: [fast]", "chian: [fast]")
    line = bundle.read_text().splitlines().index("    chian: [fast]") + 1
    done = run("config_plan", str(bundle))
    assert done.code == 1
    assert done.err == (
        f"iwrouting.yaml, line {line}, aliases, manager, chian: There is no such field. Did you mean chain?"
    )
    assert run("config_plan", str(bundle.with_name("none.yaml"))).err.endswith(
        "can't be read: No such file or directory."
    )


def test_plan__of_what_breaks_routing__ends_with_1_and_names_the_line(bundle: Path) -> None:
    edit(bundle, "chain: [fast]", "chain: [fast, nobody]")
    line = bundle.read_text().splitlines().index("  manager:") + 1
    done = run("config_plan", str(bundle), "--format", "json")
    assert done.code == 1
    assert f"iwrouting.yaml, line {line}, alias manager: " in done.err
    assert "nobody" in done.err
    assert done.json["faults"] != []


def test_apply__makes_one_revision_by_import(bundle: Path) -> None:
    edit(bundle, MANAGER, CHEAPER)
    edit(bundle, "    purpose: 'Quick", "    tier: small\n    purpose: 'Quick")
    done = run("config_apply", str(bundle), *APPLY)
    assert (done.code, done.err) == (0, "Changed 2 rows: revision 2.\n")
    line = Change.objects.get(revision=2)
    assert (line.via, line.reason, json.loads(line.details)["bundle"]) == ("import", APPLY[1], "iwrouting.yaml")
    assert Alias.objects.get(name="manager").default_model == "gpt-4.1"
    again = run("config_apply", str(bundle), *APPLY)
    assert (again.code, again.err, Revision.current()) == (0, "Nothing to change.\n", 2)


def test_apply__needs_a_reason_and_a_yes(bundle: Path) -> None:
    edit(bundle, MANAGER, CHEAPER)
    assert run("config_apply", str(bundle), "--reason", "x", "--yes").code == 2
    done = run("config_apply", str(bundle), "--reason", APPLY[1])
    assert (done.code, done.err.splitlines()[-1]) == (2, "Nothing was changed. Add --yes to do it.")
    dry = run("config_apply", str(bundle), *APPLY, "--dry-run")
    assert (dry.code, Revision.current()) == (3, 1)


@pytest.mark.parametrize(("typed", "revision"), [("y", 2), ("n", 1), ("", 1)])
def test_apply__on_a_terminal__asks(bundle: Path, monkeypatch: pytest.MonkeyPatch, typed: str, revision: int) -> None:
    edit(bundle, MANAGER, CHEAPER)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: typed)
    assert run("config_apply", str(bundle), "--reason", APPLY[1]).code == 0
    assert Revision.current() == revision


def test_apply__is_all_or_nothing(bundle: Path) -> None:
    before = stored()
    edit(bundle, MANAGER, CHEAPER)
    edit(bundle, "overrides:\n", "overrides:\n  manager for nobody:\n    model: gpt-4.1\n")
    done = run("config_apply", str(bundle), *APPLY)
    assert done.code == 1
    assert "The override manager for nobody names the project nobody, which is not there." in done.err
    assert (stored(), Revision.current()) == (before, 1)


def test_apply__of_a_written_plan__does_that_or_nothing(bundle: Path, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.json")
    edit(bundle, MANAGER, CHEAPER)
    assert run("config_plan", str(bundle), "--output", plan).code == 3
    edit(bundle, "name: Atlas", "name: Atlas 2")
    other = run("config_apply", str(bundle), "--plan", plan, *APPLY)
    assert (other.code, other.err) == (1, f"{plan} is the plan of another bundle than this one: plan again.")
    pruned = run("config_apply", str(bundle), "--plan", plan, "--prune", *APPLY)
    assert pruned.err == f"{plan} was made without --prune: leave it out here too, or plan again."
    edit(bundle, "name: Atlas 2", "name: Atlas")
    assert run("config_apply", str(bundle), "--plan", plan, *APPLY).code == 0
    stale = run("config_apply", str(bundle), "--plan", plan, *APPLY)
    assert (stale.code, stale.err) == (1, "Config changed since this plan (revision 1 -> 2). Plan again.")
    assert Revision.current() == 2


@pytest.mark.parametrize(
    ("text", "told"), [("{}", "is no plan file"), ("x", "is no plan file"), (None, "No such file or directory")]
)
def test_apply__with_a_file_that_is_no_plan__says_so(bundle: Path, tmp_path: Path, text: str | None, told: str) -> None:
    plan = tmp_path / "plan.json"
    if text is not None:
        plan.write_text(text)
    done = run("config_apply", str(bundle), "--plan", str(plan), *APPLY)
    assert (done.code, told in done.err) == (1, True)


def test_apply__with_prune__deletes_what_a_section_lacks(bundle: Path) -> None:
    head, _, tail = bundle.read_text().partition(
        "  manager for all projects:\n    model: local-7\n    enabled: false\n"
    )
    bundle.write_text(head + tail)
    kept = run("config_apply", str(bundle), *APPLY)
    assert "kept: override manager for all projects: The bundle does not have it" in kept.err
    assert Override.objects.count() == 2
    assert run("config_apply", str(bundle), "--prune", *APPLY).code == 0
    assert Override.objects.count() == 1


def test_apply__of_what_is_to_be_acknowledged__names_the_code(bundle: Path) -> None:
    with by_ann():
        Model(model_id="old-1", endpoints=["chat"], shutdown_date="2026-01-01").save()
    edit(bundle, MANAGER, "kind: role\n    default_model: old-1")
    done = run("config_apply", str(bundle), *APPLY)
    assert done.code == 1
    codes = [word for word in done.err.splitlines()[-1].split() if word.isidentifier() and "_" in word]
    assert codes
    assert Revision.current() == 2
    accepted = [option for code in codes for option in ("--acknowledge", code)]
    assert run("config_apply", str(bundle), *APPLY, *accepted).code == 0
    details = json.loads(Change.objects.get(revision=3).details)
    assert {finding["code"] for finding in details["findings"]} == set(codes)
    assert all(finding["acknowledged"] for finding in details["findings"])


def test_apply__from_standard_input(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = bundle.read_text().replace(MANAGER, CHEAPER)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("config_apply", "-", *APPLY, "--acknowledge", "all").code == 0
    assert Alias.objects.get(name="manager").default_model == "gpt-4.1"


def test_commands__while_a_change_by_sql_waits__are_not_ready(bundle: Path) -> None:
    sql("UPDATE iwrouting_alias SET default_model = 'gpt-4.1'")
    done = run("config_apply", str(bundle), *APPLY)
    assert done.code == 4
    assert "config_adopt" in done.err
