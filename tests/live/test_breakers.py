"""The breakers in a running service: what they spare the provider, what the caller gets, and what is recorded."""

from __future__ import annotations

import threading

import pytest
from openai import APIError, APIStatusError, InternalServerError, RateLimitError

from iwrouting.models import BreakerEvent
from tests.live.databases import ALIAS
from tests.live.guarded import CODEX, FIRST, SECOND, THIRD, VECTORS, Guarded
from tests.live.ledger import eventually
from tests.live.live import Called
from tests.live.world import DENIED, HASTY


def test_dead_primary__costs_one_failed_try_and_not_one_per_call(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": CODEX}, "fault": "model_gone"}])
    first = guarded.chat("code")
    assert first.record.tried == [(1, "call", 0, 1, CODEX, 404, "model_not_found"), (2, "call", 1, 1, SECOND, 200, "")]
    for ask in (guarded.chat, guarded.stream, guarded.chat):
        called = ask("code")
        assert called.record.tried == [
            (1, "skip", 0, 0, CODEX, None, "breaker_open"),
            (2, "call", 1, 1, SECOND, 200, ""),
        ]
        assert called.record.attempts[0].error_code == "model_not_found"
        assert (called.headers["x-iw-fallback"], called.record.outcome.result) == ("1", "ok_after_fallback")
        guarded.live.agrees(called.record)
    assert [line["model"] for line in guarded.live.sent()].count(CODEX) == 1
    assert guarded.standing == {("sandbox", CODEX): ("open", "model_not_found")}
    assert eventually(lambda: guarded.rows(CODEX), "the row") == [("closed", "open", "model_not_found")]
    row = BreakerEvent.objects.using(ALIAS).get(model=CODEX, at__gte=guarded.tenant.row.created_at)
    assert (row.secret_ref, str(row.decision_id)) == ("env:IW_UPSTREAM_API_KEY", str(first.record.decision.id))
    assert 20_000 < (row.open_ms or 0) <= 30_000
    assert len(row.writer_id) == 36


def test_failing_model__is_left_alone_then_probed_by_one_call_and_closed(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "overloaded", "times": 6}])
    for _ in range(3):
        assert [a.model for a in guarded.chat().record.calls] == [FIRST, FIRST, SECOND]
    assert guarded.standing == {("sandbox", FIRST): ("open", "server_is_overloaded")}
    assert guarded.chat().record.tried[0] == (1, "skip", 0, 0, FIRST, None, "breaker_open")
    served = eventually(lambda: first_served(guarded), "the probe")
    assert served.record.tried == [(1, "call", 0, 1, FIRST, 200, "")]
    assert guarded.standing == {}
    assert eventually(lambda: len(guarded.rows(FIRST)) == 3 and guarded.rows(FIRST), "the rows") == [
        ("closed", "open", "server_is_overloaded"),
        ("open", "half_open", "probe"),
        ("half_open", "closed", "answered"),
    ]


def first_served(guarded: Guarded) -> Called | None:
    called = guarded.chat()
    return called if called.record.outcome.model_served == FIRST else None


def test_failed_probe__is_one_try_and_opens_for_longer(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "server_error"}])
    for _ in range(3):
        guarded.chat()
    probed = eventually(lambda: probe_of(guarded), "the probe")
    assert probed.record.tried[0] == (1, "call", 0, 1, FIRST, 500, "server_error")
    assert probed.record.tried[1][4] == SECOND
    eventually(lambda: len(guarded.rows(FIRST)) == 3, "the rows")
    rows = BreakerEvent.objects.using(ALIAS).filter(model=FIRST, at__gte=guarded.tenant.row.created_at, state="open")
    first, second = [row.open_ms or 0 for row in rows.order_by("at", "id")]
    assert 480 <= first <= 600 < 960 <= second <= 1200


def probe_of(guarded: Guarded) -> Called | None:
    called = guarded.chat()
    return called if called.record.calls[0].model == FIRST else None


def test_half_open__lets_exactly_one_call_through(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "server_error", "times": 6}])
    for _ in range(3):
        guarded.chat()
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"delay_ms": 500}}])
    since = guarded.live.sandbox.state()["requests"]
    eventually(lambda: guarded.probe_is_due, "the time of the probe")
    threads = [threading.Thread(target=guarded.chat) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["model"] for line in guarded.live.sandbox.requests(since)) == [SECOND] * 7 + [FIRST]
    assert guarded.standing == {}


def test_every_rung_held__the_one_due_first_is_tried_once_and_then_it_is_our_503(guarded: Guarded) -> None:
    gone = {"match": {"model": [FIRST, THIRD]}, "fault": "model_gone"}
    guarded.live.sandbox.plan(
        [gone, {"match": {"model": SECOND}, "fault": {"status": 429, "headers": {"retry-after": "20"}}}]
    )
    guarded.fails(InternalServerError)
    guarded.fails(InternalServerError)
    guarded.fails(InternalServerError)
    assert {model for _, model in guarded.standing} == {FIRST, SECOND, THIRD}
    error = guarded.fails(InternalServerError)
    record = guarded.live.records()[-1]
    assert record.tried == [
        (1, "skip", 0, 0, FIRST, None, "breaker_open"),
        (2, "call", 1, 1, SECOND, 429, "rate_limit_exceeded"),
        (3, "skip", 2, 0, THIRD, None, "breaker_open"),
    ]
    assert (error.status_code, error.code) == (503, "all_candidates_failed")
    assert 15 <= int(error.response.headers["retry-after"]) <= 20
    assert error.response.headers["x-should-retry"] == "false"
    assert error.body["details"][0] == {  # type: ignore[index] # a dict
        "seq": 1, "kind": "skip", "rung": 0, "model": FIRST, "skip": "breaker_open", "code": "model_not_found"
    }  # fmt: skip


def test_every_rung_held_and_the_probe_under_way__is_our_503_that_says_when(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "model_gone"}])
    with pytest.raises(APIStatusError):
        guarded.chat(FIRST)
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"delay_ms": 700}}])
    probing = threading.Thread(target=guarded.chat, args=(FIRST,))
    probing.start()
    eventually(lambda: ("sandbox", FIRST) in guarded.standing and guarded.standing["sandbox", FIRST][0] == "half_open")
    error = guarded.fails(InternalServerError, FIRST)
    probing.join()
    assert (error.status_code, error.code) == (503, "all_candidates_failed")
    assert 1 <= int(error.response.headers["retry-after"]) <= 30
    assert guarded.chat(FIRST).record.tried == [(1, "call", 0, 1, FIRST, 200, "")]


def test_spent_quota__stops_the_call_and_every_call_of_that_account_without_asking(guarded: Guarded) -> None:
    tenant = guarded.live.tenant({"manager": HASTY})
    guarded.tenant = tenant
    guarded.live.sandbox.plan([{"match": {"model": HASTY}, "fault": "quota"}])
    for number in range(3):
        error = guarded.fails(RateLimitError)
        assert (error.status_code, error.code) == (429, "insufficient_quota")
        assert error.response.headers["x-should-retry"] == "false"
        record = guarded.live.records()[-1]
        if number == 0:
            assert record.tried == [(1, "call", 0, 1, HASTY, 429, "insufficient_quota")]
        else:
            assert record.tried == [(1, "skip", 0, 0, HASTY, None, "breaker_open")]
            assert record.outcome.cost_state == "none"
            assert 20 <= int(error.response.headers["retry-after"]) <= 30
    assert len(guarded.live.sent()) == 2
    assert guarded.standing == {("hasty", ""): ("open", "insufficient_quota")}


def test_refused_key__holds_its_account_and_stays_our_502(guarded: Guarded) -> None:
    guarded.tenant = guarded.live.tenant({"manager": DENIED})
    for number in range(2):
        error = guarded.fails(InternalServerError)
        assert (error.status_code, error.code) == (502, "upstream_auth")
        assert [each[1] for each in guarded.live.records()[-1].tried] == ["skip" if number else "call"]
    assert guarded.standing == {("denied", ""): ("open", "invalid_api_key")}


def test_callers_faults__open_nothing(guarded: Guarded) -> None:
    refused = {"status": 400, "body": {"error": {"message": "No.", "type": "invalid_request_error", "code": "x"}}}
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": refused}])
    for _ in range(5):
        guarded.fails(APIStatusError)
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "no_answer"}])
    hurried = guarded.live.client(guarded.tenant, url=guarded.service.url, x_iw_deadline_s="0.4")
    for _ in range(4):
        called = guarded.live.chat("manager", client=hurried)
        assert called.record.tried[0] == (1, "call", 0, 1, FIRST, None, "deadline")
    assert guarded.standing == {}


def test_streams_that_are_cut_after_their_first_output__open_it_too(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": "cut"}])
    for _ in range(3):
        with pytest.raises(APIError):
            guarded.stream("manager")
    assert guarded.standing[("sandbox", FIRST)][0] == "open"
    assert guarded.stream("manager").record.outcome.model_served == SECOND


def test_batches__share_the_leave_of_their_call(guarded: Guarded) -> None:
    guarded.live.sandbox.plan([{"match": {"model": VECTORS}, "fault": "model_gone", "times": 1}])
    client = guarded.client
    with pytest.raises(APIStatusError):
        guarded.live.embed("one", client=client)
    assert guarded.standing == {("sandbox", VECTORS): ("open", "model_not_found")}
    called = guarded.live.embed([f"text {number}" for number in range(40)], client=client)
    assert len(called.answer.data) == 40
    assert guarded.standing == {}


def test_transition__is_no_text_of_the_provider(guarded: Guarded) -> None:
    secret = "sk-" + "canary" * 6
    error = {"message": secret, "type": "server_error", "param": None, "code": secret}
    guarded.live.sandbox.plan([{"match": {"model": FIRST}, "fault": {"status": 500, "body": {"error": error}}}])
    for _ in range(3):
        guarded.chat()
    eventually(lambda: guarded.rows(FIRST), "the row")
    assert secret not in str(guarded.rows(FIRST)) + str(guarded.standing)


def test_look_at_a_stored_response_of_a_dead_model__is_answered_and_tells_nothing_of_the_model(
    guarded: Guarded,
) -> None:
    kept = guarded.client.responses.create(model=SECOND, input="Say hello")
    tenant = guarded.live.tenant({"manager": SECOND})
    client = guarded.live.client(tenant, url=guarded.service.url)
    guarded.live.sandbox.plan([{"match": {"model": SECOND}, "fault": "model_gone"}])
    assert guarded.live.chat("manager", client=client).headers["x-iw-model"] == THIRD
    assert guarded.client.responses.retrieve(kept.id).id == kept.id
    assert guarded.standing == {("sandbox", SECOND): ("open", "model_not_found")}
