"""docs/gitops.md: its bundle is one, its pipeline is YAML, and each of its commands takes its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import load_command_class

from iwrouting.planning.bundles import read_bundle
from iwrouting.planning.bundles.fields import SECTIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "gitops.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BUNDLE, PIPELINE = (text for language, text in BLOCKS if language == "yaml")


def steps() -> list[str]:
    jobs: dict[str, Any] = yaml.safe_load(PIPELINE)["jobs"]
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


def commands() -> list[list[str]]:
    """Each command of the page, up to what the shell does with it."""
    lines = [*steps(), *(line for language, text in BLOCKS if language == "sh" for line in text.splitlines())]
    return [shlex.split(re.split(r" \|\|? |; ", line)[0], comments=True)[1:] for line in lines]


def test_the_bundle_of_the_page__reads_whole() -> None:
    found = read_bundle(BUNDLE, "docs/gitops.md").sections
    assert found.keys() == set(SECTIONS.values())
    assert set(found["override"]) == {"manager for atlas", "manager for all projects"}
    [price] = found["price"].values()
    assert (price["input_pico"], price["cached_pico"], price["output_pico"]) == (1_250_000, 125_000, 10_000_000)


def test_the_pipeline__plans_applies_and_looks_for_drift() -> None:
    assert yaml.safe_load(PIPELINE)["jobs"].keys() == {"plan", "apply", "drift"}
    assert len(commands()) == 8


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_each_command_of_the_page__takes_its_options(arguments: list[str]) -> None:
    """An option or argument that is not there raises CommandError."""
    name, *rest = arguments
    load_command_class("iwrouting", name).create_parser("manage.py", name).parse_args(rest)
