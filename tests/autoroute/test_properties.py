"""What holds for every input: no error, numbers only, no text, the same answer each time, bounded work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.autoroute import check_features, infer, measure, rules
from tests.autoroute.prompts import MODES, user
from tests.harness.samples import FACTOR, sample

TEXT = st.text() | st.sampled_from(
    ["```", "select * from t", "def f():\n  pass", "研究", "go on", "\ud800", "\x00", "a\r\n"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url"]) | JSON, "text": TEXT | JSON}) | JSON
)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | JSON
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLES, "content": TEXT | PARTS | JSON}) | JSON, max_size=6)
FEATURES = st.dictionaries(st.sampled_from(list(rules.FEATURES)), st.integers(0, rules.FEATURE_MAX))

house = sample(100, derandomize=FACTOR == 1, deadline=None, database=None)


@house
@given(MESSAGES | JSON)
def test_any_json_is_measured_to_known_names_and_numbers(messages: Any) -> None:
    measured = measure(messages)
    assert all(type(number) is int and number > 0 for number in measured.values())
    assert check_features(measured) == measured


@house
@given(MESSAGES)
def test_the_same_messages_give_the_same_answer_in_the_same_order(messages: Any) -> None:
    first, second = infer(measure(messages)), infer(measure(messages))
    assert first == second
    assert list(first.features) == list(second.features)


@house
@given(st.lists(st.integers(10**9, 10**12).map(lambda n: f"w{n}"), min_size=1, max_size=8))
def test_no_word_of_a_prompt_appears_in_the_answer(words: list[str]) -> None:
    answer = str(infer(measure([user(" ".join(words))])))
    assert not any(word in answer for word in words)


@house
@given(FEATURES)
def test_any_features_give_a_mode_with_a_reason(features: dict[str, int]) -> None:
    inference = infer(features)
    assert inference.mode in MODES
    assert inference.reason
    assert inference.features == features


@house
@given(FEATURES)
def test_a_missing_feature_counts_as_zero(features: dict[str, int]) -> None:
    spelled_out = {name: features.get(name, 0) for name in rules.FEATURES}
    assert infer(spelled_out).mode == infer(features).mode
    assert infer(spelled_out).reason == infer(features).reason


@house
@given(FEATURES, st.sampled_from(list(rules.CODE_WEIGHTS)), st.integers(1, 9))
def test_more_signs_of_code_never_turn_code_into_something_else(features: dict[str, int], name: str, more: int) -> None:
    if infer(features).mode == "code":
        assert infer({**features, name: features.get(name, 0) + more}).mode == "code"


@house
@given(FEATURES)
def test_the_order_of_the_rules_holds(features: dict[str, int]) -> None:
    without_code = {
        name: 0 if name in (*rules.CODE_WEIGHTS, "history_code") else features.get(name, 0) for name in rules.FEATURES
    }
    mode = infer(features).mode
    if mode != "code":
        assert infer(without_code).mode in (mode, "fast")
    if features.get("words", 0) >= rules.LONG_WORDS:
        assert mode in ("code", "research")


HOSTILE = (
    "select ", "select a", "update a set ", "join a on ", "order by ", "(", "((((", "a(", "._", "a.b(", "a_b", "aaA",
    "`", "` ", "$a", " -a", "at a.b ", "at ", "error: ", "2025-01-01 10:00 ", "{{", "<a ", "<a", "if (", "aa = ",
    "  - a", "a a = ", "x; ", "\"a\": ", "import ", "from a ", "A.py:1", "\\aa{", "^", "=", " ", "\t", "\n", "a",
    "为什么", "ก", "🙂",
)  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """The least processor time of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("fragment", HOSTILE)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_hostile_text_of_100_kb_takes_milliseconds(fragment: str, end: str) -> None:
    line = fragment * (180 // len(fragment)) + end
    messages = [user(line * (100_000 // len(line)))]
    assert seconds(lambda: measure(messages)) < 0.03


def test_the_work_does_not_grow_with_the_text() -> None:
    text = "Could you look at this and tell me what to do next? x = f(1);\n"
    small, large = [user(text * 200)], [user(text * 50_000)]
    assert seconds(lambda: measure(large)) < 20 * seconds(lambda: measure(small)) + 0.01


def test_the_work_does_not_grow_with_the_conversation_or_the_parts() -> None:
    talk = [user("Go on")] * 20_000
    parts = [user([{"type": "text", "text": "word"}] * 100_000)]
    assert seconds(lambda: measure(talk)) < 0.1
    assert seconds(lambda: measure(parts)) < 0.1
