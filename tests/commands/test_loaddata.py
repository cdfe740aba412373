"""`loaddata`: fixtures that hold rows of the configuration are a change as any other."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from iwrouting.models import Alias, Change, HistoryRow, Project, Revision
from iwrouting.snapshot import load
from tests.commands.running import run
from tests.planning.cast import by_ann, fill, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]


def dumped(path: Path, *models: str) -> str:
    out = io.StringIO()
    call_command("dumpdata", *models, stdout=out)
    path.write_text(out.getvalue())
    return str(path)


@pytest.fixture
def fixture(tmp_path: Path) -> str:
    """Aliases and projects as they stand; one alias is another since."""
    fill()
    file = dumped(tmp_path / "configuration.json", "iwrouting.alias", "iwrouting.project")
    with by_ann():
        alias = Alias.objects.get(name="manager")
        alias.default_model = "gpt-4.1"
        alias.save()
    return file


def test_configuration__without_a_reason__is_not_loaded(fixture: str) -> None:
    before = stored()
    done = run("loaddata", fixture)
    assert (done.code, stored(), Revision.current()) == (2, before, 2)
    assert "--reason" in done.err


def test_configuration__with_a_reason__is_one_revision_by_import(fixture: str) -> None:
    done = run("loaddata", fixture, "--reason", "Moved from the test system")
    assert done.code == 0, done
    assert Alias.objects.get(name="manager").default_model == "gpt-5.1"
    line = Change.objects.get(revision=3)
    assert (line.via, line.reason) == ("import", "Moved from the test system")
    assert json.loads(line.details)["fixtures"] == [fixture]
    assert [(row.name, row.operation) for row in HistoryRow.objects.filter(revision=3)] == [("manager", "change")]
    assert load().revision == 3
    assert not Revision.standing().is_touched


def test_configuration__that_stands_as_it_is_loaded__is_no_revision(fixture: str) -> None:
    for _ in range(2):
        assert run("loaddata", fixture, "--reason", "Moved from the test system").code == 0
    assert (Revision.current(), Change.objects.filter(via="import").count()) == (3, 1)
    assert not Revision.standing().is_touched


def test_a_fixture_that_breaks_routing__is_refused_as_a_whole(fixture: str) -> None:
    rows = json.loads(Path(fixture).read_text())
    for row in rows:
        if row["model"] == "iwrouting.alias":
            row["fields"]["chain"] = ["nobody"]
    Path(fixture).write_text(json.dumps(rows))
    before = stored()
    done = run("loaddata", fixture, "--reason", "It looked right")
    assert (done.code, stored()) == (1, before)
    assert "nobody" in done.err


def test_other_rows__need_no_reason(tmp_path: Path) -> None:
    get_user_model().objects.create_user("ann")
    users = dumped(tmp_path / "users.json", "auth.user")
    get_user_model().objects.all().delete()
    done = run("loaddata", users, verbosity=1)
    assert (done.code, done.out) == (0, "Installed 1 object(s) from 1 fixture(s)\n")
    assert (Revision.current(), Project.objects.count()) == (0, 0)
    assert run("loaddata", users, "--reason", "Harmless here").code == 0
    assert Revision.current() == 0


def test_a_file_that_is_none__is_named(tmp_path: Path) -> None:
    done = run("loaddata", str(tmp_path / "none.json"), "--reason", "There is no file")
    assert (done.code, "none" in done.err) == (1, True)
