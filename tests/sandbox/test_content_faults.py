"""Faults in an answer's content: errors in streams, usage, ids, vectors, wrong bodies."""

from __future__ import annotations

import base64
import json
import math
from array import array
from typing import Any

import pytest
from openai import APIError, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello"}]
STREAM = raw.hello(stream=True, stream_options={"include_usage": True})
RESPONSE = {"model": "gpt-4.1", "input": "hi", "stream": True}
BOOM = {"message": "sandbox boom", "type": "server_error", "param": None, "code": "boom"}


def broken(sandbox: SandboxProcess, fault: Any, body: Any, path: str = raw.CHAT) -> raw.Raw:
    sandbox.plan([{"fault": fault}])
    return raw.post(sandbox.base_url, path, body)


def datas(answer: raw.Raw) -> list[Any]:
    """The data of each frame; the chat terminator as a string."""
    texts = [frame.partition(b"data: ")[2] for frame in answer.frames]
    return [text.decode() if text == b"[DONE]" else json.loads(text) for text in texts]


def test_no_done_ends_the_stream_without_its_terminator(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, "no_done", STREAM)
    assert answer.whole
    assert b"[DONE]" not in answer.body
    assert datas(answer)[-1]["usage"]


@pytest.mark.parametrize("body", [raw.hello(), STREAM], ids=["buffered", "streamed"])
def test_usage_can_be_left_out(sandbox: SandboxProcess, body: Any) -> None:
    assert b'"usage"' not in broken(sandbox, "no_usage", body).body


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -5}, "many"], ids=range(4))
def test_usage_can_be_replaced_and_the_log_has_what_was_sent(sandbox: SandboxProcess, usage: Any) -> None:
    assert broken(sandbox, {"usage": usage}, raw.hello()).json["usage"] == usage
    assert sandbox.requests()[-1]["usage"] == usage
    assert datas(broken(sandbox, {"usage": usage}, STREAM))[-2]["usage"] == usage


def test_usage_can_come_twice_or_with_a_choice(sandbox: SandboxProcess) -> None:
    twice = datas(broken(sandbox, {"usage_place": "twice"}, STREAM))
    assert [bool(chunk["usage"]) for chunk in twice[-4:-1]] == [False, True, True]
    folded = datas(broken(sandbox, {"usage_place": "with_choice"}, STREAM))
    assert folded[-2]["usage"]
    assert folded[-2]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("value", [None, "", "chatcmpl-again", "x" * 10_000], ids=range(4))
def test_the_id_and_the_model_can_be_replaced(sandbox: SandboxProcess, value: str | None) -> None:
    fault = {"response_id": value, "served_model": value}
    assert [broken(sandbox, fault, raw.hello()).json[key] for key in ("id", "model")] == [value, value]
    assert {chunk["id"] for chunk in datas(broken(sandbox, fault, STREAM))[:-1]} == {value}
    streamed = datas(broken(sandbox, fault, RESPONSE, "/v1/responses"))
    assert {event["response"]["id"] for event in streamed if "response" in event} == {value}


def test_an_error_event_ends_a_chat_stream(client: OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"error_event_after_events": {"events": 3, "error": BOOM}}}])
    stream = client.chat.completions.create(model="gpt-4.1", messages=HELLO, stream=True)
    assert len([next(stream) for _ in range(3)]) == 3
    with pytest.raises(APIError, match="sandbox boom") as caught:
        next(stream)
    assert caught.value.code == "boom"
    answer = raw.post(sandbox.base_url, raw.CHAT, STREAM)
    assert answer.whole
    assert b"[DONE]" not in answer.body


@pytest.mark.parametrize(("form", "kind"), [("plain", "error"), ("nested", "error"), ("failed", "response.failed")])
def test_an_error_event_ends_a_responses_stream_in_three_forms(sandbox: SandboxProcess, form: str, kind: str) -> None:
    fault = {"error_event_after_events": {"events": 2, "error": BOOM, "form": form}}
    answer = broken(sandbox, fault, RESPONSE, "/v1/responses")
    last = datas(answer)[-1]
    assert len(answer.frames) == 3
    assert answer.frames[-1].startswith(f"event: {kind}\n".encode())
    assert (last["type"], last["sequence_number"]) == (kind, 2)
    where = {"plain": last, "nested": last.get("error"), "failed": last.get("response", {}).get("error")}[form]
    assert where["code"] == "boom"


def test_an_error_can_be_the_first_event(sandbox: SandboxProcess) -> None:
    fault = {"error_event_after_events": {"events": 0, "error": BOOM}}
    assert datas(broken(sandbox, fault, STREAM)) == [{"error": BOOM}]
    first = datas(broken(sandbox, fault, RESPONSE, "/v1/responses"))
    assert [(event["type"], event["code"]) for event in first] == [("error", "boom")]


def test_a_response_can_fail_inside_its_200(client: OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"failed": {"code": "server_error", "message": "sandbox boom"}}}])
    answer = client.responses.create(model="gpt-4.1", input="hi")
    assert (answer.status, answer.output) == ("failed", [])
    assert answer.error is not None
    assert answer.error.code == "server_error"
    events = list(client.responses.create(model="gpt-4.1", input="hi", stream=True))
    assert [event.type for event in events] == ["response.created", "response.in_progress", "response.failed"]


def test_the_reason_of_the_end_can_be_replaced(sandbox: SandboxProcess) -> None:
    fault = {"finish": "content_filter"}
    assert broken(sandbox, fault, raw.hello()).json["choices"][0]["finish_reason"] == "content_filter"
    last = datas(broken(sandbox, fault, RESPONSE, "/v1/responses"))[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}


def test_a_malformed_chunk_stands_among_good_ones(sandbox: SandboxProcess) -> None:
    frames = broken(sandbox, {"malformed_after_events": 2}, STREAM).frames
    with pytest.raises(json.JSONDecodeError):
        json.loads(frames[2].removeprefix(b"data: "))
    assert json.loads(frames[3].removeprefix(b"data: "))["choices"]
    assert frames[-1] == b"data: [DONE]"


def test_anything_can_be_put_into_a_stream(sandbox: SandboxProcess) -> None:
    fault = {"inject": [{"after_events": 1, "raw": ": ping\n\n"}, {"after_events": 9999, "raw": ": bye\n\n"}]}
    frames = broken(sandbox, fault, STREAM).frames
    assert frames[1] == b": ping"
    assert frames[-2:] == [b"data: [DONE]", b": bye"]


def test_a_body_can_be_anything(sandbox: SandboxProcess) -> None:
    html = broken(sandbox, "html", raw.hello())
    assert (html.status, html.headers["content-type"]) == (200, "text/html")
    assert html.body.startswith(b"<html>")
    empty = broken(sandbox, {"raw_body": ""}, raw.hello())
    assert (empty.status, empty.body, empty.whole) == (200, b"", True)
    as_text = broken(sandbox, {"content_type": "text/plain"}, raw.hello())
    assert as_text.headers["content-type"] == "text/plain"
    assert as_text.json["choices"]
    assert broken(sandbox, {"content_type": "text/plain"}, STREAM).headers["content-type"] == "text/plain"


def test_json_for_a_stream_and_a_stream_for_json(sandbox: SandboxProcess) -> None:
    buffered = broken(sandbox, {"mode": "json"}, STREAM)
    assert buffered.headers["content-type"] == "application/json"
    assert buffered.json["object"] == "chat.completion"
    streamed = broken(sandbox, {"mode": "sse"}, raw.hello())
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert datas(streamed)[0]["object"] == "chat.completion.chunk"


def test_a_redirect_names_its_target(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"redirect": "http://198.51.100.7/v1"}, raw.hello())
    assert (answer.status, answer.headers["location"]) == (307, "http://198.51.100.7/v1")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529])
def test_every_status_has_an_error_body_and_headers_can_be_added(sandbox: SandboxProcess, status: int) -> None:
    answer = broken(sandbox, {"status": status, "headers": {"Retry-After": "7"}}, raw.hello())
    assert answer.status == status
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_status_can_bring_its_own_body(sandbox: SandboxProcess) -> None:
    assert broken(sandbox, {"status": 429, "body": {"error": BOOM}}, raw.hello()).error == BOOM
    assert broken(sandbox, {"status": 500, "body": "down"}, raw.hello()).body == b"down"
    assert broken(sandbox, {"status": 500, "body": None}, raw.hello()).body == b"null"


@pytest.mark.parametrize("packed", [False, True], ids=["float", "base64"])
def test_vectors_can_be_spoiled(sandbox: SandboxProcess, packed: bool) -> None:
    more = {"encoding_format": "base64"} if packed else {}
    body = {"model": "text-embedding-3-small", "input": ["a", "b", "c"], "dimensions": 8, **more}

    def spoiled(how: str) -> list[Any]:
        found: list[Any] = broken(sandbox, {"embeddings": how}, body, "/v1/embeddings").json["data"]
        return found

    assert [item["index"] for item in spoiled("shuffle")] == [1, 2, 0]
    assert len(spoiled("short")) == 2
    widths = {len(item["embedding"]) for item in spoiled("wrong_width")}
    assert len(widths) == 2
    last = spoiled("nan")[-1]["embedding"]
    assert any(math.isnan(value) for value in vector(last))


def vector(value: Any) -> list[float]:
    """A vector in either encoding."""
    return array("f", base64.b64decode(value)).tolist() if isinstance(value, str) else list(value)
