"""SIGTERM with calls that outlast the drain: each caller is told so, each call leaves its attempts and its outcome."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from iwrouting.models import Decision
from tests.live.databases import ALIAS
from tests.live.ledger import Record, eventually, records_of_run
from tests.live.live import Live
from tests.live.processes import ServiceProcess
from tests.live.reading import events_of
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
STALLED, SILENT, MUTE, ENDLESS = "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-5-mini"
"""Their streams stop after a few events; say nothing after the head; get no answer at all; never end."""

PLAN: list[dict[str, Any]] = [
    {"match": {"model": STALLED, "stream": True, "endpoint": "chat"}, "fault": {"stall_after_events": 4}},
    {"match": {"model": STALLED, "stream": True, "endpoint": "responses"}, "fault": {"stall_after_events": 8}},
    {"match": {"model": SILENT, "stream": True}, "fault": {"first_event_delay_ms": 60_000}},
    {"match": {"model": ENDLESS}, "fault": {"endless": True}},
    {"fault": {"no_answer": True}},
]
ASKED = {"model": STALLED, "input": "write 300 words"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": (CHAT, hello(MUTE)),
    "embeddings": (EMBEDDINGS, {"model": "embedding", "input": ["a"] * 20}),
    "background": (RESPONSES, {**ASKED, "background": True}),
    "not begun": (CHAT, hello(MUTE, stream=True)),
    "early": (CHAT, hello(SILENT, stream=True)),
    "under way": (CHAT, hello(STALLED, stream=True)),
    "response under way": (RESPONSES, {**ASKED, "stream": True}),
}
DRAIN_S, HOLD_S = "0.5", "2"
"""At the signal `early` has its head; `not begun` has none at the end of the drain."""


class Drained:
    """What the callers of a service got that was stopped with all CALLS open, by the name of the call."""

    def __init__(self, live: Live, service: ServiceProcess) -> None:
        self.run = live.run
        live.sandbox.plan(PLAN)
        headers = {"authorization": f"Bearer {live.home.key}"}
        assert service.process is not None

        def begun(name: str, path: str, body: object) -> socket.socket:
            link = raw.connect(service.url)
            run = f"{live.run}-{name.replace(' ', '-')}"
            link.sendall(raw.request_bytes(path, body, "POST", **headers, x_iw_run_id=run))
            return link

        with ExitStack() as stack:
            half = stack.enter_context(raw.connect(service.url))
            half.sendall(raw.request_bytes(CHAT, hello(MUTE), **headers)[:-5])
            links = {"early": stack.enter_context(begun("early", *CALLS["early"]))}
            stack.enter_context(begun("not read", CHAT, hello(ENDLESS, stream=True)))
            assert links["early"].recv(1, socket.MSG_PEEK), "its head, after IW_STREAM_HOLD_S"
            links |= {name: stack.enter_context(begun(name, *CALLS[name])) for name in CALLS if name != "early"}
            left = stack.enter_context(begun("left", *CALLS["background"]))
            # Of the embeddings' three batches none is answered, and two calls are not among CALLS.
            eventually(lambda: live.sandbox.state()["open_requests"] == len(CALLS) + 5, "all calls at the provider")
            left.close()
            service.process.send_signal(signal.SIGTERM)
            self.half = raw.receive(half, 15)
            self.got = {name: raw.receive(link, 15) for name, link in links.items()}
        self.code = service.process.wait(15)
        self.words = service.words

    def record(self, name: str) -> Record:
        [found] = records_of_run(f"{self.run}-{name.replace(' ', '-')}")
        return found


@pytest.fixture(scope="module")
def kept() -> dict[str, Drained]:
    """One service serves all of these tests: what takes time is to drain it."""
    return {}


@pytest.fixture
def drained(live: Live, kept: dict[str, Drained]) -> Drained:
    if not kept:
        service = live.world.other_service("drained", IW_DRAIN_S=DRAIN_S, IW_STREAM_HOLD_S=HOLD_S)
        kept["drained"] = Drained(live, service)
    return kept["drained"]


def test_drained_service__ends_with_0_and_without_a_traceback(drained: Drained) -> None:
    assert drained.code == 0
    assert "Traceback" not in drained.words


@pytest.mark.parametrize("name", CALLS)
def test_call_that_outlasts_the_drain__is_recorded_as_interrupted(drained: Drained, name: str) -> None:
    record = drained.record(name)
    assert (record.outcome.result, record.outcome.origin) == ("interrupted", "server")
    assert (record.outcome.error_type, record.outcome.error_code) == ("server_error", "shutting_down")
    assert record.outcome.calls == len(record.attempts) == (3 if name == "embeddings" else 1)
    assert {attempt.error_code for attempt in record.attempts} == {"shutting_down"}


@pytest.mark.parametrize("name", ["whole", "embeddings", "background", "not begun"])
def test_caller_who_waits_for_an_answer__gets_a_503_that_nobody_repeats(drained: Drained, name: str) -> None:
    got, record = drained.got[name], drained.record(name)
    assert (got.status, got.error["type"], got.error["code"]) == (503, "server_error", "shutting_down")
    assert got.headers["x-should-retry"] == "false", "the provider may bill it"
    assert got.headers["x-iw-decision-id"] == str(record.decision.id)
    assert str(record.decision.id) in got.error["message"]
    assert (record.outcome.status, record.outcome.cost_state) == (503, "unpriced")


@pytest.mark.parametrize("name", ["early", "under way", "response under way"])
def test_stream_that_is_cut__ends_with_an_error_event_and_no_terminal_marker(drained: Drained, name: str) -> None:
    got, record = drained.got[name], drained.record(name)
    assert (got.status, got.whole) == (200, True), "HTTP itself ends in order"
    assert b"[DONE]" not in got.body
    assert b"response.completed" not in got.body
    *before, last = events_of(got.body)
    assert (last["error"]["type"], last["error"]["code"]) == ("server_error", "shutting_down")
    if name == "response under way":
        assert last["sequence_number"] == before[-1]["sequence_number"] + 1
    assert bool(before) == (name != "early")
    assert record.outcome.cost_state == ("unpriced" if name == "early" else "estimated")
    assert (record.outcome.completion_tokens is not None) == (name != "early")


def test_request_that_was_not_whole__is_told_to_come_again_and_leaves_no_row(drained: Drained) -> None:
    assert (drained.half.status, drained.half.error["code"]) == (503, "shutting_down")
    assert drained.half.headers["x-should-retry"] == "true"
    assert Decision.objects.using(ALIAS).filter(run_id__startswith=drained.run).count() == len(CALLS) + 2


def test_stream_that_its_caller_does_not_read__is_cut_and_recorded(drained: Drained) -> None:
    outcome = drained.record("not read").outcome
    assert (outcome.result, outcome.error_code) == ("interrupted", "shutting_down")
    assert outcome.bytes_delivered


def test_call_in_the_background_whose_caller_left__is_waited_for_and_recorded(drained: Drained) -> None:
    outcome = drained.record("left").outcome
    assert (outcome.result, outcome.error_code, outcome.calls) == ("interrupted", "shutting_down", 1)
