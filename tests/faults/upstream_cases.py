"""The rows U1 to U28 (faults.md 4): what a provider does, and the one answer that it has here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.faults.cases import Case, breaks, onward, served, stops
from tests.faults.checks import waits
from tests.faults.modes import BUFFERED, STREAMED, TALK

SOON = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"


def error(code: str | None, kind: str = "invalid_request_error", param: str | None = None) -> dict[str, Any]:
    return {"message": "Not like this (sandbox).", "type": kind, "param": param, "code": code}


def refusal(status: int, code: str | None, kind: str = "invalid_request_error", param: str | None = None) -> Any:
    return {"status": status, "body": {"error": error(code, kind, param)}}


def waiting(value: str, name: str = "retry-after", status: int = 429) -> Any:
    return {"status": status, "headers": {name: value}}


def event(code: str, after: int = 0, form: str = "plain", kind: str = "server_error") -> Any:
    return {"error_event_after_events": {"events": after, "error": error(code, kind), "form": form}}


LIMITED = "429 rate_limit_exceeded"
BUSY = "503 all_candidates_failed"
LATE = "504 all_candidates_failed"
FAILED = "502 all_candidates_failed"

QUOTAS = [
    Case("U1", f"429 {code}", refusal(429, code, kind), stops(f"429 {code}", f"429 {code}"))
    for code, kind in (
        ("insufficient_quota", "insufficient_quota"),
        ("credit_balance_exhausted", "invalid_request_error"),
        ("project_spend_limit_exceeded", "invalid_request_error"),
    )
]
U1 = [
    Case("U1", "429, Retry-After 1 s", waiting("1"), onward(LIMITED, LIMITED, alone=LIMITED), check=waits(1, 1)),
    Case(
        "U1",
        "429, retry-after-ms 100",
        waiting("100", "retry-after-ms"),
        onward(LIMITED, LIMITED, alone=LIMITED),
        check=waits(1, 1),
    ),
    Case("U1", "429, Retry-After as a date", waiting(SOON), onward(LIMITED, alone=LIMITED), check=waits(3_000, 3_600)),
    Case(
        "U1", "429, Retry-After of a day", waiting("86400"), onward(LIMITED, alone=LIMITED), check=waits(86_000, 86_400)
    ),
    Case("U1", "429, Retry-After 1e99", waiting("1e99"), onward(LIMITED, alone=LIMITED), check=waits(86_000, 86_400)),
    Case("U1", "429, Retry-After in the past", waiting(PAST), onward(LIMITED, LIMITED, alone=LIMITED)),
    Case("U1", "429, Retry-After -5", waiting("-5"), onward(LIMITED, LIMITED, alone=LIMITED)),
    Case("U1", "429, Retry-After of words", waiting("soon, please"), onward(LIMITED, LIMITED, alone=LIMITED)),
    *QUOTAS,
]
U2 = [Case("U2", "429 without a header", {"status": 429}, onward(LIMITED, LIMITED, alone=LIMITED))]
U3 = [
    Case("U3", "500", {"status": 500}, onward("500 server_error", "500 server_error")),
    Case("U3", "502 as HTML", "bad_gateway", onward("502 http_502", "502 http_502")),
    Case("U3", "503", {"status": 503}, onward("503 server_is_overloaded", "503 server_is_overloaded", alone=BUSY)),
    Case("U3", "504", {"status": 504}, onward("504 server_error", "504 server_error")),
    Case("U3", "529", {"status": 529}, onward("529 server_error", "529 server_error", alone=BUSY)),
    Case("U3", "408", {"status": 408}, onward("408 server_error", "408 server_error", alone="408 null")),
    Case("U3", "409", {"status": 409}, onward("409 conflict", "409 conflict", alone="409 conflict")),
]
U4 = [
    Case("U4", "401", {"status": 401}, stops("502 upstream_auth", "401 invalid_api_key")),
    Case(
        "U4",
        "403 for the account",
        refusal(403, "unsupported_country_region_territory"),
        stops("502 upstream_auth", "403 unsupported_country_region_territory"),
    ),
    Case(
        "U4",
        "403 for one model",
        refusal(403, "model_not_found", param="model"),
        onward("403 model_not_found", alone="403 model_not_found"),
    ),
]
U5 = [
    Case("U5", "400 bad value", refusal(400, "invalid_value"), stops("400 invalid_value", "400 invalid_value")),
    Case("U5", "400 without a code", refusal(400, None), stops("400 null", "400 invalid_request_error")),
    Case("U5", "413", refusal(413, None), stops("413 null", "413 invalid_request_error")),
    Case("U5", "422", refusal(422, "bad_shape"), stops("422 bad_shape", "422 bad_shape")),
    Case(
        "U5",
        "400 unsupported parameter",
        refusal(400, "unsupported_parameter", param="seed"),
        onward("400 unsupported_parameter", alone="400 unsupported_parameter"),
    ),
]
U6 = [
    Case("U6", f"400 {code}", refusal(400, code), stops(f"400 {code}", f"400 {code}"))
    for code in ("content_policy_violation", "bio_policy", "image_content_policy_violation")
]
TOO_LONG = "400 context_length_exceeded"
U7 = [
    Case(
        "U7",
        "400 context too long, no larger window behind",
        "context_length",
        stops(TOO_LONG, TOO_LONG),
        modes=TALK,
    ),
    Case(
        "U7",
        "400 context too long, a larger window behind",
        "context_length",
        onward(TOO_LONG, alone=TOO_LONG),
        modes=TALK,
        facts={"max_input": 8_000, "context_window": 8_000},
    ),
]
U8 = [Case("U8", "404 model_not_found", {"status": 404}, onward("404 model_not_found", alone="404 model_not_found"))]
U9 = [
    Case("U9", title, None, onward("- connect_failed", "- connect_failed"), upstream=upstream)
    for title, upstream in (("refused", "refusing"), ("a name that is not in DNS", "nameless"), ("no TLS", "untlsed"))
]
U10 = [
    Case("U10", "accepts and never answers", "no_answer", onward("- timeout_first_byte", alone=LATE)),
    Case("U10", "headers, then nothing", {"first_event_delay_ms": 60_000}, onward("200 stalled", alone=LATE)),
]
U11 = [
    Case("U11", "reset before headers", "reset", onward("- connection_reset", "- connection_reset")),
    Case("U11", "reset after headers", "reset_after_headers", onward("200 body_cut")),
    Case("U11", "reset in the body", {"reset_after_bytes": 40}, onward("200 body_cut"), modes=BUFFERED),
    Case("U11", "reset after output", {"reset_after_events": 9}, breaks("stream_body_cut"), modes=STREAMED),
    Case("U11", "reset before output", {"reset_after_events": 1}, onward("200 body_cut"), modes=STREAMED),
]
SLOWLY = {"bytes": 4, "every_ms": 200}
U12 = [
    Case("U12", "a slow drip after output", {"drip": {**SLOWLY, "after_events": 9}}, breaks("stream_too_slow"),
         modes=STREAMED),
    Case("U12", "a slow drip from the start", {"drip": SLOWLY}, onward("200 too_slow", alone=LATE), modes=BUFFERED),
    Case("U12", "a slow drip from the start", {"drip": SLOWLY}, onward("200 timeout_first_output", alone=LATE),
         modes=STREAMED),
]  # fmt: skip
U13 = [
    Case("U13", "stall after output", {"stall_after_events": 9}, breaks("stream_stalled"), modes=STREAMED),
    Case("U13", "stall before output", {"stall_after_events": 1}, onward("200 stalled", alone=LATE), modes=STREAMED),
    Case("U13", "stall in the body", {"stall_after_bytes": 40}, onward("200 stalled", alone=LATE), modes=BUFFERED),
]
U14 = [
    Case("U14", "clean EOF after output", {"cut_after_events": 9, "clean_end": True}, breaks("stream_truncated"),
         modes=STREAMED),
    Case("U14", "clean EOF before output", {"cut_after_events": 1, "clean_end": True}, onward("200 truncated"),
         modes=STREAMED),
    Case("U14", "connection closed after output", {"cut_after_events": 9}, breaks("stream_body_cut"), modes=STREAMED),
    Case("U14", "connection closed in the body", {"cut_after_bytes": 40}, onward("200 body_cut"), modes=BUFFERED),
]  # fmt: skip
U15 = [Case("U15", "EOF after the end, no [DONE]", "no_done", served(),
            modes=("chat streamed", "responses by chat streamed"))]  # fmt: skip
