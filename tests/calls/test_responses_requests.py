"""What routing reads of a Responses body, and the ids and rows of what it keeps."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.audit import decision_time, new_id
from iwrouting.autoroute import measure
from iwrouting.calls.requests import as_messages, read_responses
from iwrouting.calls.usage import derived_id

ASK = "Compare ten papers on retrieval and cite your sources."


@pytest.mark.parametrize(
    "given",
    [
        ASK,
        [{"role": "user", "content": ASK}],
        [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASK}]}],
    ],
)
def test_input__is_measured_as_the_same_chat(given: Any) -> None:
    assert measure(as_messages(given, "Be brief.")) == measure(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": ASK}]
    )


def test_calls_and_reasoning__say_nothing() -> None:
    items: list[Any] = [
        {"role": "user", "content": ASK},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "3"},
        None,
        "junk",
        {"role": 1},
    ]
    assert as_messages(items, None) == [{"role": "user", "content": ASK}, {"role": "tool", "content": "3"}]


def test_nulls__count_as_not_given() -> None:
    body = dict.fromkeys(("input", "stream", "store", "background", "previous_response_id", "conversation", "tools"))
    found = read_responses({"model": " auto ", **body})
    assert (found.model, found.messages, found.stream, found.background, found.previous) == (
        "auto",
        [],
        False,
        False,
        "",
    )


def test_derived_id__is_a_uuid_of_the_same_time_and_always_the_same() -> None:
    first, second = new_id(), new_id()
    found = {derived_id(each, purpose) for each in (first, second) for purpose in ("usage", "outcome")}
    assert len(found) == 4
    usage = derived_id(first, "usage")
    assert (usage, decision_time(usage)) == (derived_id(first, "usage"), decision_time(first))
    assert (usage[14], usage[19] in "89ab", len(usage)) == ("7", True, 36)
