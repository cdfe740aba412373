"""The log: one object a received request, in the file by the time that the client has its answer."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.sandbox import raw
from tests.sandbox.process import KEY, SandboxProcess

MEMBERS = [
    "at",
    "n",
    "method",
    "path",
    "model",
    "stream",
    "status",
    "request_id",
    "client_request_id",
    "hop",
    "usage",
    "bytes_in",
    "bytes_out",
    "events",
    "fault",
    "ended",
    "ms",
]


def lines(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sandbox.log_path.read_text(encoding="utf-8").splitlines()]


def test_a_record_has_the_ids_and_numbers_of_its_request(sandbox: SandboxProcess) -> None:
    body = raw.request_bytes(raw.CHAT, raw.hello(), x_client_request_id="01890-1", x_iw_hop="1")
    answer = raw.send(sandbox.base_url, body)
    record = lines(sandbox)[-1]
    assert list(record) == MEMBERS
    assert record["at"].endswith("Z")
    assert (record["method"], record["path"], record["model"]) == ("POST", raw.CHAT, "gpt-4.1")
    assert (record["client_request_id"], record["hop"]) == ("01890-1", "1")
    assert record["request_id"] == answer.headers["x-request-id"]
    assert record["usage"] == answer.json["usage"]
    assert record["bytes_in"] == len(body.partition(b"\r\n\r\n")[2])
    assert record["bytes_out"] == len(answer.body)
    assert (record["status"], record["stream"], record["events"]) == (200, False, 0)
    assert (record["fault"], record["ended"]) == (None, "complete")
    assert record["ms"] >= 0


def test_a_streams_record_counts_its_events_and_has_the_usage(sandbox: SandboxProcess) -> None:
    answer = raw.post(sandbox.base_url, raw.CHAT, raw.hello(stream=True))
    record = lines(sandbox)[-1]
    assert (record["stream"], record["events"], record["ended"]) == (True, len(answer.frames), "complete")
    assert record["bytes_out"] == len(answer.body)
    assert record["usage"]["total_tokens"] > 0


def test_refused_and_broken_requests_are_logged_too(sandbox: SandboxProcess) -> None:
    before = len(lines(sandbox))
    sandbox.plan([{"match": {"headers": {"x-iw-hop": "1"}}, "fault": {"name": "my fault", "status": 503}}])
    raw.post(sandbox.base_url, raw.CHAT, raw.hello(), authorization="Bearer wrong-key-that-nobody-may-see")
    raw.post(sandbox.base_url, raw.CHAT, b"{")
    raw.post(sandbox.base_url, raw.CHAT, raw.hello("gpt-9"))
    raw.get(sandbox.base_url, "/v1/nothing")
    raw.post(sandbox.base_url, raw.CHAT, raw.hello(), x_iw_hop="1")
    found = lines(sandbox)[before:]
    assert [record["status"] for record in found] == [401, 400, 404, 404, 503]
    assert [record["model"] for record in found] == [None, None, "gpt-9", None, "gpt-4.1"]
    assert [record["fault"] for record in found] == [None, None, None, None, "my fault"]
    assert all(record["usage"] is None for record in found)


def test_no_text_and_no_key_reach_the_log(sandbox: SandboxProcess) -> None:
    canary = "CANARY-TEXT-7781"
    messages = [{"role": "user", "content": canary}]
    raw.post(sandbox.base_url, raw.CHAT, {"model": "gpt-4.1", "messages": messages, "stream": True})
    raw.post(sandbox.base_url, raw.CHAT, {"model": "gpt-4.1", "messages": messages, "metadata": canary})
    raw.post(sandbox.base_url, raw.CHAT, {"model": "gpt-4.1", "messages": messages}, authorization=f"Bearer {canary}")
    raw.post(sandbox.base_url, "/v1/embeddings", {"model": "text-embedding-3-small", "input": canary})
    raw.post(sandbox.base_url, "/v1/responses", {"model": "gpt-4.1", "input": canary})
    text = sandbox.log_path.read_text(encoding="utf-8")
    assert canary not in text
    assert KEY not in text


def test_hostile_ids_are_cut_and_keep_to_their_line(sandbox: SandboxProcess) -> None:
    before = len(lines(sandbox))
    raw.post(sandbox.base_url, raw.CHAT, raw.hello("m" * 9999), x_client_request_id="i" * 9999)
    raw.post(sandbox.base_url, raw.CHAT, {**raw.hello(), "model": "a\nb\ud800"})
    found = lines(sandbox)[before:]
    assert [len(found[0][key]) for key in ("model", "client_request_id")] == [200, 200]
    assert found[1]["model"].startswith("a\nb")


def test_numbers_have_no_gap_and_controls_are_not_counted(sandbox: SandboxProcess) -> None:
    last = sandbox.state()["requests"]
    threads = [
        threading.Thread(target=raw.post, args=(sandbox.base_url, raw.CHAT, raw.hello(stream=True))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sandbox.requests(last)
    assert [record["n"] for record in found] == list(range(last + 1, last + 21))
    assert len({record["request_id"] for record in found}) == 20
    assert sorted(record["n"] for record in lines(sandbox)[-20:]) == [record["n"] for record in found]
