"""Upstreams that take too long, each in its own way: the timer that runs out names it (faults U10, U12, U13, U21)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.live import Live, events
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"
MODEL, SECOND = "gpt-4.1-mini", "gpt-4.1"
DRIP: dict[str, Any] = {"drip": {"bytes": 1, "every_ms": 20, "after_events": 4}}
TIMERS: dict[str, Any] = {
    "IW_IDLE_TIMEOUT_S": "0.5",
    "IW_FIRST_BYTE_TIMEOUT_S": "0.6",
    "IW_CONNECT_TIMEOUT_S": "0.2",
    "IW_FIRST_OUTPUT_TIMEOUT_S": "1.4",
    "IW_STREAM_TOTAL_S": "1.8",
    "IW_MIN_STREAM_BYTES_PER_S": "200",
    "IW_MIN_STREAM_WINDOW_S": "0.4",
    "IW_STREAM_HEARTBEAT_S": "0.2",
}


@pytest.fixture
def url(live: Live) -> str:
    """The address of a service with no patience."""
    found = live.world.other_service("timers", **TIMERS).url
    live.introduce(live.home.key, found)
    return found


def ask(live: Live, url: str, model: str = MODEL, *, stream: bool = True) -> Raw:
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    return raw.post(url, CHAT, hello(model, stream=stream), 10, **headers)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"stall_after_events": 4}, "stalled"),
        (DRIP, "too_slow"),
        ({"endless": True, "event_delay_ms": 40}, "timeout_total"),
    ],
)
def test_timer_after_output__is_an_error_event_that_names_it(live: Live, url: str, fault: Any, code: str) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": fault}])
    got = ask(live, url)
    assert (got.status, got.whole) == (200, True)
    assert events(got.body)[-1]["error"]["code"] == f"stream_{code}"
    record = live.the_record()
    assert record.served() == ("truncated", MODEL, 200)
    assert [a.error_code for a in record.attempts] == [code]
    assert (record.attempts[0].bytes_received or 0) > 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"no_answer": True}, "timeout_first_byte"),
        ({"stall_after_events": 1}, "stalled"),
        (
            {
                "raw_body": ": ping\n\n" * 90,
                "content_type": "text/event-stream",
                "split_bytes": 8,
                "event_delay_ms": 50,
            },
            "timeout_first_output",
        ),
    ],
)
def test_timer_before_output__goes_to_the_next_rung(live: Live, url: str, fault: Any, code: str) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": fault}])
    got = ask(live, url, "fast")
    assert events(got.body)[-1] == "[DONE]"
    record = live.the_record()
    assert [a.error_code for a in record.attempts][:: len(record.attempts) - 1] == [code, ""]
    assert record.outcome.result == "ok_after_fallback"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"no_answer": True}, "timeout_first_byte"),
        ({"stall_after_bytes": 100}, "stalled"),
        ({"drip": {"bytes": 1, "every_ms": 20}}, "too_slow"),
    ],
)
def test_timer_of_a_whole_answer__goes_to_the_next_rung(live: Live, url: str, fault: Any, code: str) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": fault}])
    got = ask(live, url, "fast", stream=False)
    assert got.status == 200
    record = live.the_record()
    assert [a.error_code for a in record.attempts] == [code, ""]


def test_timers_everywhere__are_a_504(live: Live, url: str) -> None:
    live.sandbox.plan([{"fault": {"no_answer": True}}])
    got = ask(live, url, "gpt-4.1")
    assert (got.status, got.json["error"]["code"]) == (504, "all_candidates_failed")
    assert live.the_record().attempts[0].error_type == "timeout_error"


@pytest.mark.parametrize("fault", [{"event_delay_ms": 300}, {"event_delay_ms": 250, "split_bytes": 200}])
def test_long_silence_in_a_stream__is_filled_with_heartbeats_between_frames(live: Live, url: str, fault: Any) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": fault}])
    got = ask(live, url)
    frames = got.body.split(b"\n\n")
    beats = [frame for frame in frames if frame == b": heartbeat"]
    assert len(beats) >= 2
    assert all(frame.startswith((b"data: ", b": heartbeat")) or not frame for frame in frames)
    assert all(isinstance(event, str | dict) for event in events(got.body))


def test_steady_stream__is_cut_by_no_timer_and_has_no_heartbeats(live: Live, url: str) -> None:
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"event_delay_ms": 60}}])
    got = ask(live, url)
    assert events(got.body)[-1] == "[DONE]"
    assert b": heartbeat" not in got.body
    assert live.the_record().served() == ("ok", MODEL, 200)
