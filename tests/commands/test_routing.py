"""`routing_resolve`, `routing_list` and `routing_override`: the one resolver, asked and changed from a terminal."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iwrouting.models import Alias, Change, Decision, Model, Override, Revision
from tests.commands.running import Done, run
from tests.planning.cast import by_ann, fill, sql

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

WHY = ("--reason", "Ticket 812: a trial", "--yes")


@pytest.fixture(autouse=True)
def _filled() -> None:
    fill()
    with by_ann():
        for name, model in (("auto", "gpt-4.1"), ("deep", "gpt-5.1")):
            Alias(name=name, kind="chat_mode", default_model=model).save()


def override(*arguments: str) -> Done:
    return run("routing_override", *arguments)


def atlas() -> Override:
    return Override.objects.get(project__slug="atlas")


def test_resolve__shows_the_ladder_and_the_chain() -> None:
    done = run("routing_resolve", "manager", "--project", "atlas", "--format", "table")
    assert done.code == 0
    assert [row[:3] for row in done.table[:4]] == [
        ["project_override", "used", "local-7"],
        ["override", "disabled", "local-7"],
        ["environment", "not_set", "-"],
        ["default", "shadowed", "gpt-5.1"],
    ]
    assert done.table[7][:4] == ["1", "fast", "gpt-4.1", "default"]
    assert done.err.startswith("manager for atlas: local-7 (project_override), revision 2.\n")
    assert not Decision.objects.exists()


def test_resolve__takes_what_callers_take() -> None:
    by_id = run("routing_resolve", "role:manager", "--project", "p-1", "--format", "json").json
    assert (by_id["model"], by_id["project"], by_id["version"]) == ("local-7", "atlas", 1)
    assert run("routing_resolve", "manager", "--format", "json").json["source"] == "default"
    assert run("routing_resolve", "gpt-5.1", "--format", "json").json["source"] == "explicit"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("manger",), "Did you mean 'manager'?"),
        (("manager", "--project", "altas"), "There is no project altas. Did you mean atlas?"),
        (("manager", "--as-of", "99"), "There is no revision 99: history has the revisions 0 to 2."),
        (("manager", "--as-of", "yesterday"), "'yesterday' is neither"),
        (("manager", "--text", "-"), "a mode is inferred for auto alone, not for manager"),
        (("auto", "--text", "/none"), "/none can't be read: No such file or directory."),
    ],
)
def test_resolve__of_what_is_not_there__says_what_is(arguments: tuple[str, ...], told: str) -> None:
    done = run("routing_resolve", *arguments)
    assert done.code in (1, 2)
    assert told in done.err


def test_resolve__as_of_a_revision_or_a_time__is_what_was_true_then() -> None:
    with by_ann():
        atlas().delete()
    asked = ("routing_resolve", "manager", "--project", "atlas", "--format", "json")
    assert run(*asked).json["model"] == "gpt-5.1"
    then = Change.objects.get(revision=2).at
    for moment in ("2", then.isoformat()):
        found = run(*asked, "--as-of", moment).json
        assert (found["model"], found["source"], found["revision"]) == ("local-7", "project_override", 2)
    assert run(*asked, "--as-of", (datetime.now(UTC) + timedelta(days=99)).isoformat()).json["revision"] == 3


def test_resolve__of_auto__infers_from_a_text_that_it_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ask.txt"
    file.write_text("Good morning")
    done = run("routing_resolve", "auto", "--text", str(file), "--format", "json")
    assert (done.json["inferred_mode"], done.json["alias"]) == ("fast", "auto")
    assert "morning" not in done.out + done.err
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Good morning")))
    assert run("routing_resolve", "auto", "--text", "-", "--format", "json").json["features"] == done.json["features"]
    assert run("routing_resolve", "auto", "--format", "json").json["inferred_mode"] is None


def test_resolve__while_a_change_by_sql_waits__answers_by_what_is_in_force() -> None:
    sql("UPDATE iwrouting_override SET model = 'gpt-5.1'")
    done = run("routing_resolve", "manager", "--project", "atlas", "--format", "json")
    assert (done.code, done.json["model"]) == (0, "local-7")
    assert done.err.startswith("Revision 2 is in force: the configuration was changed by SQL")


def test_list__has_every_alias_and_the_projects_that_differ() -> None:
    done = run("routing_list", "--format", "table")
    assert [row[:4] for row in done.table] == [
        ["auto", "chat_mode", "all projects", "gpt-4.1"],
        ["deep", "chat_mode", "all projects", "gpt-5.1"],
        ["fast", "chat_mode", "all projects", "gpt-4.1"],
        ["manager", "role", "all projects", "gpt-5.1"],
        ["manager", "role", "atlas", "local-7"],
    ]
    [own] = [row for row in run("routing_list", "--format", "json").json["rows"] if row["project"]]
    assert (own["source"], own["ref"], own["chain"]) == ("project_override", f"override:{atlas().pk}", ["gpt-4.1"])
    lines = run("routing_list", "--project", "atlas", "--kind", "role", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["model"] for line in lines] == ["local-7"]
    assert run("routing_list", "--format", "csv").out.splitlines()[0] == "alias,kind,project,model,source,ref,chain"
    assert "No aliases" in run("routing_list", "--as-of", "0").err


def test_set__makes_an_override_for_30_days__and_tells_its_effect() -> None:
    done = override("set", "deep", "--project", "atlas", "--model", "gpt-4.1", *WHY)
    assert (done.code, done.err.splitlines()) == (
        0,
        [
            "deep for atlas: gpt-5.1 (default) -> gpt-4.1 (project_override)",
            "Changed 1 row: revision 3.",
        ],
    )
    row = Override.objects.get(alias__name="deep")
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - datetime.now(UTC) <= timedelta(days=30)
    assert (row.enabled, row.reason) == (True, WHY[1])
    line = Change.objects.get(revision=3)
    assert (line.via, line.reason) == ("CLI", WHY[1])


def test_set__of_one_that_is_there__changes_its_model_and_keeps_its_end() -> None:
    before = atlas()
    assert override("set", "manager", "--project", "p-1", "--model", "gpt-4.1", "--starts", "1h", *WHY).code == 0
    after = atlas()
    assert (after.pk, after.model, after.expires_at) == (before.pk, "gpt-4.1", before.expires_at)
    assert after.starts_at is not None
    assert override("set", "manager", "--project", "atlas", "--model", "gpt-4.1", "--expires", "never", *WHY).code == 0
    assert atlas().expires_at is None
    assert override("set", "auto", "--model", "gpt-5.1", "--infer", "off", "--expires", "14d", *WHY).code == 0
    assert not Override.objects.get(alias__name="auto").infer


def test_disable_and_enable__switch_it__by_number_or_by_name() -> None:
    assert override("disable", str(atlas().pk), *WHY).code == 0
    assert not atlas().enabled
    again = override("disable", "manager", "--project", "atlas", *WHY)
    assert (again.code, again.err.splitlines()[-1]) == (0, "Nothing to change.")
    done = override("enable", "manager", "--project", "atlas", *WHY, "--format", "table")
    assert done.table == [["change", "override", "manager for atlas", "enabled", "false", "true"]]
    assert atlas().enabled


def test_extend__adds_to_the_end__or_to_now_where_that_has_passed() -> None:
    before = atlas().expires_at
    assert before is not None
    assert override("extend", "manager", "--project", "atlas", *WHY).code == 0
    assert atlas().expires_at == before + timedelta(days=7)
    with by_ann():
        row = atlas()
        row.expires_at = datetime.now(UTC) - timedelta(days=3)
        row.save()
    assert override("extend", "manager", "--project", "atlas", "--by", "2d", *WHY).code == 0
    after = atlas().expires_at
    assert after is not None
    assert timedelta(days=1) < after - datetime.now(UTC) <= timedelta(days=2)
    done = override("extend", "manager", *WHY)
    assert (done.code, "has no end, so there is nothing to extend" in done.err) == (1, True)
    assert override("extend", "manager", "--expires", "3d", *WHY).code == 0


def test_delete__leaves_it_in_history() -> None:
    assert override("delete", "manager", "--project", "atlas", *WHY).code == 0
    assert not Override.objects.filter(project__slug="atlas").exists()
    why = ("--reason", "It was right", "--yes")
    assert run("config_restore", "--revision", "2", "--object", "override:manager for atlas", *why).code == 0
    assert atlas().model == "local-7"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("disable", "999", *WHY), 1, "There is no override 999. There are "),
        (("disable", "fast", *WHY), 1, "There is no override fast for all projects. There are "),
        (("set", "manger", "--model", "gpt-4.1", *WHY), 1, "There is no alias manger. Did you mean manager?"),
        (("set", "deep", "--project", "zeus", "--model", "gpt-4.1", *WHY), 1, "There is no project zeus."),
        (("set", "deep", "--model", "gpt-4.1", "--expires", "2020-01-01T00:00:00Z", *WHY), 1, "has passed"),
        (("set", "deep", "--model", "gpt-4.1", "--expires", "soon", *WHY), 1, "'soon' is no time"),
        (("set", "deep", "--model", "no model", *WHY), 1, "Enter a model id such as gpt-4.1"),
        (("set", "deep", "--model", "gpt-4.1", "--reason", "Not asked"), 2, "Add --yes to do it."),
        (("set", "deep", "--model", "gpt-4.1", "--reason", "no", "--yes"), 2, "Say why in 5 to 300 characters"),
        (("set", "deep", "--model", "gpt-4.1", *WHY, "--dry-run"), 3, "1 row would change."),
        (("set", "deep", "--model", "gpt-5.1", *WHY), 1, "--acknowledge override_same"),
        (("disable", "1", "--end", *WHY), 2, "--end lifts what --from-snapshot did"),
        (("disable", "manager", "--from-snapshot", *WHY), 2, "name the override by its number"),
    ],
)
def test_override__that_can_not_be__is_refused(arguments: tuple[str, ...], code: int, told: str) -> None:
    done = override(*arguments)
    assert (done.code, told in done.err, Revision.current()) == (code, True, 2), done


def test_disable__asks_for_no_acknowledgement__and_notes_what_it_brings() -> None:
    with by_ann():
        solo = Alias(name="solo", kind="role", default_model="local-7")
        solo.save()
        Override(alias=solo, model="gpt-4.1").save()
    with by_ann():
        model = Model.objects.get(model_id="local-7")
        model.enabled = False
        model.save()
    done = override("disable", "solo", *WHY)
    assert done.code == 0, done
    findings = json.loads(Change.objects.get(revision=5).details)["findings"]
    assert [(each["code"], each["acknowledged"]) for each in findings] == [("alias_unserved", False)]
