"""What a provider's failure means: try again, go on to the next rung, or stop (openai-facts.md 4a, design.md 5).

By status first, then by code; by text never.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import aiohttp
import orjson

from iwrouting.conf.redact import redact

MAX_MESSAGE = 2_000
READ_TEXT = 10_000
MAX_WAIT_S = 86_400.0
"""A longer Retry-After counts as a day: no call waits for either, and any number must fit the audit."""

BAD_ANSWER = "bad_answer"
"""The type of a failure that no provider names: a 200 that is no answer."""

QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    }
)
PARAMETER_CODES = frozenset({"unsupported_parameter", "unsupported_value"})
MODEL_CODES = frozenset({"model_not_found", "model_access_denied"})
RETRY_STATUSES = frozenset({408, 409, 429})

POLICY_CODE = re.compile(r"policy|misalignment|content_filter")
"""Refusals by policy: another model must not be a way round one, whatever the status."""

CALLER_CODE = re.compile(r"invalid_|image_|context_length_exceeded")
"""Codes that blame the request, where an error comes without a status."""


class Step(Enum):
    """What follows a failed try."""

    RETRY = "retry"
    NEXT = "next"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed try. `message` is the provider's text: for the caller alone, never stored.

    RETRY allows one more try at the same rung, then the next. `account` marks a fault of our own account there.
    """

    step: Step
    type: str
    code: str = ""
    param: str = ""
    status: int | None = None
    message: str = ""
    retry_after_s: float | None = None
    account: bool = False
    timeout: bool = False


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """The meaning of an answer that is no success."""
    error = error_object(body)
    kind, code, param = (_text(error.get(name)) for name in ("type", "code", "param"))
    failure = Failure(
        step=_step(status, kind, code, param),
        type=kind or f"http_{status}",
        code=code,
        param=param,
        status=status,
        message=_text(error.get("message"), MAX_MESSAGE),
        retry_after_s=retry_after(headers),
        account=status == 401 or (status == 403 and not (_about_model(code, param) or POLICY_CODE.search(code))),
    )
    return failure


def in_band(error: Mapping[str, object]) -> Failure:
    """The meaning of an error object inside a 200: by its codes alone; without any it is the provider's fault."""
    kind, code, param = (_text(error.get(name)) for name in ("type", "code", "param"))
    blamed = bool(CALLER_CODE.match(code)) or (kind == "invalid_request_error" and code not in PARAMETER_CODES)
    of_caller = (blamed and not _about_model(code, param)) or bool(POLICY_CODE.search(code))
    step = Step.STOP if of_caller or _quota(kind, code) else Step.NEXT
    status = 400 if of_caller or kind == "invalid_request_error" else None
    message = _text(error.get("message"), MAX_MESSAGE)
    return Failure(step, kind or "in_band_error", code or "in_band_error", param, status, message)


def transport_failure(error: BaseException) -> Failure:
    """The meaning of a connection that failed or went silent. A timed-out call may still run, so it is not repeated."""
    if isinstance(error, asyncio.TimeoutError | aiohttp.ServerTimeoutError):
        connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
        code = "connect_timeout" if connecting else "timeout"
        return Failure(Step.RETRY if connecting else Step.NEXT, "timeout_error", code, timeout=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(Step.RETRY, "connection_error", "connect_failed")
    return Failure(Step.RETRY, "connection_error", "connection_reset")


def bad_answer(code: str, status: int | None = None) -> Failure:
    """A 200 that is no answer: wrong content type, no JSON, cut short, too large."""
    return Failure(Step.NEXT, BAD_ANSWER, code, status=status)


def error_object(body: bytes) -> Mapping[str, object]:
    """The `error` object of a body, or an empty one."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    error = parsed.get("error") if isinstance(parsed, dict) else None
    return error if isinstance(error, dict) else {}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or `retry-after` as seconds or a date; None without a sensible one."""
    milliseconds = _number(headers.get("retry-after-ms"))
    value = headers.get("retry-after")
    seconds = _number(value) if milliseconds is None else milliseconds / 1000
    seconds = _until(value) if seconds is None else seconds
    return None if seconds is None else min(seconds, MAX_WAIT_S)


def _step(status: int, kind: str, code: str, param: str) -> Step:
    if POLICY_CODE.search(code) or (status == 429 and _quota(kind, code)):
        return Step.STOP
    if status in RETRY_STATUSES or status >= 500:
        return Step.RETRY
    if status in (403, 404) and _about_model(code, param):
        return Step.NEXT
    if status == 400 and code in PARAMETER_CODES:
        return Step.NEXT
    # A redirect, or a success that is no answer: 202 and 204 carry none.
    return Step.NEXT if status < 400 else Step.STOP


def _quota(kind: str, code: str) -> bool:
    return code in QUOTA_CODES or kind in QUOTA_CODES


def _about_model(code: str, param: str) -> bool:
    return code in MODEL_CODES or param == "model"


def _text(value: object, limit: int = 64) -> str:
    # Masked before it is cut: half a secret would no longer be known as one.
    return redact(value[:READ_TEXT])[:limit] if isinstance(value, str) else ""


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _until(value: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (ValueError, OverflowError):
        return None
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
