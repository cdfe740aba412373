"""Inference, the chain and the lifecycle warnings case by case; the resolver stands alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest

from iwrouting.types import Inference, Kind, ModelFacts, OverrideFacts
from tests.pure.small import CHAT, alias, ask, chain, configured, override, with_alias, with_model
from tests.pure.worlds import NOW

CODE = Inference("code", "code-heavy", {"code_chars": 400})


@pytest.mark.parametrize(
    ("overrides", "switched_on", "mode"),
    [
        ((), True, "code"),
        ((), False, None),
        ((override("auto", "x", "atlas", infer=False),), True, None),
        ((override("auto", "x", "atlas", infer=True),), False, None),
        ((override("auto", "x", "boreas", infer=False),), True, "code"),
        ((override("auto", "x", "atlas", infer=False, enabled=False),), True, "code"),
        ((override("auto", "x", "atlas", infer=False, expires_at=NOW),), True, "code"),
        ((override("auto", "x", infer=False),), True, None),
        ((override("auto", "x", infer=False), override("auto", "y", "atlas")), True, "code"),
    ],
)
def test_auto__with_messages__is_inferred_while_every_switch_in_force_is_on(
    overrides: tuple[OverrideFacts, ...], switched_on: bool, mode: str | None
) -> None:
    config = configured(*overrides)
    config = with_alias(config, replace(config.aliases["auto"], infer=switched_on))
    found = ask(config, "auto", inference=CODE)
    assert (found.inference.mode if found.inference else None) == mode
    assert found.alias == "auto"
    assert (found.model == "coder") == (mode == "code")


def test_auto__inferred__takes_the_ladder_and_the_chain_of_the_mode() -> None:
    found = ask(configured(CODE="env-coder"), "mode:auto", inference=CODE)
    assert (found.source.value, found.model, found.inference) == ("environment", "env-coder", CODE)
    assert chain(found) == [("code", "env-coder", None), ("auto", "mid", None), ("fast", "small", None)]


def test_auto__inferred_mode_is_no_alias__stays_auto() -> None:
    found = ask(configured(), "auto", inference=Inference("research", "long", {}))
    assert (found.alias, found.model, found.inference) == ("auto", "mid", None)


@pytest.mark.parametrize("name", ["manager", "fast", "embedding", "mid"])
def test_auto__any_other_name__is_never_inferred(name: str) -> None:
    assert ask(configured(), name, inference=CODE).inference is None


def test_chain__rungs__are_resolved_for_the_same_project() -> None:
    found = ask(configured(override("auto", "x", "atlas"), FAST="y"), "manager")
    assert [(rung.model, rung.source and rung.source.value) for rung in found.chain] == [
        ("large", "default"),
        ("x", "project_override"),
        ("y", "environment"),
    ]


def test_chain__same_model_again__is_a_recorded_duplicate() -> None:
    found = ask(configured(AUTO="large", FAST="large"), "manager")
    assert chain(found) == [("manager", "large", None), ("auto", "large", "duplicate"), ("fast", "large", "duplicate")]


def test_chain__of_a_cycle__is_not_followed() -> None:
    assert chain(ask(configured(), "auto")) == [("auto", "mid", None), ("fast", "small", None)]


def test_chain__of_models_and_aliases__takes_both() -> None:
    config = with_alias(configured(), alias("manager", "large", "small", "unheard-of", "auto", kind=Kind.ROLE))
    found = ask(config, "manager")
    assert chain(found) == [
        ("manager", "large", None),
        (None, "small", None),
        (None, "unheard-of", None),
        ("auto", "mid", None),
    ]


def test_chain__rungs_that_can_not_serve__say_why() -> None:
    config = configured()
    config = with_alias(config, alias("manager", "coder", "off", "far", "gone", "vectors", kind=Kind.ROLE))
    for name, facts in {
        "off": ModelFacts("off", CHAT, enabled=False),
        "far": ModelFacts("far", CHAT, upstream="closed"),
        "gone": ModelFacts("gone", CHAT, upstream="deleted"),
    }.items():
        config = with_model(config, replace(facts, id=name))
    closed = replace(config.upstreams["environment"], slug="closed", enabled=False)
    config = replace(config, upstreams={**config.upstreams, "closed": closed})
    assert [rung.skip and rung.skip.value for rung in ask(config, "manager", endpoint="chat").chain] == [
        None,
        "model_disabled",
        "model_disabled",
        "model_disabled",
        "endpoint_unsupported",
    ]
    assert ask(config, "manager").chain[2].upstream == "closed"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-400, "model_retired: large was shut down on 2025-10-18, replacement large-2"),
        (-1, "model_retired: large was shut down on 2026-11-21, replacement large-2"),
        (0, "model_retired: large was shut down on 2026-11-22, replacement large-2"),
        (1, "model_retiring: large will be shut down on 2026-11-23, replacement large-2"),
        (90, "model_retiring: large will be shut down on 2027-02-20, replacement large-2"),
        (91, None),
        (4000, None),
    ],
)
def test_lifecycle__around_the_shutdown_date__warns_and_still_serves(days: int, expected: str | None) -> None:
    ends = date(2026, 11, 22) + timedelta(days=days)
    config = with_model(configured(), ModelFacts("large", CHAT, shutdown_date=ends, replacement="large-2"))
    found = ask(config, "manager", endpoint="chat")
    assert list(found.warnings) == ([expected] if expected else [])
    assert found.chain[0].skip is None


def test_lifecycle__every_rung__warns_once_per_model_primary_first() -> None:
    config = configured(AUTO="new", FAST="new")
    config = with_model(config, ModelFacts("large", CHAT, shutdown_date=date(2026, 1, 1)))
    assert ask(config, "manager").warnings == (
        "model_retired: large was shut down on 2026-01-01",
        "model_unverified: new is not in the catalogue",
    )


def test_lifecycle__of_a_disabled_model__is_a_warning() -> None:
    config = with_model(configured(), ModelFacts("large", CHAT, enabled=False))
    assert ask(config, "manager").warnings == ("model_disabled: large is switched off",)


ALONE = """
import sys
allowed = sys.stdlib_module_names | {"iwrouting"}
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ImportError(name + " is not needed here")
sys.meta_path.insert(0, Wall())
from datetime import UTC, datetime
from iwrouting import catalogue
from iwrouting.resolver import resolve
from iwrouting.types import Configuration, EnvironmentFacts
aliases = {name: alias.facts for name, alias in catalogue.matrix().items()}
models = {name: model.facts for name, model in catalogue.models().items()}
config = Configuration(0, aliases, {}, {}, models, {}, {}, EnvironmentFacts("", {}), "", "")
print(resolve(config, "manager", project=None, now=datetime(2026, 11, 22, tzinfo=UTC)).model)
assert "django" not in sys.modules
"""


def test_resolver__with_the_standard_library_alone__resolves() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("gpt-5.1\n", "")
