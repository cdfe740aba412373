"""rpt_effective_config_v1 is the one resolver, in SQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F

from iwrouting.models import Alias, Project, Revision
from tests.audit_tables.reading import select
from tests.reports.worlds import STATES, World, answer

pytestmark = pytest.mark.django_db

LIFE = {"plain": "alive", "at-eu": "alive", "off": "alive", "shut": "dead", "closing": "dying", "unlisted": "unknown"}
DAYS = {"shut": 0, "closing": 9}


def rows(where: str = "1 = 1") -> dict[tuple[str, str, str], dict[str, Any]]:
    found = select(f"SELECT * FROM rpt_effective_config_v1 WHERE {where}")  # noqa: S608 - of these tests
    told = {(row["environment_id"], row["project"], row["alias"]): row for row in found}
    assert len(told) == len(found)
    return told


@pytest.mark.parametrize("seed", [1, 2])
def test_effective__every_state_against_every_other__is_what_the_resolver_says(seed: int) -> None:
    world = World(seed)
    world.make()
    config, found = world.configuration(), rows()
    assert set(found) == {("e1", project, alias) for project in ("", *STATES) for alias in config.aliases}
    sources = set()
    for (_, project, alias), row in found.items():
        told = answer(config, alias, project, world.now)
        assert {name: row[name] for name in told} == told, (seed, project, alias)
        sources.add(row["source"])
    assert sources == {"project_override", "override", "environment", "default"}
    states = {row[f"{source}_state"] for row in found.values() for source in ("project_override", "environment")}
    assert states == {"used", "not_set", "disabled", "scheduled", "expired", "shadowed", "blank"}


def test_effective__of_the_model_and_the_project__has_what_the_catalogue_knows() -> None:
    world = World(3)
    world.make()
    tiers: dict[str, set[str | None]] = {}
    for (_, project, _), row in rows().items():
        assert (row["lifecycle_state"], row["days_left"]) == (LIFE[row["model"]], DAYS.get(row["model"]))
        assert row["is_model_enabled"] == {"off": 0, "unlisted": None}.get(row["model"], 1)
        assert row["is_project_enabled"] == int(project != "used")
        assert (row["alias_tier"], row["processes"], row["is_adopted"]) == ("small", 1, 1)
        tiers.setdefault(row["model"], set()).add(row["model_tier"])
    assert tiers == {
        "plain": {"mid"},
        "unlisted": {None},
        **{name: {""} for name in ("at-eu", "off", "shut", "closing")},
    }


def test_environments__of_living_processes__have_rows_of_their_own() -> None:
    Alias.objects.create(name="fast", kind="chat_mode", default_model="d", variable="OPENAI_MODEL_FAST")
    world = World(1)
    world.live("e1", {"OPENAI_MODEL_FAST": "one"})
    world.live("e1", {"OPENAI_MODEL_FAST": "one"}, beat=30)
    world.live("e2", {}, beat=44)
    world.live("dead", {"OPENAI_MODEL_FAST": "dead"}, beat=50)
    world.live("ended", {"OPENAI_MODEL_FAST": "ended"}, ended=True)
    found = {name: (row["model"], row["source"], row["processes"]) for (name, _, _), row in rows().items()}
    assert found == {"e1": ("one", "environment", 2), "e2": ("d", "default", 1)}


def test_environments__no_process_lives__the_last_one_counts() -> None:
    Alias.objects.create(name="fast", kind="chat_mode", default_model="d", variable="OPENAI_MODEL_FAST")
    world = World(1)
    world.live("early", {"OPENAI_MODEL_FAST": "early"}, beat=900)
    world.live("last", {"OPENAI_MODEL_FAST": "last"}, beat=300)
    assert [(row["model"], row["processes"]) for row in rows().values()] == [("last", 0)]


def test_environments__nobody_told_one__it_is_unreadable_and_not_unset() -> None:
    Alias.objects.create(name="fast", kind="chat_mode", default_model="d", variable="OPENAI_MODEL_FAST")
    Alias.objects.create(name="free", kind="chat_mode", default_model="d")
    found = {alias: (row["model"], row["environment_state"]) for (_, _, alias), row in rows().items()}
    assert found == {"fast": ("d", "unreadable"), "free": ("d", "not_set")}


def test_changed_by_sql__is_told_until_it_is_adopted() -> None:
    Alias.objects.create(name="fast", kind="chat_mode", default_model="d")
    Project.objects.create(slug="atlas")
    assert {row["is_adopted"] for row in rows().values()} == {1}
    Revision.objects.update(touches=F("touches") + 1)
    assert {row["is_adopted"] for row in rows("project = 'atlas'").values()} == {0}
