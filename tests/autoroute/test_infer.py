"""From numbers to a mode: the order of the rules, their thresholds, and the reasons they give."""

from __future__ import annotations

import pytest

from iwrouting.autoroute import infer, rules

SHORT = {"chars": 20, "words": 4, "lines": 1}


def test_nothing_measured_is_deep() -> None:
    inference = infer({})
    assert (inference.mode, inference.reason, inference.features) == ("deep", "everything else", {})


def test_code_is_tested_before_research() -> None:
    both = {"words": rules.LONG_WORDS, "research_terms": 3, "fences": 4, "code_lines": 12}
    assert infer(both).mode == "code"
    assert infer({**both, "fences": 0, "code_lines": 0}).mode == "research"


def test_research_is_tested_before_fast() -> None:
    assert infer({**SHORT, "research_terms": 1}).mode == "research"
    assert infer(SHORT).mode == "fast"


def test_code_is_tested_before_fast() -> None:
    assert infer({**SHORT, "code_terms": 1}).mode == "code"


@pytest.mark.parametrize(
    ("words", "mode"), [(1, "fast"), (rules.FAST_WORDS, "fast"), (rules.FAST_WORDS + 1, "deep"), (0, "deep")]
)
def test_only_a_very_short_message_is_fast(words: int, mode: str) -> None:
    assert infer({"words": words, "lines": 1}).mode == mode


def test_length_alone_makes_research() -> None:
    assert infer({"words": rules.LONG_WORDS - 1}).mode == "deep"
    assert infer({"words": rules.LONG_WORDS}).reason == f"long: {rules.LONG_WORDS} words"


@pytest.mark.parametrize("feature", rules.NOT_SIMPLE)
def test_a_short_message_is_not_simple_with_any_of_these(feature: str) -> None:
    assert infer({**SHORT, feature: 1}).mode != "fast"


def test_a_short_message_that_asks_to_think_is_deep_unless_it_is_a_plain_question() -> None:
    assert infer({**SHORT, "thinking_words": 1}).mode == "deep"
    assert infer({**SHORT, "thinking_words": 1, "plain_questions": 1}).mode == "fast"
    assert infer({**SHORT, "thinking_words": 2, "plain_questions": 1}).mode == "deep"


def test_one_long_token_or_many_lines_are_not_simple() -> None:
    assert infer({"words": 1, "lines": 1, "chars": rules.FAST_CHARS + 1}).mode == "deep"
    assert infer({"words": 3, "lines": rules.FAST_LINES + 1, "chars": 9}).mode == "deep"


def test_a_long_message_needs_more_signs_of_code() -> None:
    signs = {"code_terms": 1}
    assert infer({**signs, "words": 30}).mode == "code"
    assert infer({**signs, "words": rules.CODE_WORDS_PER_POINT}).mode == "deep"


def test_however_long_a_message_is_enough_code_makes_it_code() -> None:
    assert infer({"words": 1_000_000, "code_lines": 12, "fences": 2}).mode == "code"


def test_naming_technologies_is_not_asking_for_code() -> None:
    assert infer({"words": 20, "technologies": 9}).mode == "deep"
    assert infer({"words": 20, "technologies": 1, "code_words": 1}).mode == "code"


def test_earlier_code_helps_but_does_not_decide() -> None:
    assert infer({"words": 20, "history_code": 4}).mode == "deep"
    assert infer({"words": 20, "history_code": 1, "code_words": 1}).mode == "code"
    assert infer({"words": 20, "code_words": 1}).mode == "deep"


def test_a_short_follow_up_leans_on_earlier_code_unless_it_says_thanks() -> None:
    follow_up = {**SHORT, "history_code": 1, "references": 1}
    assert infer(follow_up).mode == "code"
    assert infer({**follow_up, "courtesies": 1}).mode == "fast"
    assert infer({**follow_up, "references": 0}).mode == "fast"


def test_earlier_research_helps_but_never_decides() -> None:
    assert infer({"words": 20, "history_research": 4, "references": 1}).mode == "deep"
    assert infer({"words": 20, "history_research": 1, "research_words": 1}).mode == "research"


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({"words": 90, "fences": 2, "code_signals": 14}, "code-heavy: 2 fenced blocks, 14 code signals"),
        ({"words": 9, "trace_signals": 1, "technologies": 1}, "code-heavy: 1 trace signal, 1 technology"),
        ({"words": 9, "research_terms": 1, "research_words": 2}, "research-like: 1 research term, 2 research words"),
        ({"words": 1, "lines": 1}, "short and simple: 1 word"),
        ({"words": 35, "images": 1}, "everything else: 35 words, 1 image"),
        ({"words": 9, "history_code": 2, "code_words": 1}, "code-heavy: 1 code word, 2 earlier code messages"),
    ],
)
def test_the_reason_names_the_rule_and_the_numbers(features: dict[str, int], reason: str) -> None:
    assert infer(features).reason == reason


def test_the_features_are_stored_as_given_in_a_copy() -> None:
    given = dict(SHORT)
    inference = infer(given)
    given["words"] = 99
    assert inference.features == SHORT
