"""One stream cut at many places: the whole answer or an error in the open, never half an answer that looks whole."""

from __future__ import annotations

import pytest

from tests.live.ledger import record
from tests.live.live import Live, events
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"
FIRST, SECOND = "gpt-5.1", "gpt-4.1"
BODY = hello("manager", stream=True)
WAYS = ("cut", "clean", "reset")
PARTS = 8
PLACES = 96


def fault_at(offset: int, way: str) -> dict[str, object]:
    if way == "reset":
        return {"reset_after_bytes": offset}
    return {"cut_after_bytes": offset, "clean_end": way == "clean"}


@pytest.mark.parametrize("part", range(PARTS))
def test_cut_anywhere__is_a_whole_answer_or_an_open_error(live: Live, part: int) -> None:
    first, second = text(live.post(CHAT, hello(FIRST, stream=True))), text(live.post(CHAT, hello(SECOND, stream=True)))
    size = live.sent()[0]["bytes_out"]
    places = [size * number // PLACES for number in range(part, PLACES, PARTS)]
    ends: set[str] = set()
    for number, offset in enumerate(places):
        way = WAYS[(number + part) % len(WAYS)]
        live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault_at(offset, way)}])
        run = f"{live.run}-{offset}"
        ends.add(judge(live, live.post(CHAT, BODY, x_iw_run_id=run), first, second))
    assert len(live.sent()) >= 2 + len(places)
    assert ends <= {"ok", "ok_after_fallback", "truncated"}
    assert "truncated" in ends


def judge(live: Live, got: Raw, first: str, second: str) -> str:
    """Assert that the answer is one of the three allowed, and that the audit says the same; which one."""
    assert (got.status, got.whole) == (200, True)
    found = record(got.headers["x-iw-decision-id"])
    result = found.outcome.result
    live.agrees(found)
    data = events(got.body)
    if data[-1] == "[DONE]":
        served = second if result == "ok_after_fallback" else first
        assert text(got) == served
        assert any(choice["finish_reason"] == "stop" for event in data[:-1] for choice in event["choices"])
        assert (result == "ok_after_fallback") == (got.headers["x-iw-fallback"] == "1")
        assert result in ("ok", "ok_after_fallback")
    else:
        assert data[-1]["error"]["code"].startswith("stream_")
        assert b"[DONE]" not in got.body
        assert first.startswith(text(got))
        assert result == "truncated"
    return result


def text(got: Raw) -> str:
    """The text that a stream delivered."""
    data = (event for event in events(got.body) if event != "[DONE]" and "choices" in event)
    return "".join(choice["delta"].get("content") or "" for event in data for choice in event["choices"])
