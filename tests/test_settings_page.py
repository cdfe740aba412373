"""docs/settings.md names every variable that the settings read, with its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices

from iwrouting import catalogue
from iwrouting.conf import Settings

PAGE = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \|", PAGE, re.MULTILINE))


def variables() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [alias]
        found += [(str(name), field.default) for name in names]
    return found


@pytest.mark.parametrize("name", [name for name, _ in variables()])
def test_every_variable_stands_in_the_page(name: str) -> None:
    assert name in ROWS


@pytest.mark.parametrize(
    ("name", "default"), [(n, d) for n, d in variables() if isinstance(d, int | float) and not isinstance(d, bool)]
)
def test_numbers_stand_with_their_defaults(name: str, default: float) -> None:
    assert float(ROWS[name].strip()) == default


def test_every_routing_variable_stands_in_the_page() -> None:
    for alias in catalogue.matrix().values():
        variable = alias.facts.variable
        assert f"`{variable}`" in PAGE or f"`{variable.removeprefix('OPENAI_MODEL')}`" in PAGE, variable
