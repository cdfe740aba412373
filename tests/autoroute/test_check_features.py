"""Features that a caller of the API sends instead of text."""

from __future__ import annotations

import pytest

from iwrouting.autoroute import check_features, infer, measure, rules
from tests.autoroute.prompts import load


@pytest.mark.parametrize("given", [{}, {"words": 0}, {"words": rules.FEATURE_MAX, "fences": 1}])
def test_known_names_with_whole_numbers_pass(given: dict[str, int]) -> None:
    assert check_features(given) == given


@pytest.mark.parametrize("number", [-1, rules.FEATURE_MAX + 1, 1.0, True, "3", None, [], float("nan")])
def test_anything_but_a_whole_number_in_range_is_refused_by_name(number: object) -> None:
    with pytest.raises(ValueError, match=r"^code_lines: a whole number from 0 to 1000000000 is needed") as refused:
        check_features({"words": 3, "code_lines": number})
    assert "known features: messages, chars, words" in str(refused.value)


@pytest.mark.parametrize("name", ["wrods", "", "WORDS", 3, "x" * 500])
def test_an_unknown_name_is_refused_with_those_that_are_known(name: object) -> None:
    with pytest.raises(ValueError, match=f"^{str(name)[:60]}: no such feature") as refused:
        check_features({name: 1})
    assert all(known in str(refused.value) for known in rules.FEATURES)


@pytest.mark.parametrize("value", [None, [], "words", 3, [("words", 1)]])
def test_anything_but_an_object_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="an object of numbers is needed"):
        check_features(value)


def test_what_was_measured_passes_and_gives_the_same_answer() -> None:
    for prompt in load("labelled"):
        measured = measure(prompt.messages)
        assert infer(check_features(measured)) == infer(measured)
