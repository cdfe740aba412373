"""`config_history`, `config_diff`, `config_restore` and `config_adopt`."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import load_command_class

from iwrouting.models import Alias, ApiKey, Change, Model, Override, Revision
from tests.commands.running import run
from tests.planning.cast import by_ann, fill, sql, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

EDIT = "UPDATE iwrouting_alias SET default_model = 'gpt-4.1' WHERE name = 'manager'"
WHY = ("--reason", "A test restores", "--yes")


@pytest.fixture(autouse=True)
def _edited() -> None:
    """Revision 2: the manager's model is another, and one override is gone."""
    fill()
    with by_ann(reason="Ticket 812: cheaper", author="ben"):
        alias = Alias.objects.get(name="manager")
        alias.default_model = "gpt-4.1"
        alias.save()
        Override.objects.get(project__slug="atlas").delete()


def test_history__tells_who_what_and_why__the_newest_first() -> None:
    first, second = run("config_history", "--format", "table").table
    assert second[1:4] == ["1", "ann", "CLI"]
    assert second[4].endswith("and 12 more")
    assert first[1:] == [
        "2",
        "ben",
        "CLI",
        "change alias manager: default_model gpt-5.1 -> gpt-4.1; delete override manager for atlas",
        "Ticket 812: cheaper",
    ]


def test_history__as_json__has_every_field_and_no_hash_of_a_key() -> None:
    found = run("config_history", "--format", "json").json
    assert [line["revision"] for line in found["changes"]] == [2, 1]
    assert found["changes"][0]["objects"][0] == {
        "type": "alias",
        "name": "manager",
        "operation": "change",
        "changed": {"default_model": ["gpt-5.1", "gpt-4.1"]},
    }
    text = json.dumps(found)
    assert ApiKey.objects.get().sha256 not in text
    assert ApiKey.objects.get().key_id in text


HOSTILE = "=HYPERLINK(1)\x1b[2J\nrevision 3 by nobody"


def test_history__with_a_hostile_reason__does_nothing_to_a_terminal_or_a_spreadsheet() -> None:
    with by_ann(reason=HOSTILE):
        Override.objects.all().delete()
    text = run("config_history", "--format", "table").out
    assert "\x1b" not in text
    assert r"=HYPERLINK(1)\x1b[2J\nrevision 3 by nobody" in text.splitlines()[1]
    row = next(csv.DictReader(io.StringIO(run("config_history", "--format", "csv").out)))
    assert row["reason"] == f"'{HOSTILE}"


def test_adopt__of_what_sql_changed_again_meanwhile__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sql(EDIT)

    def agreed(*_: object) -> bool:
        sql("DELETE FROM iwrouting_override")
        return True

    monkeypatch.setattr("iwrouting.management.commands.config_adopt.agreed", agreed)
    done = run("config_adopt", "--reason", "A test adopts", "--acknowledge", "all")
    assert (done.code, "Somebody changed it by SQL again" in done.err) == (1, True)
    assert Revision.current() == 2


def test_history__can_be_narrowed() -> None:
    def revisions(*options: str) -> list[int]:
        return [
            json.loads(line)["revision"]
            for line in run("config_history", *options, "--format", "jsonl").out.splitlines()
        ]

    assert revisions("--object", "alias:manager") == [2, 1]
    assert revisions("--object", "alias:fast") == [1]
    assert revisions("--object", "alias:fast", "--object", "override:manager for atlas") == [2, 1]
    assert revisions("--author", "ben") == [2]
    assert revisions("--kind", "adoption") == []
    assert revisions("--limit", "1") == [2]
    now = datetime.now(UTC)
    assert revisions("--since", (now + timedelta(hours=1)).isoformat()) == []
    assert revisions("--since", (now - timedelta(hours=1)).isoformat()) == [2, 1]
    assert "No changes that fit" in run("config_history", "--author", "nobody").err


def test_history__as_csv__has_a_line_for_each_change() -> None:
    rows = list(csv.DictReader(io.StringIO(run("config_history", "--format", "csv").out)))
    assert [row["reason"] for row in rows] == ["Ticket 812: cheaper", "A test of plans"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--object", "manager"), "'manager' names no object"),
        (("--object", "aliass:manager"), "there is no kind 'aliass'. Did you mean alias?"),
        (("--since", "soon"), "'soon' is no time"),
        (("--since", "2026-11-01"), "'2026-11-01' is no time"),
        (("--limit", "0"), "'0' is no whole number from 1 to 10,000"),
    ],
)
def test_history__of_what_can_not_be__says_what_to_give(options: tuple[str, str], told: str) -> None:
    assert told in run("config_history", *options).err


def test_diff__of_two_revisions__shows_fields_and_ends_with_3() -> None:
    done = run("config_diff", "1", "2", "--format", "table")
    assert (done.code, done.table) == (
        3,
        [
            ["change", "alias", "manager", "default_model", "gpt-5.1", "gpt-4.1"],
            ["delete", "override", "manager for atlas", "-", "-", "-"],
        ],
    )
    back = run("config_diff", "2", "1", "--format", "json").json
    assert [row["operation"] for row in back["changes"]] == ["change", "create"]
    assert run("config_diff", "1").out == run("config_diff", "1", "2").out
    assert run("config_diff", "2").code == 0
    assert run("config_diff", datetime.now(UTC).isoformat()).err == "Revision 2 is as revision 2 was.\n"
    none = run("config_diff", "1", "7")
    assert (none.code, none.err) == (1, "There is no revision 7: history has the revisions 0 to 2.")


def test_restore__of_the_whole__is_a_planned_change() -> None:
    dry = run("config_restore", "--revision", "1", "--reason", "Looking at it", "--dry-run", "--format", "table")
    assert (dry.code, Revision.current()) == (3, 2)
    assert ["change", "alias", "manager", "default_model", "gpt-4.1", "gpt-5.1"] in dry.table
    assert run("config_restore", "--revision", "1", "--reason", "Not asked").code == 2
    done = run("config_restore", "--revision", "1", *WHY)
    assert (done.code, done.err.splitlines()[-1]) == (0, "Changed 2 rows: revision 3.")
    assert run("config_diff", "1", "3").code == 0
    line = Change.objects.get(revision=3)
    assert (line.reason, json.loads(line.details)["restored"]) == (WHY[1], 1)


def test_restore__of_one_object__leaves_the_rest() -> None:
    get_user_model().objects.create_user("carol")
    done = run("config_restore", "--revision", "1", "--object", "override:manager for atlas", *WHY, "--as", "carol")
    assert done.code == 0
    assert Override.objects.filter(project__slug="atlas").exists()
    assert Alias.objects.get(name="manager").default_model == "gpt-4.1"
    assert Change.objects.get(revision=3).author == "carol"


def test_restore__that_names_what_is_gone__stops() -> None:
    with by_ann():
        Override.objects.all().delete()
        Model.objects.get(model_id="local-7").delete()
    before = stored()
    done = run("config_restore", "--revision", "1", "--object", "override:manager for all projects", *WHY)
    assert done.code == 1
    assert "names the model local-7 (model), which is gone" in done.err
    assert stored() == before


def test_restore__as_nobody__is_refused_before_anything_is_asked() -> None:
    done = run("config_restore", "--revision", "1", "--reason", "A test restores", "--as", "nobody")
    assert (done.code, done.out, done.err.startswith("--as nobody: there is no such user.")) == (1, "", True)


def test_restore__of_what_can_not_be__says_so() -> None:
    assert run("config_restore", "--reason", "No revision").code == 2
    assert run("config_restore", "--revision", "9", *WHY).err == (
        "There is no revision 9: history has the revisions 0 to 2."
    )
    none = run("config_restore", "--revision", "1", "--object", "alias:manger", *WHY)
    assert (none.code, none.err) == (1, "There is no alias manger, and there was none under revision 1.")


def test_adopt__shows_it__then_gives_it_a_revision() -> None:
    assert run("config_adopt", "--reason", "Nothing to do").err.startswith("Nothing waits")
    sql(EDIT.replace("gpt-4.1", "gpt-5.1"))
    dry = run("config_adopt", "--dry-run", "--format", "table")
    assert dry.table == [["change", "alias", "manager", "default_model", "gpt-4.1", "gpt-5.1"]]
    assert (dry.code, Revision.standing().is_touched) == (3, True)
    assert run("config_adopt", "--yes").code == 2
    assert run("config_adopt", "--reason", "Mended by hand").code == 2
    done = run("config_adopt", "--reason", "Mended by hand", "--yes")
    assert (done.code, done.err.splitlines()[-1]) == (0, "The configuration is adopted: revision 3.")
    line = Change.objects.get(revision=3)
    assert (line.kind, line.via, line.reason) == ("adoption", "SQL", "Mended by hand")


def test_adopt__of_what_may_not_be__says_why__and_discard_puts_it_back() -> None:
    before = stored()
    sql("UPDATE iwrouting_alias SET chain = '[\"manager\"]' WHERE name = 'manager'")
    done = run("config_adopt", "--reason", "It looked right", "--yes")
    assert (done.code, Revision.current()) == (1, 2)
    assert "run it with --discard" in done.err
    assert "alias manager" in done.err
    back = run("config_adopt", "--discard", "--reason", "It was wrong", "--yes")
    assert (back.code, stored()) == (0, before)
    assert back.err.endswith("The configuration is as history has it: revision 3.\n")
    assert "adoption: discarded" in run("config_history", "--format", "table").out


def test_adopt__of_what_can_not_be_read__is_refused__and_discard_puts_it_back() -> None:
    before = stored()
    sql("UPDATE iwrouting_alias SET chain = '{\"a\": 1}' WHERE name = 'manager'")
    done = run("config_adopt", "--dry-run")
    assert (done.code, "alias manager: chain must be a list of names" in done.err) == (1, True)
    assert run("config_adopt", "--discard", "--reason", "It was wrong", "--yes").code == 0
    assert stored() == before


def test_findings__that_end_a_command_well__are_not_called_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    sql("UPDATE iwrouting_alias SET purpose = 'by hand' WHERE name = 'manager'")
    command = load_command_class("iwrouting", "config_adopt")
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["manage.py", "config_adopt", "--dry-run"])
    assert ended.value.code == 3
    assert capsys.readouterr().err.endswith("Findings: A change by SQL waits to be adopted or discarded.\n")
