"""docs/prices.md names every state of a cost and every line of the preview."""

from __future__ import annotations

from pathlib import Path

import pytest

from iwrouting.management.price_plan import Action
from iwrouting.types import CostState

TEXT = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*CostState, *Action])
def test_docs__each_state_and_each_change__has_its_row(word: str) -> None:
    assert f"\n| `{word}` | " in TEXT
