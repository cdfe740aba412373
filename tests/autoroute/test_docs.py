"""docs/autoroute.md says what the rules and the prompts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from iwrouting.autoroute import RULES_VERSION
from tests.autoroute.tables import rendered, thresholds

PAGE = (Path(__file__).parents[2] / "docs" / "autoroute.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("heading", rendered())
def test_each_table_is_the_computed_one(heading: str) -> None:
    assert rendered()[heading] in PAGE


@pytest.mark.parametrize("name", thresholds())
def test_each_threshold_stands_with_its_value(name: str) -> None:
    assert f"| `{name}` | {thresholds()[name]:,} |" in PAGE


def test_the_version_is_named() -> None:
    assert f"`{RULES_VERSION}`" in PAGE
