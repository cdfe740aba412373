"""What says nothing of the health of the provider, and what breakers that are open leave to the rungs that are not."""

from __future__ import annotations

import pytest
from openai import InternalServerError, NotFoundError

from tests.live.guarded import FIRST, SECOND, THIRD, Guarded
from tests.live.ledger import Record, eventually
from tests.sandbox import raw


def leave(guarded: Guarded, *, after: str = "") -> None:
    """Ask for a stream, and go: before any answer, or as soon as some text of it has come."""
    body = {"model": "manager", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {guarded.tenant.key}", "x-iw-run-id": guarded.live.run}
    open_now = guarded.live.sandbox.state()["open_requests"]
    with raw.connect(guarded.service.url) as sock:
        sock.sendall(raw.request_bytes("/v1/chat/completions", body, "POST", **headers))
        eventually(lambda: guarded.live.sandbox.state()["open_requests"] > open_now, "the request at the provider")
        got = b""
        while after.encode() not in got:
            got += sock.recv(65_536)
    eventually(lambda: guarded.live.sandbox.state()["open_requests"] == open_now, "the close at the provider")


@pytest.mark.parametrize("after", ["", "sandbox"])
def test_clients_that_leave__open_nothing(guarded: Guarded, after: str) -> None:
    fault = {"stall_after_events": 3} if after else "no_answer"
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": fault}])
    for _ in range(4):
        leave(guarded, after=after)
    assert guarded.standing == {}
    closed = eventually(lambda: all_closed(guarded, 5), "the outcomes")
    assert [record.outcome.result for record in closed[1:]] == ["client_closed"] * 4


def all_closed(guarded: Guarded, number: int) -> list[Record]:
    found = guarded.live.records()
    return found if len(found) == number and all(record.outcomes for record in found) else []


def test_probe_whose_client_leaves__leaves_its_place_to_the_next_call(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "server_error", "times": 6}])
    for _ in range(3):
        guarded.chat()
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "no_answer", "times": 1}])
    eventually(lambda: guarded.probe_is_due, "the time of the probe")
    leave(guarded)
    assert guarded.standing == {("sandbox", FIRST): ("half_open", "server_error")}
    assert guarded.chat().record.tried == [(1, "call", 0, 1, FIRST, 200, "")]
    assert guarded.standing == {}


def test_page_of_a_firewall_before_the_provider__bars_nobody_else(guarded: Guarded) -> None:
    page = {"status": 403, "raw_body": "<html>Blocked</html>", "content_type": "text/html"}
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": page, "times": 1}])
    with pytest.raises(InternalServerError) as caught:
        guarded.chat()
    assert caught.value.code == "upstream_auth"
    assert guarded.standing == {}
    assert guarded.chat().record.tried == [(1, "call", 0, 1, FIRST, 200, "")]


def test_rungs_that_are_held__keep_no_time_from_the_one_that_is_not(guarded: Guarded) -> None:
    gone = {"match": {"model": [SECOND, THIRD]}, "fault": "model_gone"}
    guarded.live.sandbox.plan([gone])
    for model in (SECOND, THIRD):
        assert guarded.fails(NotFoundError, model).code == "model_not_found"
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"delay_ms": 1_200}}])
    hurried = guarded.live.client(guarded.tenant, url=guarded.service.url, x_iw_deadline_s="2.4")
    called = guarded.live.chat("manager", client=hurried)
    assert called.record.tried == [(1, "call", 0, 1, FIRST, 200, "")]
