"""What was changed by SQL: shown, adopted with every check of a change, or put back as history has it."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from iwrouting.models import Change, ChangedBySql, HistoryRow, Project, Revision
from iwrouting.planning.adopting import adopt, changed_by_sql, discard
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.snapshot.contents import contents_at, contents_now
from tests.planning.cast import by_ann, fill, sql, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

EDIT = "UPDATE iwrouting_alias SET default_model = 'gpt-4.1' WHERE name = 'manager'"
DELETE = "DELETE FROM iwrouting_override WHERE enabled"


def test_nothing_by_sql__nothing_waits() -> None:
    fill()
    assert changed_by_sql() is None


def test_adopt__gives_it_a_revision_with_its_history() -> None:
    base = fill()
    sql(EDIT, DELETE)
    waiting = changed_by_sql()
    assert waiting is not None
    assert waiting.base == base
    assert {(row.operation.value, row.name) for row in waiting.plan.changes} == {
        ("change", "manager"),
        ("delete", "manager for atlas"),
    }
    made = adopt(author="ann", reason="Mended by hand at night")
    assert (made.revision, changed_by_sql()) == (base + 1, None)
    assert load().revision == base + 1
    line = Change.objects.get(revision=base + 1)
    assert (line.kind, line.via, line.author, line.reason) == ("adoption", "SQL", "ann", "Mended by hand at night")
    assert {(row.operation, row.name) for row in HistoryRow.objects.filter(revision=base + 1)} == {
        ("change", "manager"),
        ("delete", "manager for atlas"),
    }
    assert contents_at(base + 1) == contents_now()


def test_adopt__of_what_changed_nothing__ends_the_alarm() -> None:
    base = fill()
    sql("UPDATE iwrouting_alias SET tier = tier")
    waiting = changed_by_sql()
    assert waiting is not None
    assert waiting.plan.changes == ()
    assert adopt(author="ann", reason="Nothing was changed").revision == base + 1
    assert load().revision == base + 1


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE iwrouting_alias SET default_model = '' WHERE name = 'manager'", "alias manager: default_model: "),
        ("UPDATE iwrouting_project SET slug = 'other' WHERE slug = 'boreas'", "its name stays with its decisions"),
    ],
)
def test_adopt__of_what_may_not_be__is_refused(statement: str, told: str) -> None:
    base = fill()
    sql(statement)
    with pytest.raises(ValidationError, match=told):
        adopt(author="ann", reason="It looked right")
    assert Revision.current() == base
    with pytest.raises(ChangedBySql), by_ann():
        Project(slug="new").save()


@pytest.mark.parametrize(
    "statements",
    [
        (EDIT, DELETE),
        ("UPDATE iwrouting_price SET input_pico = 5",),
        ("DELETE FROM iwrouting_price",),
        ("UPDATE iwrouting_upstream SET base_url = 'https://x.example/v1'",),
        ("DELETE FROM iwrouting_override", "DELETE FROM iwrouting_alias", "DELETE FROM iwrouting_apikey"),
        ("UPDATE iwrouting_project SET slug = 'other' WHERE slug = 'boreas'",),
        ("UPDATE iwrouting_apikey SET revoked_at = NULL, scopes = '[\"manage\"]'",),
        (
            "INSERT INTO iwrouting_project (slug, name, owner, enabled, strict_parameters, created_at, updated_at)"
            " VALUES ('sly', '', '', true, false, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
            "UPDATE iwrouting_apikey SET project_id = (SELECT id FROM iwrouting_project WHERE slug = 'sly')",
        ),
    ],
)
def test_discard__puts_back_what_history_has(statements: tuple[str, ...]) -> None:
    base = fill()
    before = stored()
    sql(*statements)
    made = discard(author="ann", reason="Nobody knows who did it")
    assert stored() == before
    assert contents_now() == contents_at(base)
    assert (made.revision, load().revision) == (base + 1, base + 1)
    line = Change.objects.get(revision=base + 1)
    assert (line.kind, json.loads(line.details)) == ("adoption", {"discarded": True})
    assert not HistoryRow.objects.filter(revision=base + 1).exists()


def test_discard__of_a_row_that_can_not_be_read__puts_it_back() -> None:
    fill()
    before = stored()
    sql("UPDATE iwrouting_alias SET chain = '{\"a\": 1}' WHERE name = 'manager'")
    with pytest.raises(SnapshotRefused, match="alias manager: chain must be a list of names"):
        changed_by_sql()
    discard(author="ann", reason="It broke the chain")
    assert stored() == before


def test_discard__of_exchanged_names__says_what_to_do() -> None:
    fill()
    sql(
        "UPDATE iwrouting_project SET slug = 'x' WHERE slug = 'atlas'",
        "UPDATE iwrouting_project SET slug = 'atlas' WHERE slug = 'boreas'",
        "UPDATE iwrouting_project SET slug = 'boreas' WHERE slug = 'x'",
    )
    with pytest.raises(ValidationError, match="exchanged their names"):
        discard(author="ann", reason="They were exchanged")
    assert changed_by_sql() is not None
