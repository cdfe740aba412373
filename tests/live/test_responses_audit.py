"""The promises at `/v1/responses`: no end before its outcome is stored; late output says what the headers could not."""

from __future__ import annotations

import json
import threading
from typing import Any

from tests.live.ledger import eventually, record
from tests.live.live import Live
from tests.live.reading import events_of
from tests.live.test_audit_away import locked
from tests.sandbox import raw
from tests.sandbox.raw import Raw

PATH, MODEL = "/v1/responses", "gpt-4.1-mini"
BODY: dict[str, Any] = {"model": "fast", "input": "Say hello"}


def test_outcome_that_can_not_be_stored__ends_no_response_as_whole(live: Live) -> None:
    service = live.world.other_service("hurried", IW_AUDIT_WAIT_S="0.3", IW_DEADLINE_S="1")
    live.introduce(live.home.key, service.url)
    live.sandbox.plan([{"fault": {"delay_ms": 400}}])
    got: dict[bool, Raw] = {}

    def call(streamed: bool) -> None:
        headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
        got[streamed] = raw.post(service.url, PATH, {**BODY, "stream": streamed}, 15, **headers)

    threads = [threading.Thread(target=call, args=(streamed,)) for streamed in (False, True)]
    for thread in threads:
        thread.start()
    eventually(lambda: live.sandbox.state()["open_requests"] == 3, "both at the provider")
    with locked():
        for thread in threads:
            thread.join()
    assert (got[False].status, got[False].error["code"]) == (503, "audit_unavailable")
    found = events_of(got[True].body)
    assert (found[-1]["type"], found[-1]["error"]["code"]) == ("error", "audit_unavailable")
    assert "response.completed" not in {event["type"] for event in found}
    assert record(got[True].headers["x-iw-decision-id"]).outcomes == []


def test_late_output__lets_the_headers_go_first_and_the_rest_come_as_a_comment(live: Live) -> None:
    url = live.world.other_service("early", IW_STREAM_HOLD_S="0.3").url
    live.introduce(live.home.key, url)
    live.sandbox.plan([{"match": {"model": MODEL}, "fault": {"first_event_delay_ms": 700}}])
    headers = {"authorization": f"Bearer {live.home.key}", "x-iw-run-id": live.run}
    got = raw.post(url, PATH, {**BODY, "stream": True}, 10, **headers)
    assert (got.status, got.headers["x-iw-early"]) == (200, "1")
    *_, told, last, _ = got.body.split(b"\n\n")
    assert json.loads(told[1:])["x-iw-model"] == MODEL
    assert last.startswith(b"event: response.completed")
    assert live.the_record().served() == ("ok", MODEL, 200)
