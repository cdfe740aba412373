"""An embedding alias keeps to one vector space: what surely mixes is refused, what nobody knows is told (F4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from iwrouting.resolver.faults import findings, refusals
from iwrouting.types import Configuration, Kind, ModelFacts, ProjectFacts
from tests.pure.small import alias, configured, override, with_alias, with_model
from tests.pure.worlds import DAY, NOW

EMBEDS = frozenset({"embeddings"})
ATLAS = {"atlas": ProjectFacts("atlas")}


def refused(before: Configuration, after: Configuration, *touched: tuple[str, str]) -> list[str]:
    return [fault.code for fault in refusals(before, after, touched, now=NOW)]


def found(before: Configuration, after: Configuration) -> list[str]:
    codes = [each.code for each in findings(before, after, NOW)]
    return [code for code in codes if code.startswith("vector_space")]


def embedding(default: str, *overrides: Any, **spaces: tuple[str, int | None]) -> Configuration:
    """A configuration whose embedding models stand in these spaces, with their width."""
    config = with_alias(configured(*overrides), alias("embedding", default, kind=Kind.EMBEDDING))
    for name, (space, width) in spaces.items():
        config = with_model(config, ModelFacts(name, EMBEDS, vector_space=space, dimensions=width))
    return replace(config, projects=ATLAS)


SPACES: dict[str, tuple[str, int | None]] = {
    "small": ("small", 1536),
    "small_eu": ("small", 1536),
    "big": ("big", 3072),
    "wide": ("", 3072),
    "nameless": ("", None),
}


@pytest.mark.parametrize(
    ("model", "refusal", "finding"),
    [
        ("big", ["vector_space_changed"], []),
        ("wide", ["vector_space_changed"], []),
        ("small_eu", [], []),
        ("nameless", [], ["vector_space_unknown"]),
        ("of-another-house", [], ["vector_space_unknown"]),
    ],
)
def test_embedding_alias__that_changes_its_model__is_judged_by_the_vectors(
    model: str, refusal: list[str], finding: list[str]
) -> None:
    before = embedding("small", **SPACES)
    others = {
        "alias": embedding(model, **SPACES),
        "override": embedding("small", override("embedding", model), **SPACES),
        "one project's": embedding("small", override("embedding", model, "atlas"), **SPACES),
        "scheduled": embedding("small", override("embedding", model, starts_at=NOW + DAY), **SPACES),
    }
    for after in others.values():
        assert refused(before, after) == refusal
        assert found(before, after) == ([] if refusal else finding)


def test_refused_space__says_what_would_break() -> None:
    (fault,) = refusals(embedding("small", **SPACES), embedding("big", **SPACES), (), now=NOW)
    assert fault.message == (
        "big makes other vectors (space big, 3,072 wide) than small (space small, 1,536 wide), which serves now. "
        "Vectors that are stored already would no longer match new ones, and searches would find the wrong texts "
        "without an error. Keep small; or add an alias of kind embedding with big, embed the stored texts again "
        "through it, and let callers ask for that alias."
    )


def test_new_embedding_alias__may_have_any_space() -> None:
    after = with_alias(embedding("small", **SPACES), alias("vectors_2", "big", kind=Kind.EMBEDDING))
    assert refused(embedding("small", **SPACES), after) == []
    overridden = replace(after, overrides={(None, "vectors_2"): override("vectors_2", "small")})
    assert refused(embedding("small", **SPACES), overridden) == []
    windows: list[dict[str, Any]] = [{"expires_at": NOW + DAY}, {"starts_at": NOW + DAY}]
    for window in windows:
        row = replace(override("vectors_2", "small"), **window)
        ending = replace(after, overrides={(None, "vectors_2"): row})
        assert refused(embedding("small", **SPACES), ending) == ["vector_space_changed"]


def test_override_of_another_space__may_be_edited_and_taken_away_but_not_brought_back() -> None:
    mixed = embedding("small", override("embedding", "big"), **SPACES)
    edited = embedding("small", override("embedding", "big", expires_at=NOW + DAY), **SPACES)
    assert refused(mixed, edited, ("override", "embedding for all projects")) == []
    plain = embedding("small", **SPACES)
    assert refused(mixed, plain) == []
    assert [(each.code, each.message.split(":")[0]) for each in findings(mixed, plain, NOW)][-1] == (
        "vector_space_moves",
        "embedding is served by small (space small, 1,536 wide) instead of big (space big, 3,072 wide)",
    )
    for changes in ({"enabled": False}, {"expires_at": NOW - timedelta(hours=1)}):
        ended = embedding("small", override("embedding", "big", **changes), **SPACES)
        assert refused(ended, mixed) == ["vector_space_changed"]
