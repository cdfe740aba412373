"""Faults on the wire, seen over a bare socket: what arrives, and how it ends."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.sandbox import raw
from tests.sandbox.process import SandboxProcess

STREAM = raw.hello(stream=True, stream_options={"include_usage": True})


def broken(sandbox: SandboxProcess, fault: dict[str, Any], body: Any = None, wait_s: float = 5.0) -> raw.Raw:
    """The answer to one request under one fault."""
    sandbox.plan([{"fault": fault}])
    return raw.post(sandbox.base_url, raw.CHAT, raw.hello() if body is None else body, wait_s)


def whole(sandbox: SandboxProcess, body: Any) -> raw.Raw:
    """The answer without a fault."""
    return raw.post(sandbox.base_url, raw.CHAT, body)


def last(sandbox: SandboxProcess) -> dict[str, Any]:
    """The newest record of the log, waited for where the sandbox learns of the end only after the client."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if sandbox.state()["open_requests"] == 1:
            return sandbox.requests()[-1]
        time.sleep(0.01)
    raise AssertionError("a request is still open")


def test_no_answer_accepts_and_says_nothing(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"no_answer": True}, wait_s=0.3)
    assert (answer.data, answer.ended) == (b"", "open")
    record = last(sandbox)
    assert (record["ended"], record["status"], record["usage"]) == ("no_answer", None, None)


def test_reset_breaks_off_before_any_byte(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"reset": True})
    assert (answer.data, answer.ended) == (b"", "reset")
    assert last(sandbox)["ended"] == "reset"


def test_reset_after_headers(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"reset_after_headers": True})
    assert (answer.status, answer.body, answer.ended) == (200, b"", "reset")
    assert last(sandbox)["status"] == 200


@pytest.mark.parametrize("count", [0, 1, 100])
@pytest.mark.parametrize("body", [raw.hello(), STREAM], ids=["buffered", "streamed"])
def test_cut_after_bytes_sends_exactly_so_many(sandbox: SandboxProcess, body: Any, count: int) -> None:
    answer = broken(sandbox, {"cut_after_bytes": count}, body)
    assert len(answer.body) == count
    assert (answer.ended, answer.whole) == ("closed", False)
    record = last(sandbox)
    assert (record["ended"], record["bytes_out"]) == ("cut", count)


def test_cut_after_events_sends_exactly_so_many_and_no_end(sandbox: SandboxProcess) -> None:
    frames = len(whole(sandbox, STREAM).frames)
    for count in (0, 1, 3, frames):
        answer = broken(sandbox, {"cut_after_events": count}, STREAM)
        assert len(answer.frames) == count
        assert (answer.ended, answer.whole) == ("closed", False)
        assert last(sandbox)["events"] == count


def test_a_cut_past_the_end_changes_nothing(sandbox: SandboxProcess) -> None:
    assert broken(sandbox, {"cut_after_events": 500}, STREAM).whole
    assert last(sandbox)["ended"] == "complete"


def test_a_clean_end_hides_the_cut(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"cut_after_events": 3, "clean_end": True}, STREAM)
    assert len(answer.frames) == 3
    assert answer.whole
    assert last(sandbox)["ended"] == "cut"


@pytest.mark.parametrize("limit", [{"reset_after_events": 2}, {"reset_after_bytes": 300}])
def test_reset_in_mid_body(sandbox: SandboxProcess, limit: dict[str, int]) -> None:
    answer = broken(sandbox, limit, STREAM)
    assert answer.ended == "reset"
    assert len(answer.frames) == 2 if "reset_after_events" in limit else len(answer.body) == 300
    assert last(sandbox)["ended"] == "reset"


@pytest.mark.parametrize("limit", [{"stall_after_events": 2}, {"stall_after_bytes": 300}])
def test_stall_keeps_the_connection_open(sandbox: SandboxProcess, limit: dict[str, int]) -> None:
    answer = broken(sandbox, limit, STREAM, wait_s=0.3)
    assert answer.ended == "open"
    assert len(answer.frames) == 2 if "stall_after_events" in limit else len(answer.body) == 300
    assert last(sandbox)["ended"] == "stalled"


def test_a_buffered_answer_can_stall_too(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"stall_after_bytes": 10}, wait_s=0.3)
    assert (len(answer.body), answer.ended) == (10, "open")


def test_raw_bytes_are_sent_as_they_are(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"raw_bytes": "HTTP/9.9 what\r\n\xff\xfe: ?\r\n"})
    assert answer.data == b"HTTP/9.9 what\r\n\xff\xfe: ?\r\n"
    assert answer.ended == "closed"


def test_the_length_header_can_lie(sandbox: SandboxProcess) -> None:
    answer = broken(sandbox, {"headers": {"content-length": "9999"}}, wait_s=0.3)
    assert answer.headers["content-length"] == "9999"
    assert (answer.whole, answer.ended) == (False, "open")


def test_split_bytes_cuts_frames_anywhere_and_keeps_every_byte(sandbox: SandboxProcess) -> None:
    body = {**STREAM, "stream_options": {"include_usage": True, "include_obfuscation": False}}
    split = broken(sandbox, {"split_bytes": 7}, body)
    sizes = [int(line, 16) for line in split.data.partition(b"\r\n\r\n")[2].split(b"\r\n")[:-3:2]]
    assert max(sizes) == 7
    assert split.whole
    assert len(split.frames) == len(whole(sandbox, body).frames)


@pytest.mark.parametrize(
    ("fault", "least_ms"),
    [({"delay_ms": 200}, 200), ({"first_event_delay_ms": 200}, 200), ({"event_delay_ms": 40}, 200)],
)
def test_delays(sandbox: SandboxProcess, fault: dict[str, int], least_ms: int) -> None:
    started = time.monotonic()
    answer = broken(sandbox, fault, STREAM)
    assert answer.whole
    assert (time.monotonic() - started) * 1000 >= least_ms
    assert last(sandbox)["ms"] >= least_ms


def test_the_headers_come_before_a_late_first_event_but_not_before_a_delay(sandbox: SandboxProcess) -> None:
    early = broken(sandbox, {"first_event_delay_ms": 3000}, STREAM, wait_s=0.3)
    assert (early.status, early.body) == (200, b"")
    assert broken(sandbox, {"delay_ms": 3000}, STREAM, wait_s=0.3).data == b""


def test_an_endless_stream_goes_on_until_the_client_goes(sandbox: SandboxProcess) -> None:
    sandbox.plan([{"fault": {"endless": True}}])
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(raw.request_bytes(raw.CHAT, STREAM))
        got = b""
        while len(got) < 1_000_000:
            got += sock.recv(65536)
        assert sandbox.state()["open_streams"] == 1
    record = last(sandbox)
    assert record["ended"] == "client_closed"
    assert record["events"] > 1000


def test_a_client_that_leaves_is_seen_at_once(sandbox: SandboxProcess) -> None:
    before = sandbox.state()["client_disconnects"]
    sandbox.plan([{"fault": {"event_delay_ms": 5000}}])
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(raw.request_bytes(raw.CHAT, STREAM))
        sock.recv(100)
    record = last(sandbox)
    assert (record["ended"], record["events"]) == ("client_closed", 1)
    assert record["ms"] < 4000
    assert record["usage"]["total_tokens"] > 0
    assert sandbox.state()["client_disconnects"] == before + 1


def test_a_slow_reader_is_waited_for(sandbox: SandboxProcess) -> None:
    body = raw.hello(stream=True)
    body["messages"][0]["content"] = "write 20000 words"
    with raw.connect(sandbox.base_url) as sock:
        sock.sendall(raw.request_bytes(raw.CHAT, body))
        time.sleep(0.3)
        assert sandbox.state()["open_streams"] == 1
        answer = raw.receive(sock, 10)
    assert answer.whole
    assert last(sandbox)["ended"] == "complete"
