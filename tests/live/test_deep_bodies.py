"""What can't be handed on unchanged is refused before anything is decided: deep nesting, numbers of over 64 bits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.live import Live

CHAT = "/v1/chat/completions"


def nested(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = {"a": found}
    return found


def body(**more: Any) -> dict[str, Any]:
    return {"model": "fast", "messages": [{"role": "user", "content": "Say hello"}], **more}


@pytest.mark.parametrize("levels", [230, 300, 900, 2000])
@pytest.mark.parametrize("stream", [False, True])
def test_deep_nesting__is_a_400_and_leaves_nothing_open(live: Live, levels: int, stream: bool) -> None:
    text = '{"a":' * levels + "1" + "}" * levels
    head = f'{{"model":"fast","stream":{str(stream).lower()},"messages":[{{"role":"user","content":"x"}}],'
    got = live.post(CHAT, f'{head}"metadata":{text}}}'.encode())
    assert got.status == 400
    assert got.json["error"]["code"] == "invalid_json"
    assert live.sent() == []
    assert all(record.outcomes for record in live.records())


def test_nesting_that_can_be_handed_on__is(live: Live) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": nested(60)}}}
    assert live.post(CHAT, body(tools=[tool])).status == 200


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**40])
def test_number_of_over_64_bits__is_a_400_that_names_it(live: Live, number: int) -> None:
    got = live.post(CHAT, body(seed=number))
    assert got.status == 400
    assert str(number)[:30] in got.json["error"]["message"]


def test_long_numbers_in_texts_and_the_largest_ones__pass(live: Live) -> None:
    message = [{"role": "user", "content": "What is 123456789012345678901234567890?"}]
    assert live.post(CHAT, body(messages=message, seed=2**63 - 1)).status == 200
