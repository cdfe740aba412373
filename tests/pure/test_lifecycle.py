"""Every place that names a model which is gone or going is found, and told where to mend it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from iwrouting.resolver.lifecycle import Finding, lifecycle_findings, public_warnings
from iwrouting.types import Configuration, ModelFacts
from tests.pure import small
from tests.pure.small import CHAT, configured, override
from tests.pure.worlds import NOW

TODAY = NOW.date()


def dying(config: Configuration, days: int, *models: str, replacement: str = "") -> Configuration:
    for model in models:
        facts = ModelFacts(model, CHAT, shutdown_date=TODAY + timedelta(days=days), replacement=replacement)
        config = small.with_model(config, facts)
    return config


def places(config: Configuration, **options: int) -> list[tuple[str, str, str, int | None]]:
    found = lifecycle_findings(config, NOW, **options)
    return [(each.place.kind, each.place.alias, each.place.model, each.days) for each in found]


def only(config: Configuration) -> Finding:
    (found,) = lifecycle_findings(config, NOW)
    return found


def test_sound_configuration__has_no_finding() -> None:
    assert lifecycle_findings(configured(), NOW) == ()
    assert public_warnings(configured(), NOW) == []


def test_default__past_its_shutdown__is_found_with_date_days_and_replacement() -> None:
    found = only(dying(configured(), -122, "coder", replacement="coder-2"))
    assert (found.code, found.days, found.replacement) == ("model_retired", -122, "coder-2")
    assert found.shutdown_date == TODAY - timedelta(days=122)
    assert found.place.fix == "admin: Aliases, code"
    assert found.told() == (
        f"model_retired: coder was shut down on {found.shutdown_date}, replacement coder-2 (default of the alias code)"
    )


@pytest.mark.parametrize(
    ("days", "ahead", "code"),
    [(-1, 90, "model_retired"), (0, 90, "model_retired"), (0, 0, "model_retired"), (1, 0, ""), (1, 1, "model_retiring"),
     (90, 90, "model_retiring"), (91, 90, "")],
)  # fmt: skip
def test_days_ahead__decide_what_is_near(days: int, ahead: int, code: str) -> None:
    found = lifecycle_findings(dying(configured(), days, "coder"), NOW, days=ahead)
    assert [each.code for each in found] == ([code] if code else [])


def test_configurations_own_days__hold_unless_others_are_given() -> None:
    config = replace(dying(configured(), 40, "coder"), lifecycle_warning_days=30)
    assert (places(config), len(places(config, days=40))) == ([], 1)


def test_variable__is_found_beside_the_default() -> None:
    config = dying(configured(CODE="old", FAST="  "), -3, "old")
    found = only(config)
    assert (found.place.kind, found.place.alias, found.place.ref) == ("environment", "code", "OPENAI_MODEL_CODE")
    assert (found.place.fix, found.place.told()) == (
        "set OPENAI_MODEL_CODE", "OPENAI_MODEL_CODE of the environment, for the alias code",
    )  # fmt: skip


def test_rung__that_is_a_model__is_found_with_its_number() -> None:
    chained = small.with_alias(configured(), small.alias("code", "coder", "auto", "old", "fast"))
    found = only(dying(chained, 10, "old"))
    assert (found.place.kind, found.place.ref, found.rung_of) == ("rung", "2", ())
    assert (found.place.told(), found.place.fix) == ("rung 2 of the alias code", "admin: Aliases, code, Fallback")


def test_rung__that_is_an_alias__is_told_with_that_alias() -> None:
    assert only(dying(configured(), 10, "small")).rung_of == ("auto", "code", "manager")


def test_overrides__in_force_and_scheduled_are_found_and_others_are_not() -> None:
    later, before = NOW + timedelta(days=1), NOW - timedelta(days=1)
    config = dying(
        configured(
            override("code", "old", "atlas", ref="override:1"),
            override("code", "old", None, ref="override:2", starts_at=later),
            override("fast", "old", None, ref="override:3", enabled=False),
            override("auto", "old", None, ref="override:4", expires_at=before),
            override("auto", "old", "atlas", ref="override:5", expires_at=later),
        ),
        -1,
        "old",
    )
    found = {each.place.ref: each for each in lifecycle_findings(config, NOW)}
    assert set(found) == {"override:1", "override:2", "override:5"}
    assert found["override:1"].place.told() == "override of the alias code for the project atlas"
    assert found["override:2"].place.told() == "scheduled override of the alias code for all projects"
    assert found["override:1"].place.fix == "admin: Overrides, 1"


def test_public_lines__name_no_project_and_are_bounded() -> None:
    rows = [override("code", "old", f"secret-{number}") for number in range(3)]
    (line,) = public_warnings(dying(configured(*rows), -1, "old"), NOW)
    assert line.endswith("(override of the alias code for one project)")
    many = configured()
    for number in range(150):
        many = small.with_alias(many, small.alias(f"role_{number}", "old"))
    told = public_warnings(dying(many, -1, "old"), NOW)
    assert (len(told), told[-1]) == (101, "and 50 more: manage.py lifecycle_check lists them")
    assert not any("secret" in text for text in told)


def test_switched_off_and_unknown_models__are_found_without_days() -> None:
    config = small.with_model(configured(), ModelFacts("coder", CHAT, enabled=False))
    config = small.with_alias(config, small.alias("deep", "nobody-knows"))
    assert [(each.code, each.days) for each in lifecycle_findings(config, NOW)] == [
        ("model_disabled", None), ("model_unverified", None),
    ]  # fmt: skip


def test_the_longest_dead_stand_first() -> None:
    config = dying(dying(configured(), 5, "small"), -5, "coder")
    assert [each[3] for each in places(config)] == [-5, 5]
