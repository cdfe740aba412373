"""Habits and faults of providers beyond the plain ones: drips, packing, keepalives, odd deltas, polls, echoed keys."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
from openai import OpenAI

from tests.sandbox import raw
from tests.sandbox.process import KEY, SandboxProcess
from tests.sandbox.test_content_faults import BOOM, RESPONSE, STREAM, broken, datas
from tests.sandbox.test_wire import last

TOOL = {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}
CHAT_TOOLS = {
    **raw.hello(stream=True, messages=[{"role": "user", "content": "call add and call sum"}]),
    "tools": [{"type": "function", "function": {**TOOL, "name": name}} for name in ("add", "sum")],
}
RESPONSE_TOOL = {**RESPONSE, "input": "call add", "tools": [{"type": "function", "strict": False, **TOOL}]}


def test_drip__from_an_event_on__sends_so_few_bytes_at_a_time(sandbox: SandboxProcess) -> None:
    fault = {"drip": {"bytes": 40, "every_ms": 30, "after_events": 2}}
    started = time.monotonic()
    answer = broken(sandbox, fault, STREAM)
    assert answer.whole
    sizes = [int(line, 16) for line in answer.data.partition(b"\r\n\r\n")[2].split(b"\r\n")[:-3:2]]
    assert min(sizes[:2]) > 40
    assert max(sizes[2:]) == 40
    assert time.monotonic() - started >= 0.03 * len(sizes[2:])


def test_drip__of_a_byte_a_second__is_a_preset_and_works_on_whole_answers(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": "drip"}])
    answer = raw.post(sandbox.base_url, raw.CHAT, raw.hello(), wait_s=0.2)
    assert (answer.status, len(answer.body), answer.ended) == (200, 0, "open")
    assert last(sandbox)["ended"] == "client_closed"


def test_padding__makes_any_answer_as_large_as_asked(sandbox: SandboxProcess) -> None:
    whole = broken(sandbox, {"pad_bytes": 3_000_001}, raw.hello())
    assert whole.whole
    assert whole.body.startswith(b" " * 3_000_001 + b"{")
    assert whole.json["choices"]
    chunks = datas(broken(sandbox, {"pad_bytes": 3_000_000}, STREAM))
    assert [len(chunk["padding"]) for chunk in chunks[:-1] if "padding" in chunk] == [3_000_000]


@pytest.mark.parametrize("body", [raw.hello(), STREAM], ids=["buffered", "streamed"])
def test_packed__whole_cut_or_only_said_to_be(sandbox: SandboxProcess, body: Any) -> None:
    whole = broken(sandbox, {"gzip": "whole"}, body)
    assert (whole.headers["content-encoding"], whole.whole) == ("gzip", True)
    assert b'"choices"' in gzip.decompress(whole.body)
    cut = broken(sandbox, "gzip_cut", body)
    assert (cut.headers["content-encoding"], cut.whole) == ("gzip", True)
    with pytest.raises(EOFError):
        gzip.decompress(cut.body)
    said = broken(sandbox, {"gzip": "false"}, body)
    assert said.headers["content-encoding"] == "gzip"
    assert said.body.startswith(b"{" if body is not STREAM else b"data: {")


def test_keepalive__is_an_event_on_responses_and_a_comment_on_chat(sandbox: SandboxProcess) -> None:
    events = datas(broken(sandbox, "keepalive", RESPONSE, "/v1/responses"))
    assert sum(event["type"] == "keepalive" for event in events) >= 3
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    frames = broken(sandbox, {"keepalive_every": 1}, STREAM).frames
    assert frames[1] == frames[3] == b": keepalive"
    assert frames[-1] == b"data: [DONE]"


@pytest.mark.parametrize(
    ("kind", "gone"),
    [("arguments", "response.function_call_arguments.delta"), ("text", "response.output_text.delta"), ("all", "delta")],
)
def test_deltas__can_be_left_out_so_that_only_done_tells(sandbox: SandboxProcess, kind: str, gone: str) -> None:
    body = RESPONSE if kind == "text" else RESPONSE_TOOL
    events = datas(broken(sandbox, {"no_deltas": kind}, body, "/v1/responses"))
    assert not [event for event in events if event["type"].endswith(gone)]
    done = [event for event in events if event["type"].endswith(("_text.done", "arguments.done"))]
    assert done[0].get("text") or done[0]["arguments"] == '{"a":1}'
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


@pytest.mark.parametrize(("how", "seen"), [("missing", {"none"}), ("repeated", {0}), ("null", {None})])
def test_index_of_tool_deltas__can_be_missing_repeated_or_null(sandbox: SandboxProcess, how: str, seen: Any) -> None:
    def indexes(fault: Any) -> set[Any]:
        choices = [c for chunk in datas(broken(sandbox, fault, CHAT_TOOLS))[:-1] for c in chunk["choices"]]
        calls = [call for choice in choices for call in choice["delta"].get("tool_calls", ())]
        return {call.get("index", "none") for call in calls}

    assert indexes({"delay_ms": 1}) == {0, 1}
    assert indexes({"tool_index": how}) == seen


def test_refusal__comes_where_the_text_would(client: OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"refusal": True}}])
    message = client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "hi"}]).choices[0]
    assert (message.message.content, message.finish_reason) == (None, "stop")
    assert str(message.message.refusal).startswith("sandbox:")
    streamed = datas(raw.post(sandbox.base_url, raw.CHAT, STREAM))
    deltas = [choice["delta"] for chunk in streamed[:-1] for choice in chunk["choices"]]
    assert "".join(delta.get("refusal") or "" for delta in deltas).startswith("sandbox:")
    assert not any(delta.get("content") for delta in deltas)
    events = datas(raw.post(sandbox.base_url, "/v1/responses", RESPONSE))
    assert "".join(e["delta"] for e in events if e["type"] == "response.refusal.delta").startswith("sandbox:")
    assert events[-1]["response"]["output"][0]["content"][0]["type"] == "refusal"
    assert not [event for event in events if "output_text" in event["type"]]


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"body": {"error": BOOM}, "status": 400}, {"failed": BOOM}], ids=range(3)
)
def test_key__can_come_back_in_every_error(sandbox: SandboxProcess, fault: Any) -> None:
    answer = broken(sandbox, {**fault, "echo_key": True}, {"model": "gpt-4.1", "input": "hi"}, "/v1/responses")
    assert KEY in answer.error["message"]
    assert answer.error["param"] == KEY
    event = {"error_event_after_events": {"events": 1, "error": BOOM}}
    assert KEY in datas(broken(sandbox, {**event, "echo_key": True}, STREAM))[-1]["error"]["message"]
    assert KEY not in str(broken(sandbox, event, STREAM).body)
    assert KEY not in sandbox.log_path.read_text()


def background(client: OpenAI, sandbox: SandboxProcess, fault: Any) -> list[str]:
    """The states of a background response, from its creation to its end, one a poll."""
    sandbox.plan([{"match": {"action": "create"}, "fault": fault}])
    found = client.responses.create(model="gpt-4.1", input="hi", background=True)
    states = [str(found.status)]
    while states[-1] in ("queued", "in_progress") and len(states) < 9:
        states.append(str(client.responses.retrieve(found.id).status))
    return states


def test_background__goes_by_polls(client: OpenAI, sandbox: SandboxProcess) -> None:
    waiting = ["queued", "in_progress", "in_progress"]
    assert background(client, sandbox, {"background_polls": 2}) == [*waiting, "completed"]
    assert background(client, sandbox, {"background_polls": 2, "failed": BOOM}) == [*waiting, "failed"]
    assert background(client, sandbox, {"background_polls": 0, "finish": "length"}) == ["queued", "incomplete"]


def test_background__cancelled_between_polls__stays_cancelled(client: OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"background_polls": 1}, "times": 1}])
    started = client.responses.create(model="gpt-4.1", input="hi", background=True)
    assert client.responses.retrieve(started.id).status == "in_progress"
    assert client.responses.cancel(started.id).status == "cancelled"
    assert client.responses.retrieve(started.id).status == "cancelled"


def test_match_by_action__breaks_the_polls_alone(client: OpenAI, sandbox: SandboxProcess) -> None:
    sandbox.plan([{"match": {"endpoint": "responses", "action": ["get", "cancel"]}, "fault": {"status": 503}}])
    made = client.responses.create(model="gpt-4.1", input="hi", background=True)
    assert raw.get(sandbox.base_url, f"/v1/responses/{made.id}").status == 503
    assert raw.post(sandbox.base_url, f"/v1/responses/{made.id}/cancel", {}).status == 503
    assert raw.get(sandbox.base_url, f"/v1/responses/{made.id}", "DELETE").status == 200


@pytest.mark.parametrize(
    ("how", "indexes", "spoiled"),
    [
        ("long", [0, 1, 2], False),
        ("repeated_index", [0, 0], False),
        ("no_index", [None, None], False),
        ("empty", [0, 1], True),
        ("texts", [0, 1], True),
        ("infinite", [0, 1], True),
    ],
)
def test_vectors__can_be_wrong_in_count_numbering_and_content(
    sandbox: SandboxProcess, how: str, indexes: list[int | None], spoiled: bool
) -> None:
    body = {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 4}
    right = raw.post(sandbox.base_url, "/v1/embeddings", body).json["data"][1]["embedding"]
    data = broken(sandbox, {"embeddings": how}, body, "/v1/embeddings").json["data"]
    assert [item.get("index") for item in data] == indexes
    assert (data[1]["embedding"] != right) == spoiled


def test_stream_refused__names_the_parameter(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, "stream_refused", STREAM)
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, "stream", "unsupported_value")


def test_json_for_a_stream__is_the_answer_itself(sandbox: SandboxProcess) -> None:
    whole = broken(sandbox, {"mode": "json"}, STREAM).json
    assert whole["choices"][0]["message"]["content"].startswith("sandbox:")
    assert broken(sandbox, {"mode": "json"}, RESPONSE, "/v1/responses").json["output"][0]["content"]
    events = datas(broken(sandbox, {"mode": "sse"}, {**RESPONSE, "stream": False}, "/v1/responses"))
    assert events[-1]["type"] == "response.completed"


def test_fine_tuned_model__behaves_as_its_base_under_its_own_name(sandbox: SandboxProcess) -> None:
    tuned = raw.post(sandbox.base_url, raw.CHAT, raw.hello("ft:gpt-4.1-mini:acme::x1")).json
    assert tuned["model"] == "ft:gpt-4.1-mini:acme::x1"
    assert "ft:gpt-4.1-mini:acme::x1" in tuned["choices"][0]["message"]["content"]
    assert raw.post(sandbox.base_url, raw.CHAT, raw.hello("ft:gpt-5.1-codex:x")).error["param"] == "model"
    for unknown in ("ft:nothing:x", "ft:gpt-4.1", "ft:", "ft:::"):
        assert raw.post(sandbox.base_url, raw.CHAT, raw.hello(unknown)).error["code"] == "model_not_found"
