"""From messages to numbers: which message counts for what, and what is counted in it."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.autoroute import infer, measure, rules
from tests.autoroute.prompts import assistant, mode_of, user

CODE = "```python\ndef area(r):\n    return 3.14 * r ** 2\n```"
QUESTION = "My sister and I inherited a house and disagree on whether to sell it or to let it. How do we decide fairly?"


def test_only_numbers_that_are_not_zero_come_back() -> None:
    measured = measure([user("Hello there")])
    assert measured == {"messages": 1, "chars": 11, "words": 2, "lines": 1}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_count_for_nothing(role: str) -> None:
    instruction = {"role": role, "content": f"Compare sources and cite studies.\n{CODE}\nSELECT id, name FROM users;"}
    alone, instructed = measure([user(QUESTION)]), measure([instruction, user(QUESTION)])
    assert instructed == {**alone, "messages": 2}


def test_the_last_message_of_the_user_decides() -> None:
    assert mode_of(user(f"Why is this slow?\n{CODE}"), assistant("Because."), user(QUESTION)) == "deep"
    assert mode_of(user(QUESTION), assistant("Talk first."), user(f"Why is this slow?\n{CODE}")) == "code"


def test_what_follows_the_users_message_is_history() -> None:
    tools = [assistant(None), {"role": "tool", "content": CODE}]
    assert mode_of(user("Fix the failing check in the parser"), *tools) == "code"
    assert measure([user(QUESTION), *tools])["history_code"] == 1


def test_a_follow_up_leans_on_earlier_code() -> None:
    talk = (user("make this pythonic\n" + CODE), assistant(CODE))
    assert mode_of(*talk, user("can you make it faster?")) == "code"
    assert mode_of(*talk, user("thank you, that works")) == "fast"
    assert mode_of(user("can you make it faster?")) != "code"


def test_only_the_newest_other_messages_are_looked_at() -> None:
    older = [user(CODE), *[assistant("All right.")] * rules.HISTORY_MESSAGES, user("is it done?")]
    assert "history_code" not in measure(older)
    assert measure(older[:1] + older[2:])["history_code"] == 1


@pytest.mark.parametrize("text", ["continue", "Go on.", "weiter bitte", "продолжай", "继续", "continúa"])
def test_a_bare_go_on_is_decided_by_the_request_it_continues(text: str) -> None:
    request = user("Write a literature review on sleep and memory, with citations.")
    measured = measure([request, assistant("Part one."), user(text), assistant("Part two."), user(text)])
    assert measured["continued"] == 2
    assert infer(measured).mode == "research"


def test_a_go_on_with_more_to_say_or_with_nothing_before_it_decides_itself() -> None:
    assert "continued" not in measure([user(CODE), user("continue with the second chapter of the story")])
    assert "continued" not in measure([user("continue")])
    assert "continued" not in measure([user(CODE), user([{"type": "image_url"}, {"type": "text", "text": "go on"}])])


def test_parts_are_read_as_one_text_and_images_and_files_are_counted() -> None:
    parts = [
        {"type": "text", "text": "What does"},
        {"type": "input_text", "text": "this show?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_image"},
        {"type": "file"},
        {"type": "input_audio"},
        {"type": ["text"], "text": 3},
        "text",
        None,
    ]
    measured = measure([user(parts)])
    assert (measured["words"], measured["lines"], measured["images"], measured["files"]) == (4, 2, 2, 2)
    assert infer(measured).mode == "deep"


def test_an_image_alone_is_deep() -> None:
    assert mode_of(user([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}])) == "deep"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two  three\nfour", 4),
        ("富士山の高さは", 1 + 7 // rules.CJK_CHARS_PER_WORD),
        ("สวัสดีตอนเช้า", 1 + 13 // rules.UNSPACED_CHARS_PER_WORD),
        ("안녕하세요 반갑습니다", 2),
    ],
)
def test_words_of_scripts_without_spaces_are_estimated_from_characters(text: str, words: int) -> None:
    assert measure([user(text)])["words"] == words


def test_the_words_of_a_text_too_long_to_read_are_estimated() -> None:
    measured = measure([user("word and " * 40_000)])
    assert measured["chars"] == 360_000
    assert abs(measured["words"] - 80_000) < 800


def test_code_at_the_end_of_a_long_text_is_seen() -> None:
    lines = "\n".join(f"    total_{n} = rows[{n}].sum();" for n in range(40))
    assert mode_of(user("I have a long story to tell. " * 2_000 + "\n```python\n" + lines + "\n```")) == "code"


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("```\nplain\n```\n~~~\nplain\n~~~", "fences"),
        ("public static void main(String[] args) {", "code_lines"),
        ("the value of user_name and getUserName() in main.py", "code_signals"),
        ("java.io.IOException: gone\n\tat com.acme.Job.run(Job.java:7)", "trace_signals"),
        ("select name, total from orders where total > 5 group by name;", "sql_signals"),
        ("a regex, please", "code_terms"),
        ("C++ or C# or Python", "technologies"),
        ("in C++", "technology_uses"),
        ("用React写", "technology_uses"),
        ("x^2 = 4", "math_signals"),
        ("Muchas gracias", "courtesies"),
        ("Сравни с источниками", "research_words"),
        ("参考文献も", "research_terms"),
        ("¿por qué?", "thinking_words"),
        ("wie viele sind es", "plain_questions"),
    ],
)
def test_each_kind_of_sign_is_counted(text: str, feature: str) -> None:
    assert measure([user(text)]).get(feature, 0) >= 1


def test_a_letter_with_its_accent_apart_is_the_same_letter() -> None:
    assert measure([user("funcio\u0301n")]) == measure([user("funci\u00f3n")]) | {"chars": 8}


@pytest.mark.parametrize(
    "text",
    [
        "Select a name for the boat from these and tell us where it fits best; we order by taste.",
        "I was on the island of Java (the best trip ever); we met Ruby and Swift, two dogs.",
        "Let me know (soon) if the class on Monday is full; I return home on Friday.",
        "Is it 3 <= 5 or the other way round -> who knows?",
        "# Shopping\n- milk\n- bread\n\n> a quote\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_prose_with_the_look_of_code_is_not_code(text: str) -> None:
    assert mode_of(user(text)) != "code"


@pytest.mark.parametrize("messages", [None, 3, "hello", b"hello", {"role": "user"}, [], [None, 3, "x", []], [{}]])
def test_junk_for_messages_measures_nothing_of_a_text(messages: Any) -> None:
    assert set(measure(messages)) <= {"messages"}
    assert infer(measure(messages)).mode == "deep"


@pytest.mark.parametrize("content", [None, 3, True, {"text": "x"}, [], [[["text"]]], [{"type": "text"}], b"bytes", ""])
def test_junk_for_content_is_nothing(content: Any) -> None:
    assert measure([user(content)]) == {"messages": 1}
