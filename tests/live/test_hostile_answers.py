"""Answers that can be read but not written again, or hold halves of characters: another rung, no fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import InternalServerError

from tests.live.live import Live, events
from tests.sandbox.raw import hello
from tests.translate.cast import event, message, opening, response, said

CHAT = "/v1/chat/completions"
CODEX, SECOND, EMBEDDER = "gpt-5.1-codex", "gpt-4.1", "text-embedding-3-small"
LEVELS = 1005
DEEP = '{"a":' * LEVELS + "1" + "}" * LEVELS


def deep(body: dict[str, Any]) -> str:
    """A body with something nested deep where it says so."""
    return json.dumps(body).replace('"deep"', DEEP)


def completion(**more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "x", **more}, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_translated_answer_nested_too_deep__goes_to_the_next_rung(live: Live, streamed: bool) -> None:
    answer = response(message(said("Hi")), moderation={"input": "deep"})
    told = [*opening(), event("completed", response=answer)] if streamed else []
    frames = "".join(f"event: {each['type']}\ndata: {deep(each)}\n\n" for each in told)
    fault = {"raw_body": frames, "content_type": "text/event-stream"} if streamed else {"raw_body": deep(answer)}
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": fault}])
    called = live.stream("code") if streamed else live.chat("code")
    assert (called.record.served(), called.headers["x-iw-model"]) == (("ok_after_fallback", SECOND, 200), SECOND)
    assert called.record.attempts[0].error_code == ("bad_event" if streamed else "bad_body")


def test_whole_answer_nested_too_deep__where_a_stream_was_asked__goes_to_the_next_rung(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": {"raw_body": deep(completion(x="deep"))}}])
    assert live.stream("manager").record.served() == ("ok_after_fallback", SECOND, 200)


def test_whole_answer_nested_deep__is_handed_on_as_it_came(live: Live) -> None:
    body = deep(completion(x="deep"))
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": {"raw_body": body}}])
    assert live.post(CHAT, hello("manager")).body == body.encode()


@pytest.mark.parametrize("where", ["item", "head"])
def test_vectors_with_something_nested_too_deep__are_a_502(live: Live, where: str) -> None:
    items = [{"index": n, "embedding": [0.5] * 1536, **({"x": "deep"} if where == "item" else {})} for n in range(8)]
    body = {"data": items, **({"x": "deep"} if where == "head" else {})}
    live.sandbox.plan([{"match": {"model": EMBEDDER}, "fault": {"raw_body": deep(body)}}])
    with pytest.raises(InternalServerError):
        live.embed(["x"] * 16, encoding_format="float")
    assert "bad_body" in {attempt.error_code for attempt in live.the_record().attempts}


HALF = {"message": "Busy \ud83d", "type": "server_error\ud83d", "param": None, "code": "busy\ud83d"}


@pytest.mark.parametrize("model", [SECOND, CODEX])
def test_error_with_half_a_character__is_still_an_error_event(live: Live, model: str) -> None:
    at = 4 if model == SECOND else 9
    live.sandbox.plan(
        [{"match": {"model": model}, "fault": {"error_event_after_events": {"events": at, "error": HALF}}}]
    )
    *_, last = events(live.post(CHAT, hello(model, stream=True)).body)
    assert last["error"]["message"]
    assert live.the_record().outcome.result == "truncated"


def test_text_with_halves_of_characters__reaches_the_caller(live: Live) -> None:
    """The two halves of one character come in two deltas."""
    at = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
    told = [
        *opening(),
        event("output_text.delta", **at, delta="\ud83d"),
        event("output_text.delta", **at, delta="\ude00"),
        event("completed", response=response(message(said("\U0001f600")))),
    ]
    frames = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in told)
    live.sandbox.plan([{"match": {"model": CODEX}, "fault": {"raw_body": frames, "content_type": "text/event-stream"}}])
    *chunks, done = events(live.post(CHAT, hello(CODEX, stream=True)).body)
    assert done == "[DONE]"
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text.encode("utf-16", "surrogatepass").decode("utf-16") == "\U0001f600"
