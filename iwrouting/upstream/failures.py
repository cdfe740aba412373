"""What a provider's failure means: try again, adapt, go on, or stop (openai-facts.md 4a, design.md 5). Pure.

By status first, then by type, code and parameter; by text never. docs/calls.md shows the table.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import aiohttp
import orjson

from iwrouting.conf.redact import redact, word
from iwrouting.upstream.mending import OPTIONAL
from iwrouting.upstream.pace import TimedOut
from iwrouting.upstream.waiting import retry_after

MAX_MESSAGE, MAX_WORD = 2_000, 64
READ_TEXT = 10_000

BAD_ANSWER = "bad_answer"
"""The type of a failure that no provider names: a 200 that is no answer."""

CONNECTION_ERROR = "connection_error"
"""The type of a failure to connect, or of a connection that broke before any answer."""

CONTEXT_CODE = "context_length_exceeded"
DEADLINE_CODE = "deadline"
REDIRECT_CODE = "redirect_refused"
SLOW_DOWN = "slow_down"
LIMIT_CODES = frozenset({"rate_limit_exceeded", SLOW_DOWN})
QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    }
)
KEY_CODES = frozenset({"invalid_api_key", "account_deactivated"})
PARAMETER_CODES = frozenset({"unsupported_parameter", "unsupported_value"})
MODEL_CODES = frozenset({"model_not_found", "model_access_denied"})
RETRY_STATUSES = frozenset({408, 409, 429})
RETRY_CODES = LIMIT_CODES | {"server_error", "server_is_overloaded", "vector_store_timeout"}
"""Codes and types of passing faults, where an error comes without a status."""

POLICY_CODE = re.compile(r"policy|misalignment|content_filter|moderation_blocked")
"""Codes and types of refusals by policy: another model must not be a way round one, whatever the status."""

CALLER_CODE = re.compile(r"invalid_|image_|unsupported_image_|empty_image_|failed_to_download_image")
"""Codes that blame the request, where an error comes without a status."""


class Step(Enum):
    """What follows a failed try."""

    RETRY = "retry"
    ADAPT = "adapt"
    NEXT = "next"
    LARGER = "larger"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed try. `message` is the provider's text: for the caller alone, never stored.

    RETRY allows one more try at the same rung, ADAPT one without what `param` names, and then the next rung; LARGER
    leads only to a model with a larger input window. `account` marks a fault of our own account there.
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

    @property
    def quota(self) -> bool:
        """Whether our account's means there are spent: no model of it can serve."""
        return _quota(self.type, self.code)

    @property
    def model_gone(self) -> bool:
        """Whether the provider does not have this model, or not for us."""
        return self.code in MODEL_CODES and not self.account


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """The meaning of an answer that is no success."""
    error = error_object(body)
    kind, code, param = _words(error)
    return Failure(
        step=_step(status, kind, code, param),
        type=kind or f"http_{status}",
        code=code or (REDIRECT_CODE if 300 <= status < 400 else ""),
        param=param,
        status=status,
        message=_text(error.get("message")),
        retry_after_s=retry_after(headers),
        account=status == 401 or (status == 403 and not (_about_model(code, param) or _policy(kind, code))),
    )


def in_band(error: Mapping[str, object]) -> Failure:
    """The meaning of an error object inside a 200: by its codes alone; without any it is the provider's fault.

    `status` is the one that the same error has where it comes with one.
    """
    kind, code, param = _words(error)
    if code in KEY_CODES:
        return Failure(Step.STOP, kind or "in_band_error", code, param, 401, account=True)
    step = _step_in_band(kind, code, param)
    status = None
    if _quota(kind, code) or code in LIMIT_CODES:
        status = 429
    elif step in (Step.STOP, Step.LARGER) or kind == "invalid_request_error":
        status = 400
    message = _text(error.get("message"))
    return Failure(step, kind or "in_band_error", code or "in_band_error", param, status, message)


def transport_failure(error: BaseException) -> Failure:
    """The meaning of a connection that failed or went silent. A timed-out call may still run, so it is not repeated."""
    if isinstance(error, TimedOut):
        return Failure(Step.NEXT, "timeout_error", error.code, timeout=True)
    if isinstance(error, asyncio.TimeoutError | aiohttp.ServerTimeoutError):
        connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
        code = "connect_timeout" if connecting else "timeout"
        return Failure(Step.RETRY if connecting else Step.NEXT, "timeout_error", code, timeout=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(Step.RETRY, CONNECTION_ERROR, "connect_failed")
    if isinstance(error, aiohttp.ClientResponseError):
        # It did answer, with what is no HTTP, or with a head that is too large: it may have worked for it.
        return bad_answer("bad_http")
    return Failure(Step.RETRY, CONNECTION_ERROR, "connection_reset")


def out_of_time() -> Failure:
    """The meaning of a try that the call's own deadline cut: nothing is known of the provider."""
    return Failure(Step.NEXT, "timeout_error", DEADLINE_CODE, timeout=True)


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


def _step(status: int, kind: str, code: str, param: str) -> Step:
    if _policy(kind, code) or (status == 429 and _quota(kind, code)):
        return Step.STOP
    if status in RETRY_STATUSES or status >= 500:
        return Step.RETRY
    if status == 400:
        return _step_400(code, param)
    if status == 404 and param == "model" and not code:
        # Not this model, but this endpoint: a fault of the catalogue (openai-facts.md 0.2).
        return Step.ADAPT
    if status in (403, 404) and _about_model(code, param):
        return Step.NEXT
    # A redirect, or a success that is no answer: 202 and 204 carry none.
    return Step.NEXT if status < 400 else Step.STOP


def _step_400(code: str, param: str) -> Step:
    if code == CONTEXT_CODE:
        return Step.LARGER
    if code in PARAMETER_CODES:
        return Step.ADAPT if param else Step.NEXT
    # Some refusals of what a model can't take come without a code; those of bad values have one.
    return Step.ADAPT if not code and param in OPTIONAL else Step.STOP


def _step_in_band(kind: str, code: str, param: str) -> Step:
    if _policy(kind, code) or _quota(kind, code):
        return Step.STOP
    if code == CONTEXT_CODE or code in PARAMETER_CODES:
        return _step_400(code, param)
    if _about_model(code, param):
        return Step.NEXT
    if CALLER_CODE.match(code) or kind == "invalid_request_error":
        return Step.STOP
    return Step.RETRY if code in RETRY_CODES or kind in RETRY_CODES else Step.NEXT


def _policy(kind: str, code: str) -> bool:
    return POLICY_CODE.search(f"{kind} {code}") is not None


def _quota(kind: str, code: str) -> bool:
    return code in QUOTA_CODES or kind in QUOTA_CODES


def _about_model(code: str, param: str) -> bool:
    return code in MODEL_CODES or param == "model"


def _words(error: Mapping[str, object]) -> Iterator[str]:
    """Type, code and param, which are stored: words alone, because other text may quote the prompt (G6)."""
    # Masked before it is cut: half a secret would no longer be known as one.
    given = (error.get(name) for name in ("type", "code", "param"))
    return (word(value[:READ_TEXT])[:MAX_WORD] if isinstance(value, str) else "" for value in given)


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    # Half a surrogate pair can't be sent.
    return redact(value[:READ_TEXT])[:MAX_MESSAGE].encode("utf-8", "replace").decode()
