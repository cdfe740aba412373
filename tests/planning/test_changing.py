"""The one call by which the configuration changes, its history, and plans on top of it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import connection, transaction

from iwrouting.models import (
    Alias,
    Change,
    ChangedBySql,
    ChangeRequired,
    HistoryRow,
    Model,
    OpenChange,
    Override,
    Project,
    Revision,
    change,
)
from iwrouting.planning import StalePlan, Wanted, apply_plan, plan_now, rehearse
from iwrouting.snapshot import SnapshotRefused, load
from iwrouting.snapshot.contents import configuration_at, contents_at, contents_now
from iwrouting.types import ChangeKind, Operation, Via

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]


def by_ann(**more: Any) -> AbstractContextManager[OpenChange]:
    return change(**{"author": "ann", "via": Via.CLI, "reason": "A test of changes", **more})


def save_and_fail(row: Project | Override) -> None:
    row.save()
    raise KeyError


def fill() -> int:
    with by_ann() as made:
        Model(model_id="gpt-4.1", endpoints=["chat"]).save()
        Model(model_id="gpt-5.1", endpoints=["chat"]).save()
        Alias(name="fast", kind="chat_mode", default_model="gpt-4.1").save()
        Project(slug="atlas").save()
    return made.revision


def override(model: str = "gpt-5.1") -> Override:
    return Override(alias=Alias.objects.get(), project=Project.objects.get(), model=model, enabled=True)


def test_save__outside_of_a_change__names_the_call() -> None:
    with pytest.raises(ChangeRequired, match="with change"):
        Project(slug="atlas").save()
    assert not Project.objects.exists()


def test_bulk_writes__name_the_call() -> None:
    fill()
    for write in (
        lambda: Alias.objects.update(default_model="x"),
        lambda: Alias.objects.bulk_create([]),
        lambda: Alias.objects.bulk_update([], ["tier"]),
    ):
        with pytest.raises(TypeError, match="with change"):
            write()


def test_bulk_writes__of_related_rows__name_the_call() -> None:
    fill()
    with by_ann():
        row = override()
        row.project = None
        row.save()
    with by_ann(), pytest.raises(TypeError, match="with change"):
        Project.objects.get().overrides.add(row)
    with by_ann(), pytest.raises(TypeError, match="with change"):
        Alias._base_manager.update(tier="mid")
    assert contents_at(Revision.current()) == contents_now()


def test_change__several_rows__are_one_revision_with_their_history() -> None:
    revision = fill()
    line = Change.objects.get(revision=revision)
    assert (line.author, line.via, line.reason, line.kind) == ("ann", "CLI", "A test of changes", "configuration")
    rows = HistoryRow.objects.filter(revision=revision)
    assert {(row.object_type, row.name, row.operation) for row in rows} == {
        ("model", "gpt-4.1", "create"),
        ("model", "gpt-5.1", "create"),
        ("alias", "fast", "create"),
        ("project", "atlas", "create"),
    }
    assert Revision.current() == revision == load().revision


@pytest.mark.parametrize("reason", ["", "    ", "four", "x" * 301])
def test_change__without_a_fitting_reason__is_refused(reason: str) -> None:
    with pytest.raises(ValidationError), change(author="ann", via=Via.CLI, reason=reason):
        pytest.fail("it began")


def test_change__that_writes_nothing__raises_no_revision() -> None:
    before = fill()
    with by_ann():
        pass
    assert Revision.current() == before


def test_change__that_saves_a_row_as_it_is__raises_no_revision_and_writes_no_line() -> None:
    before, lines = fill(), Change.objects.count()
    with by_ann() as made:
        Alias.objects.get().save()
    assert (made.rows, Revision.current(), Change.objects.count()) == ([], before, lines)
    assert not Revision.standing().is_touched
    with by_ann():
        override().save()
    assert Revision.current() == load().revision == before + 1


def test_change__all_taken_back_in_a_savepoint__raises_no_revision_and_writes_no_line() -> None:
    before, lines = fill(), Change.objects.count()
    with by_ann() as made, pytest.raises(KeyError), transaction.atomic():
        save_and_fail(Project(slug="gone"))
    assert made.touched
    assert (Revision.current(), Change.objects.count()) == (before, lines)
    assert not Revision.standing().is_touched


def test_change__that_saves_a_row_as_it_is_and_asks_for_a_revision__raises_it() -> None:
    before = fill()
    with by_ann() as made:
        Alias.objects.get().save()
        made.raise_anyway()
    assert Revision.current() == made.revision == load().revision == before + 1


def test_change__taken_back_in_a_savepoint__leaves_no_history() -> None:
    fill()
    with by_ann() as made:
        with pytest.raises(KeyError), transaction.atomic():
            save_and_fail(Project(slug="gone"))
        override().save()
    assert [row.name for row in HistoryRow.objects.filter(revision=made.revision)] == ["fast for atlas"]
    assert load().revision == made.revision


def test_change__that_fails__leaves_all_as_it_was() -> None:
    before = fill()
    with pytest.raises(KeyError), by_ann():
        save_and_fail(override())
    assert (Revision.current(), Override.objects.count()) == (before, 0)
    assert load().revision == before


def test_delete__of_an_alias__remembers_what_went_with_it() -> None:
    fill()
    with by_ann():
        override().save()
    with by_ann() as made:
        Alias.objects.get().delete()
    rows = HistoryRow.objects.filter(revision=made.revision, operation=Operation.DELETE)
    assert {row.object_type for row in rows} == {"alias", "override"}
    assert json.loads(rows.get(object_type="override").content)["model"] == "gpt-5.1"


def test_name__of_a_row__stays() -> None:
    fill()
    row = Project.objects.get()
    row.slug = "other"
    with pytest.raises(ValidationError, match="name stays"), by_ann():
        row.save()
    assert Project.objects.get().slug == "atlas"


def test_contents_at__each_revision__are_what_was_stored_then() -> None:
    first = fill()
    with by_ann() as second:
        override().save()
    then = contents_now()
    with by_ann():
        Override.objects.get().delete()
    assert contents_at(first)["override"] == {}
    assert contents_at(second.revision) == then
    assert [row.model for row in configuration_at(second.revision).overrides.values()] == ["gpt-5.1"]
    assert contents_at(Revision.current()) == contents_now()
    assert contents_at(0) == {word: {} for word in then}


def test_sql__on_a_row__keeps_the_configuration_out_of_force() -> None:
    revision = fill()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iwrouting_alias SET default_model = 'gpt-5.1'")
    assert Revision.standing().is_touched
    with pytest.raises(SnapshotRefused, match=f"changed by SQL after revision {revision}"):
        load()
    with pytest.raises(ChangedBySql), by_ann():
        pytest.fail("it began")
    assert configuration_at(revision).aliases["fast"].default_model == "gpt-4.1"
    with by_ann(kind=ChangeKind.ADOPTION) as made:
        made.touched.add(("alias", Alias.objects.get().pk))
    assert load().aliases["fast"].default_model == "gpt-5.1"
    assert json.loads(HistoryRow.objects.get(revision=made.revision).changed) == {
        "default_model": ["gpt-4.1", "gpt-5.1"]
    }


def test_plan__makes_changes_and_deletes__all_or_nothing() -> None:
    fill()
    alias = next(iter(contents_now()["alias"].values()))
    new = {**alias, "name": "deep", "chain": ["fast"]}
    wanted: Wanted = {"alias": {"deep": new, "fast": {**alias, "chain": ["deep"]}}, "model": {"gpt-5.1": None}}
    plan = plan_now(wanted)
    assert {(row.name, row.operation) for row in plan.changes} == {
        ("deep", "create"),
        ("fast", "change"),
        ("gpt-5.1", "delete"),
    }
    assert rehearse(plan).faults == ()
    assert not Alias.objects.filter(name="deep").exists()
    with by_ann() as made:
        apply_plan(plan, made)
    assert plan_now(wanted).changes == ()
    assert load().aliases["deep"].chain == ("fast",)
    with pytest.raises(StalePlan, match=rf"revision {plan.base} -> {plan.base + 1}"), by_ann() as late:
        apply_plan(plan, late)


def test_plan__with_faults__names_each_row_and_changes_nothing() -> None:
    before = fill()
    alias = next(iter(contents_now()["alias"].values()))
    plan = plan_now({"alias": {"deep": {**alias, "name": "deep", "chain": ["nobody"], "tier": "x" * 17}}})
    [fault] = rehearse(plan).faults
    assert fault.startswith("alias deep: tier: ")
    plan = plan_now({"alias": {"deep": {**alias, "name": "deep", "chain": ["nobody"]}, "fast": None}})
    assert any("nobody" in fault for fault in rehearse(plan).faults)
    assert (Revision.current(), Alias.objects.count()) == (before, 1)


def test_plan__that_switches_off_a_row_with_an_old_fault__is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    fill()
    with by_ann():
        override().save()
    # A later release refuses what an earlier one let through.
    monkeypatch.setattr(Override._meta.get_field("model"), "validators", [RegexValidator("^new-", "Not any more.")])
    [content] = contents_now()["override"].values()
    with by_ann() as made:
        apply_plan(plan_now({"override": {"fast for atlas": {**content, "enabled": False}}}), made)
    assert not Override.objects.get().enabled
    other = plan_now({"override": {"fast for atlas": {**content, "model": "gpt-4.1"}}})
    with pytest.raises(ValidationError, match="Not any more"), by_ann() as made:
        apply_plan(other, made)


def test_plan__that_names_what_is_gone__says_which() -> None:
    fill()
    with by_ann():
        override().save()
    plan = plan_now({"project": {"atlas": None}})
    assert rehearse(plan).faults == ("The override fast for atlas names the project atlas, which is not there.",)


def test_plan__with_what_another_row_has__says_what_clashes() -> None:
    fill()
    project = {**next(iter(contents_now()["project"].values())), "external_id": "p-1"}
    plan = plan_now({"project": {"boreas": {**project, "slug": "boreas"}, "atlas": project}})
    [fault] = rehearse(plan).faults
    assert fault == "project boreas: external_id: Project with this External id already exists."
