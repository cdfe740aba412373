"""Chat, buffered and streamed, through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.sandbox.process import SandboxProcess

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello to the sandbox"}]


def test_it_answers_and_says_that_it_is_the_sandbox(client: OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(model="gpt-4.1-mini", messages=HELLO)
    parsed = answer.parse()
    assert parsed.choices[0].message.content == "sandbox: gpt-4.1-mini heard 5 words: Say hello to the sandbox"
    assert parsed.choices[0].finish_reason == "stop"
    assert parsed.system_fingerprint == "sandbox"
    assert answer.headers["x-sandbox"] == "1"
    assert answer.headers["x-request-id"].startswith("req_")
    assert parsed.id.startswith("chatcmpl-")


def test_usage_adds_up_and_counts_reasoning(client: OpenAI) -> None:
    usage = client.chat.completions.create(model="gpt-5-mini", messages=HELLO).usage
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 < (usage.completion_tokens_details.reasoning_tokens or 0) < usage.completion_tokens


def test_the_same_request_gives_the_same_text_and_another_id(client: OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4.1", messages=HELLO)
    second = client.chat.completions.create(model="gpt-4.1", messages=HELLO)
    assert first.choices == second.choices
    assert first.usage == second.usage
    assert first.id != second.id


def test_a_stream_has_role_deltas_finish_usage_and_ends(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="gpt-4.1", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]).startswith("sandbox: gpt-4.1 heard 5 words")
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert all(c.usage is None for c in chunks[:-1])
    assert len({c.id for c in chunks}) == 1


def test_a_status_fault_raises_the_sdks_own_exception(client: OpenAI, sandbox: SandboxProcess) -> None:
    import openai

    sandbox.plan([{"match": {"model": "gpt-4.1"}, "fault": "rate_limit", "times": 1}])
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gpt-4.1", messages=HELLO)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == "1"
    assert client.chat.completions.create(model="gpt-4.1", messages=HELLO).id
    rule: dict[str, Any] = sandbox.counters()[0]
    assert (rule["matched"], rule["applied"]) == (2, 1)
