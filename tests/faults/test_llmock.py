"""A second provider that is not ours, and that grades its clients: llmock breaks, and its verdict on us is clean.

llmock knows a repeated call by its body, so what our caller makes of our answer counts too. A broken stream raises at
our caller, who repeats it: had we passed it on as whole, nobody would, and llmock would call it accepted.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llmock.testing import LLMockServer
from openai import APIError, APIStatusError, OpenAI, RateLimitError

from iwrouting.models import Model, Upstream
from tests.live.databases import ALIAS
from tests.live.ledger import eventually
from tests.live.live import Live

pytestmark = pytest.mark.timeout(240)
"""The first test waits for the service, and for every call of this room."""

TALKS, EMBEDS = "llmock-talks", "llmock-embeds"
HELLO: Any = [{"role": "user", "content": "Say hello to llmock"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Judge:
    """llmock's own side: what it shall do, and what it thinks of us."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, name: str, body: object = None) -> Any:
        """One control request."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_llmock/{name}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own loopback address
            return json.load(answer)

    def does(self, **behaviour: Any) -> None:
        """What it does to the next calls."""
        self.ask("POST", "scenario", {"behaviors": [behaviour]})

    def seen(self) -> list[dict[str, Any]]:
        """The calls that arrived."""
        found: list[dict[str, Any]] = self.ask("GET", "requests")["requests"]
        return found

    def verdict(self) -> dict[str, Any]:
        """What it found."""
        found: dict[str, Any] = self.ask("GET", "verdict")
        return found


@pytest.fixture(scope="module")
def llmock_server() -> Iterator[LLMockServer]:
    with pytest.MonkeyPatch.context() as patch:
        # Without a pause it has sent all of a stream before it could see that we stopped reading.
        patch.setenv("LLMOCK_STREAM_CHUNK_DELAY_MS", "20")
        with LLMockServer() as server:
            yield server


@pytest.fixture
def judge(live: Live, llmock_server: LLMockServer) -> Judge:
    if not Upstream.objects.using(ALIAS).filter(slug="llmock").exists():
        upstream = Upstream(slug="llmock", base_url=f"{llmock_server.url}/v1", secret_ref="env:IW_UPSTREAM_API_KEY")
        upstream.save(using=ALIAS)
        Model(model_id=TALKS, endpoints=["chat", "responses"], upstream=upstream).save(using=ALIAS)
        Model(model_id=EMBEDS, endpoints=["embeddings"], upstream=upstream).save(using=ALIAS)
        live.settle()
    found = Judge(llmock_server.url)
    found.ask("POST", "reset")
    return found


def streamed(client: OpenAI) -> str:
    chunks = list(client.chat.completions.create(model=TALKS, messages=HELLO, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def whole(client: OpenAI) -> str:
    return str(client.chat.completions.create(model=TALKS, messages=HELLO).choices[0].message.content)


def called(client: OpenAI) -> str:
    found = client.chat.completions.create(model=TALKS, messages=HELLO, tools=[TOOL])
    calls = found.choices[0].message.tool_calls or []
    assert [call.type for call in calls] == ["function"]
    return calls[0].id


def response(client: OpenAI) -> str:
    return client.responses.create(model=TALKS, input="Say hello to llmock").output_text


def response_stream(client: OpenAI) -> str:
    events = list(client.responses.create(model=TALKS, input="Say hello to llmock", stream=True))
    assert events[-1].type == "response.completed"
    return events[-1].response.output_text


def embedded(client: OpenAI) -> str:
    return str(len(client.embeddings.create(model=EMBEDS, input=["one", "two"]).data))


CALLS: dict[str, Callable[[OpenAI], str]] = {
    "chat": whole,
    "chat streamed": streamed,
    "tools": called,
    "responses": response,
    "responses streamed": response_stream,
    "embeddings": embedded,
}


@pytest.mark.parametrize("name", CALLS)
def test_whole_calls__pass_between_sdk_and_another_provider(live: Live, judge: Judge, name: str) -> None:
    assert CALLS[name](live.client())
    assert live.the_record().served() == ("ok", EMBEDS if name == "embeddings" else TALKS, 200)
    assert judge.verdict()["findings"] == []
    assert len(judge.seen()) == 1


ONCE: list[tuple[dict[str, Any], str]] = [
    ({"type": "fail", "status": status}, "chat") for status in (408, 409, 500, 502, 503)
]
ONCE += [({"type": "fail", "status": 500}, name) for name in CALLS if name != "chat"]
ONCE += [({"type": "fail", "status": 429, "retry_after": 0.5}, name) for name in ("chat", "responses streamed")]
ONCE += [({"type": "delay", "seconds": 0.3}, name) for name in ("chat", "embeddings")]
ONCE += [({"type": "slow_first_token", "seconds": 0.3}, name) for name in ("chat streamed", "responses streamed")]


@pytest.mark.parametrize(("fault", "name"), ONCE, ids=str)
def test_fault_that_passes__is_mended_for_the_caller(
    live: Live, judge: Judge, fault: dict[str, Any], name: str
) -> None:
    judge.does(**fault)
    assert CALLS[name](live.client())
    record = live.the_record()
    assert record.outcome.result == "ok"
    assert len(judge.seen()) == len(record.calls) == (2 if fault["type"] == "fail" else 1)
    assert judge.verdict()["findings"] == []


LASTING: list[tuple[dict[str, Any], int]] = [({"status": status}, 1) for status in (400, 401, 403, 404, 422)]
LASTING += [({"status": status}, 2) for status in (500, 502)]
LASTING += [({"status": 429, "retry_after": 0.3}, 2)]


@pytest.mark.parametrize("name", ["chat", "responses streamed"])
@pytest.mark.parametrize(("fault", "tries"), LASTING, ids=str)
def test_fault_that_lasts__is_told_at_once_and_never_stormed(
    live: Live, judge: Judge, fault: dict[str, Any], tries: int, name: str
) -> None:
    judge.does(type="fail", times=None, **fault)
    with pytest.raises(APIStatusError) as caught:
        CALLS[name](live.client(max_retries=2))
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(judge.seen()) == tries
    assert judge.verdict()["findings"] == []


BROKEN = [(kind, chunks, "chat streamed") for kind in ("disconnect", "truncate", "malformed") for chunks in (0, 1, 4)]
BROKEN += [(kind, 5, "responses streamed") for kind in ("disconnect", "truncate", "malformed")]
BROKEN += [("stall", 4, "chat streamed")]


@pytest.mark.parametrize(("kind", "chunks", "name"), BROKEN)
def test_broken_stream__raises_so_that_the_caller_repeats_it(
    live: Live, judge: Judge, kind: str, chunks: int, name: str
) -> None:
    judge.does(type="stream_fault", kind=kind, after_chunks=chunks)
    with pytest.raises(APIError):
        CALLS[name](live.client())
    # llmock takes a call for a repeated one only if the first had ended when it began.
    eventually(judge.seen, "llmock's record of the broken stream")
    assert CALLS[name](live.client())
    assert [record.outcome.result for record in live.records()][-1] == "ok"
    assert {record.outcome.result for record in live.records()[:-1]} <= {"error", "truncated"}
    assert len(judge.seen()) == 2
    assert judge.verdict()["findings"] == []


def test_wait_over_our_patience__is_passed_on_and_not_ignored(live: Live, judge: Judge) -> None:
    judge.does(type="fail", status=429, retry_after=30)
    with pytest.raises(RateLimitError) as caught:
        whole(live.client())
    assert caught.value.response.headers["retry-after"] == "30"
    assert judge.verdict()["errors"] == 0
    assert [finding["code"] for finding in judge.verdict()["findings"]] == ["gave_up"]
