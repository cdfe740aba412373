"""What each failure of a provider means: the matrix of openai-facts.md 4a, and transport."""

from __future__ import annotations

from typing import cast

import aiohttp
import orjson
import pytest
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.upstream.failures import (
    Failure,
    Step,
    bad_answer,
    classify,
    error_object,
    in_band,
    out_of_time,
    transport_failure,
)
from iwrouting.upstream.pace import TimedOut
from iwrouting.upstream.waiting import MAX_WAIT_S

NO_HTTP = aiohttp.ClientResponseError(cast(aiohttp.RequestInfo, None), (), status=400)
RETRY, ADAPT, NEXT, LARGER, STOP = Step.RETRY, Step.ADAPT, Step.NEXT, Step.LARGER, Step.STOP
BAD = "invalid_request_error"
REDIRECT = "redirect_refused"
"""Our own code: a provider that sends elsewhere names none."""

# Status, type, code, param, what follows, whether it is a fault of our account there.
MATRIX = [
    (400, BAD, "context_length_exceeded", "messages", LARGER, False),
    (400, BAD, "context_length_exceeded", "input", LARGER, False),
    (400, BAD, "unsupported_parameter", "max_tokens", ADAPT, False),
    (400, BAD, "unsupported_parameter", None, NEXT, False),
    (400, BAD, "unsupported_value", "temperature", ADAPT, False),
    (400, BAD, "unsupported_value", "stream", ADAPT, False),
    (400, BAD, None, "temperature", ADAPT, False),
    (400, BAD, None, "top_p", ADAPT, False),
    (400, BAD, None, "reasoning_effort", ADAPT, False),
    (400, BAD, None, "tools", STOP, False),
    (400, BAD, None, "messages", STOP, False),
    (400, BAD, "invalid_value", "temperature", STOP, False),
    (400, BAD, "invalid_function_parameters", "tools[0].function.parameters", STOP, False),
    (400, BAD, "integer_above_max_value", "max_tokens", STOP, False),
    (400, BAD, "invalid_prompt", None, STOP, False),
    (400, BAD, "invalid_value", "messages[0].role", STOP, False),
    (400, BAD, "image_parse_error", None, STOP, False),
    (400, BAD, None, None, STOP, False),
    (400, BAD, None, "model", STOP, False),
    (400, BAD, "content_policy_violation", None, STOP, False),
    (400, "image_generation_user_error", "image_content_policy_violation", None, STOP, False),
    (400, BAD, "bio_policy", None, STOP, False),
    (401, BAD, "invalid_api_key", None, STOP, True),
    (401, BAD, None, None, STOP, True),
    (401, BAD, "model_not_found", "model", STOP, True),
    (402, "billing_error", "payment_required", None, STOP, False),
    (403, "request_forbidden", "unsupported_country_region_territory", None, STOP, True),
    (403, BAD, None, None, STOP, True),
    (403, BAD, "content_policy_violation", None, STOP, False),
    (403, BAD, "model_not_found", None, NEXT, False),
    (403, BAD, "model_access_denied", None, NEXT, False),
    (403, BAD, None, "model", NEXT, False),
    (404, BAD, "model_not_found", "model", NEXT, False),
    (404, BAD, "model_not_found", None, NEXT, False),
    (404, BAD, None, "model", ADAPT, False),
    (404, BAD, None, None, STOP, False),
    (405, BAD, None, None, STOP, False),
    (408, "timeout", None, None, RETRY, False),
    (409, "conflict", "lock_timeout", None, RETRY, False),
    (413, BAD, "request_too_large", None, STOP, False),
    (415, BAD, None, None, STOP, False),
    (422, BAD, None, None, STOP, False),
    (429, "requests", "rate_limit_exceeded", None, RETRY, False),
    (429, "tokens", "rate_limit_exceeded", None, RETRY, False),
    (429, "rate_limit_error", "slow_down", None, RETRY, False),
    (429, None, None, None, RETRY, False),
    (429, "slow_down", "slow_down", None, RETRY, False),
    (429, "insufficient_quota", "insufficient_quota", None, STOP, False),
    (429, "insufficient_quota", None, None, STOP, False),
    (429, "requests", "insufficient_quota", None, STOP, False),
    (429, "requests", "credit_balance_exhausted", None, STOP, False),
    (429, "requests", "organization_spend_limit_exceeded", None, STOP, False),
    (429, "requests", "project_spend_limit_exceeded", None, STOP, False),
    (429, "requests", "organization_usage_limit_exceeded", None, STOP, False),
    (500, "server_error", None, None, RETRY, False),
    (500, "server_error", "content_policy_violation", None, STOP, False),
    (404, BAD, "bio_policy", "model", STOP, False),
    (403, "content_policy_violation", None, None, STOP, False),
    (500, "content_policy_violation", None, None, STOP, False),
    (503, "server_error", "moderation_blocked", None, STOP, False),
    (501, None, None, None, RETRY, False),
    (502, None, None, None, RETRY, False),
    (503, "service_unavailable_error", "server_is_overloaded", None, RETRY, False),
    (504, None, None, None, RETRY, False),
    (529, "overloaded_error", None, None, RETRY, False),
    (300, None, REDIRECT, None, NEXT, False),
    (301, None, REDIRECT, None, NEXT, False),
    (302, None, REDIRECT, None, NEXT, False),
    (307, None, REDIRECT, None, NEXT, False),
    (308, None, REDIRECT, None, NEXT, False),
    (101, None, None, None, NEXT, False),
    (202, None, None, None, NEXT, False),
    (204, None, None, None, NEXT, False),
    (206, None, None, None, NEXT, False),
]


@pytest.mark.parametrize(("status", "kind", "code", "param", "step", "account"), MATRIX)
def test_classify__each_row_of_the_matrix__takes_its_step(
    status: int, kind: str | None, code: str | None, param: str | None, step: Step, account: bool
) -> None:
    sent = None if code is REDIRECT else code
    body = orjson.dumps({"error": {"message": "words", "type": kind, "param": param, "code": sent}})
    assert classify(status, {"retry-after": "3"}, body) == Failure(
        step=step,
        type=kind or f"http_{status}",
        code=code or "",
        param=param or "",
        status=status,
        message="words",
        retry_after_s=3.0,
        account=account,
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>model_not_found</html>",
        b"[]",
        b"null",
        b'"model_not_found"',
        b'{"error": "model_not_found"}',
        b'{"error": null}',
        b'{"error": ["model_not_found"]}',
        b'{"code": "model_not_found"}',
        b'{"error": {"message": "model_not_found does not exist", "code": 404}}',
        b'{"error": {"code": {"a": "model_not_found"}}}',
        b"\xff\xfe",
        b"{" * 100_000,
    ],
)
def test_classify__body_without_a_code__is_judged_by_status_and_never_by_text(body: bytes) -> None:
    assert [classify(status, {}, body).step for status in (404, 403, 400, 429, 503)] == [STOP, STOP, STOP, RETRY, RETRY]
    assert classify(404, {}, body).type == "http_404"


def test_classify__long_texts__are_cut() -> None:
    error = {"message": "m" * 9_999, "type": "t" * 999, "code": "c" * 999, "param": "p" * 999}
    found = classify(400, {}, orjson.dumps({"error": error}))
    assert [len(text) for text in (found.message, found.type, found.code, found.param)] == [2_000, 64, 64, 64]


@given(
    st.integers(100, 599),
    st.binary(max_size=40),
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text(max_size=20)),
)
def test_classify__any_answer__has_a_meaning(status: int, body: bytes, headers: dict[str, str]) -> None:
    found = classify(status, headers, body)
    assert found.step is not RETRY or status in (408, 409, 429) or status >= 500
    assert found.step is not LARGER or (status, found.code) == (400, "context_length_exceeded")
    assert found.retry_after_s is None or 0 <= found.retry_after_s <= MAX_WAIT_S


@pytest.mark.parametrize(
    ("error", "step", "status"),
    [
        ({"code": "rate_limit_exceeded"}, RETRY, 429),
        ({"code": "slow_down"}, RETRY, 429),
        ({"code": "server_error", "type": "server_error"}, RETRY, None),
        ({"type": "server_error"}, RETRY, None),
        ({"code": "server_is_overloaded"}, RETRY, None),
        ({"code": "model_not_found", "type": BAD}, NEXT, 400),
        ({"type": BAD, "param": "model"}, NEXT, 400),
        ({"code": "unsupported_value", "type": BAD}, NEXT, 400),
        ({"code": "unsupported_value", "type": BAD, "param": "temperature"}, ADAPT, 400),
        ({"message": "something broke"}, NEXT, None),
        ({}, NEXT, None),
        ({"code": 500}, NEXT, None),
        ({"code": "insufficient_quota"}, STOP, 429),
        ({"type": "insufficient_quota"}, STOP, 429),
        ({"code": "project_spend_limit_exceeded", "type": "requests"}, STOP, 429),
        ({"type": BAD}, STOP, 400),
        ({"type": BAD, "code": "context_length_exceeded"}, LARGER, 400),
        ({"code": "context_length_exceeded"}, LARGER, 400),
        ({"code": "invalid_prompt"}, STOP, 400),
        ({"code": "invalid_image_format"}, STOP, 400),
        ({"code": "image_too_large"}, STOP, 400),
        ({"code": "content_policy_violation"}, STOP, 400),
        ({"code": "image_content_policy_violation"}, STOP, 400),
        ({"code": "bio_policy", "type": "server_error"}, STOP, 400),
        ({"code": "misalignment_block"}, STOP, 400),
        ({"code": "content_filter"}, STOP, 400),
        ({"type": "content_policy_violation"}, STOP, 400),
        ({"type": "server_error", "code": "moderation_blocked"}, STOP, 400),
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, STOP, 401),
    ],
)
def test_in_band__error_inside_a_200__takes_its_step_by_code(
    error: dict[str, object], step: Step, status: int | None
) -> None:
    found = in_band(error)
    assert (found.step, found.status) == (step, status)
    assert found.code == (error["code"] if isinstance(error.get("code"), str) else "in_band_error")
    assert found.type == error.get("type", "in_band_error")


def test_in_band__refused_key__is_the_accounts_fault_and_not_the_callers() -> None:
    assert in_band({"code": "invalid_api_key", "message": "Incorrect API key"}).account
    assert not in_band({"code": "invalid_prompt", "message": "No"}).account


KEY = ConnectionKey("provider.example", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), Failure(NEXT, "timeout_error", "timeout", timeout=True)),
        (aiohttp.ServerTimeoutError(), Failure(NEXT, "timeout_error", "timeout", timeout=True)),
        (aiohttp.SocketTimeoutError(), Failure(NEXT, "timeout_error", "timeout", timeout=True)),
        (aiohttp.ConnectionTimeoutError(), Failure(RETRY, "timeout_error", "connect_timeout", timeout=True)),
        (
            aiohttp.ClientConnectorError(KEY, OSError(111, "refused")),
            Failure(RETRY, "connection_error", "connect_failed"),
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "name")),
            Failure(RETRY, "connection_error", "connect_failed"),
        ),
        (NO_HTTP, Failure(NEXT, "bad_answer", "bad_http")),
        (TimedOut("stalled"), Failure(NEXT, "timeout_error", "stalled", timeout=True)),
        (aiohttp.ServerDisconnectedError(), Failure(RETRY, "connection_error", "connection_reset")),
        (aiohttp.ClientOSError(104, "reset"), Failure(RETRY, "connection_error", "connection_reset")),
        (aiohttp.ClientPayloadError(), Failure(RETRY, "connection_error", "connection_reset")),
        (ConnectionResetError(), Failure(RETRY, "connection_error", "connection_reset")),
    ],
)
def test_transport_failure__no_connection_or_a_lost_one__is_tried_again_and_silence_is_not(
    error: Exception, expected: Failure
) -> None:
    assert transport_failure(error) == expected


@pytest.mark.parametrize(
    ("failure", "gone", "quota"),
    [
        (classify(404, {}, b'{"error": {"code": "model_not_found", "param": "model"}}'), True, False),
        (classify(403, {}, b'{"error": {"code": "model_access_denied"}}'), True, False),
        (in_band({"code": "model_not_found"}), True, False),
        (classify(401, {}, b'{"error": {"code": "model_not_found"}}'), False, False),
        (classify(404, {}, b'{"error": {"param": "model"}}'), False, False),
        (classify(429, {}, b'{"error": {"code": "insufficient_quota"}}'), False, True),
        (in_band({"code": "credit_balance_exhausted"}), False, True),
        (classify(429, {}, b'{"error": {"code": "rate_limit_exceeded"}}'), False, False),
        (out_of_time(), False, False),
    ],
)
def test_failure__says_whether_the_model_is_gone_or_the_account_spent(
    failure: Failure, gone: bool, quota: bool
) -> None:
    assert (failure.model_gone, failure.quota) == (gone, quota)


def test_out_of_time__says_nothing_of_the_provider_and_moves_on() -> None:
    assert out_of_time() == Failure(NEXT, "timeout_error", "deadline", timeout=True)


def test_bad_answer__is_the_providers_fault_and_moves_on() -> None:
    found = bad_answer("truncated", 200)
    assert (found.step, found.type, found.code, found.status) == (NEXT, "bad_answer", "truncated", 200)
    assert (found.account, found.timeout, found.retry_after_s, found.message) == (False, False, None, "")


def test_error_object__of_a_good_body__is_its_error() -> None:
    assert error_object(b'{"error": {"code": "x"}}') == {"code": "x"}
