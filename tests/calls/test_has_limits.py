"""Whether a worker counts tokens at all: only then it loads a tokenizer at start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwrouting.calls.limits import has_limits
from iwrouting.conf import Settings, settings
from iwrouting.snapshot.builtin import builtin_configuration
from iwrouting.types import Configuration, ProjectFacts


def without_limits() -> Settings:
    return settings().model_copy(update={"max_context_tokens_per_call": None, "autopilot_max_tokens_per_run": None})


def of_project(**limits: int) -> Configuration:
    return replace(builtin_configuration(), projects={"atlas": ProjectFacts("atlas", **limits)})  # type: ignore[arg-type]


def of_alias() -> Configuration:
    config = builtin_configuration()
    return replace(config, aliases={**config.aliases, "fast": replace(config.aliases["fast"], max_context_tokens=9)})


def test_no_limit__nothing_is_counted() -> None:
    assert has_limits(builtin_configuration(), without_limits()) is False


@pytest.mark.parametrize("name", ["max_context_tokens_per_call", "autopilot_max_tokens_per_run"])
def test_limit_of_the_deployment__is_seen(name: str) -> None:
    assert has_limits(builtin_configuration(), without_limits().model_copy(update={name: 9})) is True


@pytest.mark.parametrize(
    "config", [of_project(max_context_tokens=9), of_project(max_run_tokens=9), of_alias()], ids=["cap", "run", "alias"]
)
def test_limit_of_a_project_or_an_alias__is_seen(config: Configuration) -> None:
    assert has_limits(config, without_limits()) is True
