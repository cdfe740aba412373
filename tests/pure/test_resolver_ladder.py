"""The ladder case by case: the order of the sources, the windows of overrides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from iwrouting.errors import Unavailable
from iwrouting.types import Kind
from tests.pure.small import alias, ask, configured, override, states, with_alias
from tests.pure.worlds import DAY, NOW, TICK


@pytest.mark.parametrize(
    ("overrides", "variable", "expected"),
    [
        ((), None, ("default", "large", ["not_set", "not_set", "not_set", "used"])),
        ((), "", ("default", "large", ["not_set", "not_set", "blank", "used"])),
        ((), " \t", ("default", "large", ["not_set", "not_set", "blank", "used"])),
        ((), "env", ("environment", "env", ["not_set", "not_set", "used", "shadowed"])),
        (("glob",), "env", ("override", "glob", ["not_set", "used", "shadowed", "shadowed"])),
        (("glob", "proj"), "", ("project_override", "proj", ["used", "shadowed", "blank", "shadowed"])),
        (("glob", " "), "env", ("override", "glob", ["blank", "used", "shadowed", "shadowed"])),
        ((" glob ",), None, ("override", "glob", ["not_set", "used", "not_set", "shadowed"])),
    ],
)
def test_ladder__each_source__database_then_environment_then_default(
    overrides: tuple[str, ...], variable: str | None, expected: tuple[str, str, list[str]]
) -> None:
    rows = [override("manager", model, project) for model, project in zip(overrides, (None, "atlas"), strict=False)]
    found = ask(configured(*rows, **({} if variable is None else {"MANAGER": variable})), "manager")
    assert (found.source.value, found.model, states(found)) == expected


def test_ladder__no_database__is_unreadable_and_not_merely_unset() -> None:
    config = replace(configured(override("manager", "never", "atlas")), database=False)
    found = ask(config, "manager")
    assert (found.model, states(found)) == ("large", ["unreadable", "unreadable", "not_set", "used"])


def test_ladder__a_variable_of_another_alias__is_not_read() -> None:
    assert ask(configured(FAST="tiny"), "manager").model == "large"


def test_ladder__blank_default_and_nothing_else__is_503_that_names_the_alias() -> None:
    config = with_alias(configured(), alias("manager", "  ", kind=Kind.ROLE))
    with pytest.raises(Unavailable, match=r"'manager' has no model") as caught:
        ask(config, "manager")
    assert (caught.value.status, caught.value.code) == (503, "alias_unset")


@pytest.mark.parametrize(
    ("starts", "expires", "state"),
    [
        (None, None, "used"),
        (NOW, None, "used"),
        (NOW - TICK, NOW + TICK, "used"),
        (NOW + TICK, None, "scheduled"),
        (None, NOW + TICK, "used"),
        (None, NOW, "expired"),
        (NOW - DAY, NOW - TICK, "expired"),
        (NOW, NOW, "expired"),
        (NOW + DAY, NOW - DAY, "expired"),
        ((NOW + TICK).astimezone(timezone(timedelta(hours=9))), None, "scheduled"),
    ],
)
def test_override__window__holds_from_its_start_up_to_but_not_at_its_end(
    starts: datetime | None, expires: datetime | None, state: str
) -> None:
    found = ask(configured(override("fast", "x", "atlas", starts_at=starts, expires_at=expires)), "fast")
    assert found.ladder[0].state.value == state
    assert found.model == ("x" if state == "used" else "small")
    assert (found.ladder[0].value, found.ladder[0].ref) == ("x", "override:7")


def test_override__disabled_inside_its_window__is_disabled() -> None:
    found = ask(configured(override("fast", "x", enabled=False, expires_at=NOW - DAY)), "fast")
    assert states(found) == ["not_set", "disabled", "not_set", "used"]


@pytest.mark.parametrize(
    ("project", "model"), [("atlas", "x"), ("boreas", "small"), ("nowhere", "small"), (None, "small")]
)
def test_override__of_a_project__holds_for_that_project_alone(project: str | None, model: str) -> None:
    assert ask(configured(override("fast", "x", "atlas")), "fast", project=project).model == model
