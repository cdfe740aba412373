"""What each failure of a provider means: the matrix of openai-facts.md 4a, Retry-After, transport."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import orjson
import pytest
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.upstream.failures import (
    MAX_WAIT_S,
    Failure,
    Step,
    bad_answer,
    classify,
    error_object,
    in_band,
    retry_after,
    transport_failure,
)

RETRY, NEXT, STOP = Step.RETRY, Step.NEXT, Step.STOP
BAD = "invalid_request_error"

# Status, type, code, param, what follows, whether it is a fault of our account there.
MATRIX = [
    (400, BAD, "context_length_exceeded", "messages", STOP, False),
    (400, BAD, "unsupported_parameter", "max_tokens", NEXT, False),
    (400, BAD, "unsupported_value", "temperature", NEXT, False),
    (400, BAD, "unsupported_value", "stream", NEXT, False),
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
    (404, BAD, None, "model", NEXT, False),
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
    (502, None, None, None, RETRY, False),
    (503, "service_unavailable_error", "server_is_overloaded", None, RETRY, False),
    (504, None, None, None, RETRY, False),
    (529, "overloaded_error", None, None, RETRY, False),
    (300, None, None, None, NEXT, False),
    (301, None, None, None, NEXT, False),
    (302, None, None, None, NEXT, False),
    (307, None, None, None, NEXT, False),
    (308, None, None, None, NEXT, False),
]


@pytest.mark.parametrize(("status", "kind", "code", "param", "step", "account"), MATRIX)
def test_classify__each_row_of_the_matrix__takes_its_step(
    status: int, kind: str | None, code: str | None, param: str | None, step: Step, account: bool
) -> None:
    body = orjson.dumps({"error": {"message": "words", "type": kind, "param": param, "code": code}})
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
    assert found.retry_after_s is None or 0 <= found.retry_after_s <= MAX_WAIT_S


@pytest.mark.parametrize(
    ("error", "step", "status"),
    [
        ({"code": "rate_limit_exceeded"}, NEXT, None),
        ({"code": "server_error", "type": "server_error"}, NEXT, None),
        ({"code": "model_not_found", "type": BAD}, NEXT, 400),
        ({"type": BAD, "param": "model"}, NEXT, 400),
        ({"code": "unsupported_value", "type": BAD}, NEXT, 400),
        ({"message": "something broke"}, NEXT, None),
        ({}, NEXT, None),
        ({"code": 500}, NEXT, None),
        ({"code": "insufficient_quota"}, STOP, None),
        ({"type": "insufficient_quota"}, STOP, None),
        ({"code": "project_spend_limit_exceeded", "type": "requests"}, STOP, None),
        ({"type": BAD}, STOP, 400),
        ({"type": BAD, "code": "context_length_exceeded"}, STOP, 400),
        ({"code": "context_length_exceeded"}, STOP, 400),
        ({"code": "invalid_prompt"}, STOP, 400),
        ({"code": "invalid_image_format"}, STOP, 400),
        ({"code": "image_too_large"}, STOP, 400),
        ({"code": "content_policy_violation"}, STOP, 400),
        ({"code": "image_content_policy_violation"}, STOP, 400),
        ({"code": "bio_policy", "type": "server_error"}, STOP, 400),
        ({"code": "misalignment_block"}, STOP, 400),
        ({"code": "content_filter"}, STOP, 400),
    ],
)
def test_in_band__error_inside_a_200__takes_its_step_by_code(
    error: dict[str, object], step: Step, status: int | None
) -> None:
    found = in_band(error)
    assert (found.step, found.status) == (step, status)
    assert found.code == (error["code"] if isinstance(error.get("code"), str) else "in_band_error")
    assert found.type == error.get("type", "in_band_error")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "-1", "retry-after": "9"}, 9.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "86400"}, 86_400.0),
        ({"retry-after": "86401"}, MAX_WAIT_S),
        ({"retry-after": "1e300"}, MAX_WAIT_S),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after-ms": "1e300"}, MAX_WAIT_S),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, MAX_WAIT_S),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2300"}, MAX_WAIT_S),
        ({"retry-after": "Sat, 01 Jan 0001 00:00:00 +2300"}, 0.0),
        ({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999"}, None),
        ({"retry-after": "12 34"}, None),
    ],
)
def test_retry_after__each_form__is_seconds_or_nothing(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after__date_ahead__is_the_time_until_then() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    for text in (format_datetime(moment, usegmt=True), format_datetime(moment)):
        found = retry_after({"retry-after": text})
        assert found is not None
        assert 80 < found <= 90


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


def test_bad_answer__is_the_providers_fault_and_moves_on() -> None:
    found = bad_answer("truncated", 200)
    assert (found.step, found.type, found.code, found.status) == (NEXT, "bad_answer", "truncated", 200)
    assert (found.account, found.timeout, found.retry_after_s, found.message) == (False, False, None, "")


def test_error_object__of_a_good_body__is_its_error() -> None:
    assert error_object(b'{"error": {"code": "x"}}') == {"code": "x"}
