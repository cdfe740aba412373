"""Bundles: a configuration as YAML and back, and every way in which a file can be none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.db import models

from iwrouting.models import Model, Price, Revision
from iwrouting.models.contents import CONFIGURATION
from iwrouting.planning import apply_plan, rehearse
from iwrouting.planning.bundles import BundleRefused, plan_bundle, read_bundle, write_bundle
from iwrouting.planning.bundles.fields import SECTIONS
from iwrouting.snapshot.contents import contents_now
from iwrouting.types import Operation
from tests.planning.cast import LATER, by_ann, fill, stored
from tests.planning.test_bundle_files import by_name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

HEAD = "version: 1\n"
BEGIN = "1970-01-01T00:00:00Z"
PRICED = "{input: 1, output: 4}"


def edited(section: str, name: str, **fields: Any) -> str:
    """The bundle of what is stored with other fields in one object; without the object where no field is given."""
    document = yaml.safe_load(write_bundle(contents_now()))
    if fields:
        document[section][name] = {**document[section].get(name, {}), **fields}
    else:
        del document[section][name]
    return yaml.safe_dump(document)


def test_export__of_the_built_in_matrix__reads_back_as_it_was() -> None:
    with by_ann():
        call_command("matrix_load")
    now = contents_now()
    bundle = read_bundle(write_bundle(now))
    assert {word: dict(rows) for word, rows in bundle.sections.items()} == by_name(now)
    assert len(bundle.sections["alias"]) == 18


def test_round_trip__into_an_empty_database__is_the_identity() -> None:
    fill()
    text, before = write_bundle(contents_now()), stored("key")
    with by_ann():
        for model in reversed(list(CONFIGURATION.values())):
            for row in model._default_manager.all():
                models.Model.delete(row)
    plan = plan_bundle(read_bundle(text)).plan
    assert {row.operation for row in plan.changes} == {Operation.CREATE}
    assert rehearse(plan).faults == ()
    with by_ann() as made:
        apply_plan(plan, made)
    assert (write_bundle(contents_now()), stored("key")) == (text, before)
    assert plan_bundle(read_bundle(text), prune=True).plan.changes == ()
    assert Revision.current() == made.revision


def test_export__reads_well__and_holds_no_key() -> None:
    fill()
    text = write_bundle(contents_now())
    assert text.startswith("# The configuration of iwrouting")
    assert "  manager:\n    kind: role\n    default_model: gpt-5.1\n    chain: [fast]\n    deadline_s: 12.5\n" in text
    assert "\noverrides:\n  manager for all projects:\n    model: local-7\n    enabled: false\n" in text
    assert f"  gpt-4.1 default above 200000 from {LATER:%Y-%m-%dT%H:%M:%SZ}:\n    input: 0.075\n" in text
    assert "  gpt-4.1 default from 1970-01-01T00:00:00Z:\n    input: 2\n    output: 0.000001\n" in text
    assert "\n  boreas: {}\n" in text
    assert "backend" not in text
    assert "sha256" not in text
    assert yaml.safe_load(text)["overrides"]["manager for atlas"]["reason"] == "Cheaper"


def test_export__of_nothing__says_so_in_each_section() -> None:
    text = write_bundle(contents_now())
    assert yaml.safe_load(text) == {"version": 1, **{section: {} for section in SECTIONS}}
    assert plan_bundle(read_bundle(text)).plan.changes == ()


def test_plan__of_one_edit__has_one_row_and_leaves_absent_sections_alone() -> None:
    fill()
    plan = plan_bundle(read_bundle(edited("aliases", "manager", default_model="gpt-4.1")), prune=True).plan
    [row] = plan.changes
    assert (row.operation, row.name, row.changed) == (
        Operation.CHANGE,
        "manager",
        {"default_model": ["gpt-5.1", "gpt-4.1"]},
    )
    assert plan_bundle(read_bundle(HEAD), prune=True).plan.changes == ()


def test_what_a_section_lacks__is_kept_and_deleted_only_with_prune() -> None:
    fill()
    text = edited("overrides", "manager for atlas")
    planned = plan_bundle(read_bundle(text))
    assert planned.plan.changes == ()
    assert [kept.told() for kept in planned.kept] == [
        "override manager for atlas: The bundle does not have it: it stays. Pruning (--prune, or the tick on the page) "
        "would delete it."
    ]
    pruned = plan_bundle(read_bundle(text), prune=True)
    assert [(row.operation, row.name) for row in pruned.plan.changes] == [("delete", "manager for atlas")]
    assert pruned.kept == ()


def test_prune__of_what_must_stay__tells_why() -> None:
    fill()
    with by_ann():
        model = Model.objects.get(model_id="local-7")
        model.enabled = False
        model.save()
    stays = "".join(f"  {name} default from {BEGIN}: {PRICED}\n" for name in ("gpt-5.1", "local-7"))
    models = "models:\n  gpt-4.1: {endpoints: [chat]}\n  gpt-5.1: {endpoints: [chat]}\n"
    text = f"{HEAD}projects: {{}}\nprices:\n{stays}{models}"
    planned = plan_bundle(read_bundle(text), prune=True)
    assert {(kept.object_type, kept.name, kept.why.split(":")[0]) for kept in planned.kept} == {
        ("project", "atlas", "One API key is for it"),
        ("price", "gpt-4.1 default from 1970-01-01T00:00:00Z", "It is or was in force, and costs were made with it"),
        ("model", "local-7", "It is switched off"),
    }
    assert {(row.operation, row.object_type) for row in planned.plan.changes} == {
        ("delete", "project"),
        ("delete", "price"),
        ("change", "model"),
    }


def test_prune__of_a_model_that_is_named_no_longer__goes_through() -> None:
    fill()
    document = yaml.safe_load(edited("aliases", "manager", default_model="gpt-4.1"))
    del document["models"]["gpt-5.1"]
    plan = plan_bundle(read_bundle(yaml.safe_dump(document)), prune=True).plan
    with by_ann() as made:
        apply_plan(plan, made)
    assert not Model.objects.filter(model_id="gpt-5.1").exists()


def test_a_price_in_force__can_not_be_another() -> None:
    fill()
    with pytest.raises(BundleRefused, match=r"gpt-4.1 default from 1970-01-01T00:00:00Z: It is or was in force"):
        plan_bundle(read_bundle(edited("prices", "gpt-4.1 default from 1970-01-01T00:00:00Z", input=3)))
    assert Price.objects.count() == 4


def test_a_new_base_url__clears_the_secret_reference_in_the_plan() -> None:
    fill()
    planned = plan_bundle(read_bundle(edited("upstreams", "eu", base_url="https://new.provider.example/v1")))
    [row] = planned.plan.changes
    assert row.changed["secret_ref"] == ["env:IW_UPSTREAM_EU", ""]
    assert planned.kept[0].why.startswith("Its secret reference is cleared")
    with by_ann() as made:
        apply_plan(planned.plan, made)
    again = plan_bundle(read_bundle(edited("upstreams", "eu", secret_ref="env:IW_UPSTREAM_EU")))
    assert [row.changed for row in again.plan.changes] == [{"secret_ref": ["", "env:IW_UPSTREAM_EU"]}]


def test_a_reference_to_nothing__is_named() -> None:
    fill()
    planned = plan_bundle(read_bundle(HEAD + "overrides:\n  manger for atlas: {model: gpt-4.1}\n"))
    assert planned.plan.missing == ("The override manger for atlas names the alias manger, which is not there.",)
