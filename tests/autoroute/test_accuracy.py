"""How often the rules agree with a person, on the prompts they were made with and on those they were not."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.autoroute.prompts import MODES, confusion, load, share

PROGRAMMING = "python javascript typescript java c cpp csharp go rust php ruby swift kotlin scala haskell shell r sql"


def test_at_least_95_percent_of_the_labelled_prompts_are_right() -> None:
    assert share(confusion(load("labelled"))) >= 0.95


@pytest.mark.parametrize("batch", [1, 2])
def test_at_least_90_percent_of_each_held_out_batch_are_right(batch: int) -> None:
    assert share(confusion([prompt for prompt in load("heldout") if prompt.batch == batch])) >= 0.9


@pytest.mark.parametrize("mode", MODES)
def test_no_mode_is_right_at_the_cost_of_another(mode: str) -> None:
    prompts = [prompt for name in ("labelled", "heldout") for prompt in load(name) if prompt.expect == mode]
    assert share(confusion(prompts)) >= 0.9


def test_english_is_not_right_at_the_cost_of_other_languages() -> None:
    prompts = [prompt for name in ("labelled", "heldout") for prompt in load(name) if prompt.lang != "en"]
    assert len(prompts) >= 100
    assert share(confusion(prompts)) >= 0.95


def test_the_labelled_set_is_as_wide_as_it_claims() -> None:
    prompts = load("labelled")
    by_mode = Counter(prompt.expect for prompt in prompts)
    languages = Counter(prompt.lang for prompt in prompts)
    assert len(prompts) >= 140
    assert set(by_mode) == set(MODES)
    assert min(by_mode.values()) >= 40
    assert len([name for name, count in languages.items() if count >= 4 and name != "en"]) >= 5
    assert set(PROGRAMMING.split()) <= {prompt.kind for prompt in prompts}


def test_no_prompt_is_in_both_sets_or_twice_in_one() -> None:
    texts = [str(prompt.messages) for name in ("labelled", "heldout") for prompt in load(name)]
    assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_enough_prompts_were_held_out_before_the_rules_were_written() -> None:
    assert len([prompt for prompt in load("heldout") if prompt.batch == 1]) >= 60
