"""Each routing variable: its value, whether it wins, and what shadows it."""

from __future__ import annotations

from datetime import timedelta

from iwrouting.resolver.variables import Standing, VariableFacts, variable_facts
from iwrouting.types import Configuration, OverrideFacts
from tests.pure.small import configured, override
from tests.pure.worlds import NOW


def of(config: Configuration, name: str) -> VariableFacts:
    [found] = [each for each in variable_facts(config, NOW) if each.name == name]
    return found


def in_project(slug: str, number: int, **fields: object) -> OverrideFacts:
    return override("manager", "mid", project=slug, ref=f"override:{number}", **fields)


def test_variable_that_is_set__wins_over_the_default() -> None:
    assert of(configured(MANAGER="small"), "OPENAI_MODEL_MANAGER") == VariableFacts(
        "OPENAI_MODEL_MANAGER", "manager", "small", Standing.WINS, "small", "environment", default="large"
    )


def test_global_override__shadows_it_and_is_named() -> None:
    found = of(configured(override("manager", "mid"), MANAGER="small"), "OPENAI_MODEL_MANAGER")
    assert (found.standing, found.global_ref) == (Standing.SHADOWED, "override:7")
    assert (found.serves, found.source) == ("mid", "override")


def test_overrides_of_projects__shadow_it_there_where_they_are_in_force() -> None:
    overrides = (
        in_project("beta", 2),
        in_project("atlas", 1),
        in_project("off", 3, enabled=False),
        in_project("over", 4, expires_at=NOW),
        in_project("soon", 5, starts_at=NOW + timedelta(seconds=1)),
    )
    found = of(configured(*overrides, MANAGER="small"), "OPENAI_MODEL_MANAGER")
    assert (found.standing, found.projects) == (Standing.WINS, (("atlas", "override:1"), ("beta", "override:2")))


def test_blank_or_not_set__neither_wins_nor_is_shadowed() -> None:
    config = configured(override("manager", "mid"), override("fast", "mid"), MANAGER="  ")
    blank, missing = of(config, "OPENAI_MODEL_MANAGER"), of(config, "OPENAI_MODEL_FAST")
    assert (blank.standing, blank.value, blank.global_ref) == (Standing.BLANK, "", "")
    assert (missing.standing, missing.value, missing.global_ref) == (Standing.NOT_SET, None, "")


def test_variable_that_no_alias_reads__is_said_to_be_idle() -> None:
    found = of(configured(MANAGR="small"), "OPENAI_MODEL_MANAGR")
    assert found == VariableFacts("OPENAI_MODEL_MANAGR", "", "small", Standing.NOT_READ)
