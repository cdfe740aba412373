"""The table itself: every entry can be found, none counts twice, and a change comes with a new version."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from iwrouting.autoroute import RULES_VERSION, rules, vocabulary
from iwrouting.autoroute.lexicon import LEXICON

LISTS = {
    name: [" ".join(entry.split()) for entry in listed.split(",")] for name, listed in vocabulary.VOCABULARY.items()
}
VERSIONS = json.loads((Path(__file__).parent / "versions.json").read_text(encoding="utf-8"))


def fingerprint() -> str:
    """A hash over every value of the table but its version."""
    values = {
        f"{module.__name__}.{name}": value
        for module in (rules, vocabulary)
        for name, value in vars(module).items()
        if name.isupper() and name != "RULES_VERSION"
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def test_a_change_of_the_table_comes_with_a_new_version() -> None:
    assert VERSIONS.get(RULES_VERSION) == fingerprint(), "raise RULES_VERSION and add its hash to versions.json"


@pytest.mark.parametrize("name", LISTS)
def test_every_entry_of_a_list_is_found(name: str) -> None:
    assert [entry for entry in LISTS[name] if not LEXICON.count(entry.removesuffix("*")).get(name)] == []


@pytest.mark.parametrize("name", LISTS)
def test_no_entry_is_counted_twice_because_another_one_covers_it(name: str) -> None:
    stems = [entry.removesuffix("*") for entry in LISTS[name] if entry.endswith("*")]
    covered = [entry for entry in LISTS[name] for stem in stems if entry.startswith(stem) and entry != f"{stem}*"]
    assert covered == []


def test_every_list_and_every_weight_belongs_to_a_feature() -> None:
    assert set(LISTS) | set(rules.CODE_WEIGHTS) | set(rules.RESEARCH_WEIGHTS) | set(rules.NOT_SIMPLE) <= set(
        rules.FEATURES
    )


def test_a_whole_word_is_no_part_of_another() -> None:
    assert LEXICON.count("cite") == {"research_terms": 1}
    assert LEXICON.count("excite scribe bigot").get("research_terms", 0) == 0


def test_words_in_a_row_are_found_across_signs_but_not_across_other_words() -> None:
    assert LEXICON.count("state-of-the-art").get("research_terms") == 1
    assert LEXICON.count("state of all the art").get("research_terms", 0) == 0
