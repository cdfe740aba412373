"""What the caller is told when no rung answered."""

from __future__ import annotations

import time

import pytest

from iwrouting.dispatch.breakers import Held
from iwrouting.dispatch.ends import exhausted, still_refused
from iwrouting.dispatch.job import Job
from iwrouting.errors import RoutingError
from iwrouting.types import Endpoint, Skip
from iwrouting.upstream.failures import Failure, Step, bad_answer, classify, in_band, out_of_time
from tests.pure.small import ask, configured

UNFIT = Failure(Step.NEXT, "invalid_request_error", "unsupported_parameter", "n", 400, "No n.")


def a_job(name: str = "manager") -> Job:
    config = configured()
    return Job("d", ask(config, name), config, Endpoint.CHAT, {}, time.monotonic() + 10)


def failing(job: Job, *failures: Failure) -> RoutingError:
    """The end of a job whose rungs failed so, one after another."""
    for rung, failure in zip(job.resolution.chain, failures, strict=False):
        job.fail(job.begin(rung, 1, Endpoint.CHAT, (), 2, None), failure)
    return exhausted(job)


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (classify(500, {}, b""), 502),
        (classify(502, {}, b""), 502),
        (classify(429, {}, b""), 503),
        (classify(503, {}, b""), 503),
        (classify(529, {}, b""), 503),
        (classify(404, {}, b'{"error": {"code": "model_not_found"}}'), 502),
        (classify(307, {}, b""), 502),
        (in_band({"code": "rate_limit_exceeded"}), 503),
        (bad_answer("bad_body", 200), 502),
        (out_of_time(), 504),
    ],
)
def test_every_rung_failed__last_one_gives_the_status(last: Failure, status: int) -> None:
    error = failing(a_job(), classify(500, {}, b""), last)
    assert (error.status, error.code, error.should_retry) == (status, "all_candidates_failed", False)
    assert [detail["code"] for detail in error.details] == [None, last.code or None]


def test_named_model_that_was_refused__gets_the_providers_own_words() -> None:
    error = failing(
        a_job("large"), classify(429, {"retry-after": "7"}, b'{"error": {"code": "c", "message": "Slow."}}')
    )
    assert (error.status, error.code, error.message, error.retry_after_s) == (429, "c", "Slow.", 7)


def test_request_that_fits_no_rung__names_its_field() -> None:
    job = a_job()
    for rung in job.resolution.chain:
        job.fail(job.skip(rung, Skip.CAPABILITY), UNFIT)
    error = exhausted(job)
    assert (error.status, error.param, error.message) == (400, "n", "No n.")


def test_request_that_fits_only_rungs_that_breakers_hold__is_our_503_that_says_when() -> None:
    job = a_job()
    first, second, *_ = job.resolution.chain
    job.fail(job.skip(first, Skip.CAPABILITY), UNFIT)
    job.hold(second, Held(time.monotonic() + 9, "http_503"))
    error = exhausted(job)
    assert (error.status, error.code, error.retry_after_s) == (503, "all_candidates_failed", 9)
    assert [detail.get("code") for detail in error.details] == [None, "http_503"]


def test_request_too_long_for_what_was_left__passes_through() -> None:
    too_long = classify(400, {}, b'{"error": {"code": "context_length_exceeded", "message": "Long."}}')
    error = failing(a_job(), classify(500, {}, b""), too_long)
    assert (error.status, error.code, error.message) == (400, "context_length_exceeded", "Long.")


def test_refusal_of_an_account_told_again__names_code_and_wait_and_no_text_of_the_provider() -> None:
    spent = classify(429, {}, b'{"error": {"code": "insufficient_quota", "message": "secret"}}')
    again = still_refused(spent, 12.2)
    assert (again.status, again.code, again.retry_after_s) == (429, "insufficient_quota", 13)
    assert "insufficient_quota" in again.message
    assert "secret" not in again.message
    assert still_refused(spent, -1).retry_after_s == 1
