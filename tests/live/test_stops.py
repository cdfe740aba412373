"""Failures that end the walk: what passes through, what is ours to blame, and what is said when every rung failed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from openai import (
    APIStatusError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    UnprocessableEntityError,
)

from tests.live.ledger import Record
from tests.live.live import Live
from tests.live.world import DEAD, DENIED, HASTY, KEYLESS, WRONG_KEY

CHAIN = ["gpt-5.1", "gpt-4.1", "gpt-4.1-mini"]


def refusal(status: int, code: str | None, kind: str = "invalid_request_error", param: str | None = None) -> Any:
    error = {"message": "Not like this (sandbox).", "type": kind, "param": param, "code": code}
    return {"status": status, "body": {"error": error}}


PASSED: dict[str, tuple[Any, type[APIStatusError], int, str | None]] = {
    "bad request": (refusal(400, "invalid_value", param="stop"), BadRequestError, 400, "invalid_value"),
    "no code": (refusal(400, None), BadRequestError, 400, None),
    "policy": ("content_policy", BadRequestError, 400, "content_policy_violation"),
    "not found": (refusal(404, "file_not_found"), NotFoundError, 404, "file_not_found"),
    "too large": (refusal(413, None), APIStatusError, 413, None),
    "unprocessable": (refusal(422, "bad_shape"), UnprocessableEntityError, 422, "bad_shape"),
    "quota": ("quota", RateLimitError, 429, "insufficient_quota"),
    "spend limit": (refusal(429, "project_spend_limit_exceeded"), RateLimitError, 429, "project_spend_limit_exceeded"),
    "html": ({"status": 418, "raw_body": "<h1>tea</h1>", "content_type": "text/html"}, APIStatusError, 418, None),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("name", PASSED)
def test_refusal__passes_through_and_no_other_rung_is_tried(live: Live, name: str, streamed: bool) -> None:
    fault, kind, status, code = PASSED[name]
    live.sandbox.plan([{"match": {"model": CHAIN[0]}, "fault": fault}])
    with pytest.raises(kind) as caught:
        live.chat("manager", stream=streamed)
    error = caught.value
    assert (error.status_code, error.code) == (status, code)
    assert set(error.body) == {"message", "type", "param", "code"}  # type: ignore[call-overload] # a dict
    assert "sandbox" in error.message or "refused" in error.message
    record = failed(live, error, status)
    assert [(a.seq, a.rung, a.status, a.error_code) for a in record.attempts] == [(1, 0, status, code or "")]
    assert (record.outcome.error_code, record.outcome.error_param) == (code or "", error.param or "")


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_key_that_the_provider_refuses__is_our_502_and_never_the_callers_401(live: Live, streamed: bool) -> None:
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager", stream=streamed, client=live.client(live.tenant({"manager": DENIED})))
    error = caught.value
    assert (error.status_code, error.code, error.type) == (502, "upstream_auth", "upstream_error")
    assert "env:IW_UPSTREAM_WRONG" in error.message
    assert WRONG_KEY not in str(error.body)
    record = failed(live, error, 502)
    assert record.tried == [(1, "call", 0, 1, DENIED, 401, "invalid_api_key")]


def test_account_that_may_not_call__is_our_502(live: Live) -> None:
    live.sandbox.plan([{"match": {"model": CHAIN[0]}, "fault": refusal(403, "unsupported_country_region_territory")}])
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager")
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_auth")
    assert failed(live, caught.value, 502).tried == [
        (1, "call", 0, 1, CHAIN[0], 403, "unsupported_country_region_territory")
    ]


def test_missing_secret__is_our_502_that_names_what_to_set(live: Live) -> None:
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager", client=live.client(live.tenant({"manager": KEYLESS})))
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_auth")
    assert "IW_UPSTREAM_UNSET" in caught.value.message
    assert failed(live, caught.value, 502).tried == [(1, "call", 0, 1, KEYLESS, None, "upstream_secret_missing")]
    assert live.sent() == []


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_every_rung_failing__is_told_with_every_attempt(live: Live, streamed: bool) -> None:
    live.sandbox.plan([{"fault": "server_error"}])
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager", stream=streamed)
    error = caught.value
    assert (error.status_code, error.code, error.type) == (502, "all_candidates_failed", "upstream_error")
    details = error.body["details"]  # type: ignore[index] # a dict
    assert [(d["seq"], d["kind"], d["rung"], d["model"], d["status"], d["type"]) for d in details] == [
        (index + 1, "call", index // 2, CHAIN[index // 2], 500, "server_error") for index in range(6)
    ]
    assert all(d["ms"] >= 0 and "message" not in d for d in details)
    record = failed(live, error, 502)
    assert [(a.seq, a.rung, a.try_number) for a in record.attempts] == [
        (1, 0, 1), (2, 0, 2), (3, 1, 1), (4, 1, 2), (5, 2, 1), (6, 2, 2)
    ]  # fmt: skip
    assert (record.outcome.calls, record.outcome.fallbacks, record.outcome.cost_state) == (6, 2, "unpriced")


@pytest.mark.parametrize(
    ("fault", "status"),
    [("overloaded", 503), ({"status": 429, "headers": {"retry-after": "9"}}, 503), ("conflict", 502)],
)
def test_every_rung_failing__takes_its_status_from_the_last(live: Live, fault: Any, status: int) -> None:
    live.sandbox.plan([{"match": {"model": CHAIN[:2]}, "fault": "model_gone"}, {"fault": fault}])
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager")
    assert (caught.value.status_code, caught.value.code) == (status, "all_candidates_failed")
    assert caught.value.response.headers.get("retry-after") == ("9" if isinstance(fault, dict) else None)
    failed(live, caught.value, status)


def test_last_rung_timing_out__is_a_504(live: Live) -> None:
    live.sandbox.plan([{"fault": "no_answer"}])
    with pytest.raises(InternalServerError) as caught:
        live.chat(HASTY)
    assert (caught.value.status_code, caught.value.code) == (504, "all_candidates_failed")
    assert failed(live, caught.value, 504).tried == [(1, "call", 0, 1, HASTY, None, "timeout_first_byte")]


def test_sdk_with_its_own_retries__does_not_walk_the_chain_again(live: Live) -> None:
    live.sandbox.plan([{"fault": "server_error"}])
    with pytest.raises(InternalServerError):
        live.chat("manager", client=live.client(max_retries=2))
    assert len(live.sent()) == 6
    assert len(live.records()) == 1


def test_wait_asked_by_the_provider__is_kept_to(live: Live) -> None:
    fault = {"status": 429, "headers": {"retry-after-ms": "400"}}
    live.sandbox.plan([{"match": {"model": CHAIN[0]}, "fault": fault, "times": 1}])
    started = time.monotonic()
    called = live.chat("manager")
    assert time.monotonic() - started >= 0.4
    first, second = called.record.attempts
    assert (first.retry_after_ms, second.model, second.status) == (400, CHAIN[0], 200)
    assert first.sent_at is not None
    assert second.sent_at is not None
    assert (second.sent_at - first.sent_at).total_seconds() >= 0.4
    assert (called.record.outcome.overhead_us or 0) < 300_000


def in_30_s() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)


@pytest.mark.parametrize("wait", ["2", "1e9", "in 30 s"])
def test_wait_over_our_patience__goes_to_the_next_rung_at_once(live: Live, wait: str) -> None:
    headers = {"retry-after": in_30_s() if wait == "in 30 s" else wait}
    live.sandbox.plan([{"match": {"model": CHAIN[0]}, "fault": {"status": 503, "headers": headers}}])
    called = live.chat("manager")
    assert [(a.model, a.status) for a in called.record.attempts] == [(CHAIN[0], 503), (CHAIN[1], 200)]
    asked = called.record.attempts[0].retry_after_ms
    assert asked is not None
    assert asked >= 2000


@pytest.mark.parametrize("wait", ["-5", "soon", "nan", "", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_wait_that_makes_no_sense__is_a_plain_retry(live: Live, wait: str) -> None:
    fault = {"status": 503, "headers": {"retry-after": wait}}
    live.sandbox.plan([{"match": {"model": CHAIN[0]}, "fault": fault, "times": 1}])
    called = live.chat("manager")
    assert [(a.model, a.try_number, a.status) for a in called.record.attempts] == [
        (CHAIN[0], 1, 503),
        (CHAIN[0], 2, 200),
    ]


def test_chain_out_of_reach__names_what_failed_and_the_smallest_wait(live: Live) -> None:
    waits = [{"match": {"model": model}, "fault": {"status": 429, "headers": {"retry-after": wait}}}
             for model, wait in zip(CHAIN[1:], ("12", "5"), strict=True)]  # fmt: skip
    live.sandbox.plan(waits)
    with pytest.raises(InternalServerError) as caught:
        live.chat("manager", client=live.client(live.tenant({"manager": DEAD})))
    assert caught.value.response.headers["retry-after"] == "5"
    assert "connect_failed" in caught.value.message
    failed(live, caught.value, 503)


def failed(live: Live, error: APIStatusError, status: int) -> Record:
    """Assert what every failed call has: retry hint, ids, one outcome without a model; its record."""
    headers = error.response.headers
    assert headers["x-should-retry"] == "false"
    record = live.the_record()
    assert headers["x-iw-decision-id"] == str(record.decision.id)
    assert error.request_id == headers["x-request-id"] == record.decision.request_id
    assert record.served() == ("error", "", status)
    assert (
        int(headers["x-iw-attempts"]) == record.outcome.calls == sum(each.sent_at is not None for each in record.calls)
    )
    assert record.outcome.error_type == error.type
    live.agrees(record)
    return record
