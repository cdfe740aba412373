"""Cost tiers as data: aliases as section 8 of the owner's document has them, models as their prices order them."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from iwrouting import catalogue
from iwrouting.types import Endpoint

DOCUMENT = Path(__file__).resolve().parents[1] / "matrix" / "owner.md"
HEADINGS = {
    "Use small models for:": "small",
    "Use mid\u2011tier models for:": "mid",
    "Use strongest models for:": "strong",
}
TIERS = ("small", "mid", "strong")

# What section 8 does not name, reasoned from what the document says of each.
REASONED = {
    "auto": "mid",  # its own model, where nothing is inferred: neither a quick answer nor deep thought
    "fast": "small",  # quick, short answers
    "deep": "strong",  # careful reasoning
    "budget": "small",  # the lowest price
    "research": "strong",  # the chat mode of deep research
    "code": "strong",  # the chat mode of the code worker
    "blueprint": "mid",  # outlines and plans, as plan_tasks
    "worker_doc": "mid",  # beside the test worker in 5.4 and 3.2
    "embedding": "small",  # the recommended default is the small one
}


def section_8() -> dict[str, str]:
    """The tier of each alias that section 8 names."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("\n## 8. ")[2].partition("\n## 9. ")[0]
    found, tier = {}, ""
    for line in text.splitlines():
        tier = HEADINGS.get(line.strip(), tier)
        if line.startswith("- ") and (named := re.search(r"\(`(\w+)`\)", line)):
            found[named[1]] = tier
    return found


def test_section_8__names_these() -> None:
    assert {tier: sorted(name for name, of in section_8().items() if of == tier) for tier in TIERS} == {
        "small": ["alignment", "intent", "summary"],
        "mid": ["plan_tasks", "snapshot", "worker_test"],
        "strong": ["manager", "research_deep", "worker_code"],
    }


def test_aliases__have_the_tiers_of_section_8__and_reasoned_ones() -> None:
    assert {name: alias.facts.tier for name, alias in catalogue.matrix().items()} == {**section_8(), **REASONED}


def blended(model: catalogue.CatalogueModel) -> Decimal:
    """Dollars for a million tokens, three of input to one of output."""
    assert model.input_usd is not None
    return 3 * model.input_usd + (model.output_usd or 0)


@pytest.mark.parametrize("embeds", [False, True])
def test_models__of_a_higher_tier__cost_more_than_all_of_the_lower_ones(*, embeds: bool) -> None:
    models = [each for each in catalogue.models().values() if (Endpoint.EMBEDDINGS in each.facts.endpoints) == embeds]
    by_tier = {tier: [blended(each) for each in models if each.tier == tier] for tier in TIERS}
    assert sum(map(len, by_tier.values())) == len(models)
    ordered = [prices for prices in by_tier.values() if prices]
    assert len(ordered) == (2 if embeds else 3)
    assert all(max(lower) < min(higher) for lower, higher in pairwise(ordered))
