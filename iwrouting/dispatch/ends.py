"""What the caller is told when no rung answered (openai-facts.md 4a, ux.md 3)."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from iwrouting.conf.redact import redact
from iwrouting.dispatch.job import Job
from iwrouting.errors import AllCandidatesFailed, RoutingError, UpstreamAuth, UpstreamFailed
from iwrouting.types import AttemptRecord, Rung, Skip
from iwrouting.upstream import Failure
from iwrouting.upstream.failures import Step

OVERLOADED = (429, 503, 529)


def stopped(job: Job, rung: Rung, failure: Failure) -> RoutingError:
    """The error for a failure that no other rung may mend."""
    if failure.account:
        return UpstreamAuth(_account_message(job, rung, failure), should_retry=False)
    return passed_through(failure)


def still_refused(failure: Failure, wait_s: float) -> Failure:
    """An account's refusal told again without asking, because its breaker is open (openai-facts.md 4a, quota)."""
    seconds = max(1, math.ceil(wait_s))
    text = f"Our account there was refused ({failure.code or failure.status}); it is tried again in {seconds} s."
    return replace(failure, message=text, retry_after_s=seconds)


def passed_through(failure: Failure) -> RoutingError:
    """The provider's own refusal, with its status and codes, and its text without secrets."""
    error = UpstreamFailed(
        redact(failure.message) or f"The provider refused the request ({failure.code or failure.type}).",
        status=failure.status or 502,
        type=failure.type,
        param=failure.param or None,
        retry_after_s=_ceil(failure.retry_after_s),
        should_retry=False,
    )
    error.code = failure.code or None
    return error


def exhausted(job: Job) -> RoutingError:
    """The error when every rung failed or was passed over.

    A named model has no chain: the provider's own 4xx says more than a list of one. So does the field that kept
    every rung from being tried, where no breaker held one, and the refusal of a request that is too long for every
    rung that was left.
    """
    last = job.failures[-1] if job.failures else None
    if last is not None and last.step is Step.LARGER:
        return passed_through(last)
    held = any(attempt.skip_reason == Skip.BREAKER_OPEN for attempt in job.attempts)
    alone = job.candidates == 1 or (job.calls == 0 and not held)
    if last is not None and alone and last.status is not None and 400 <= last.status < 500:
        return passed_through(last)
    return AllCandidatesFailed(
        f"All candidates failed: {_summary(job)}. The attempts stand in `details` and in the audit.",
        status=503 if job.calls == 0 and held else _status(last),
        retry_after_s=remaining_wait(job.waits, time.monotonic()),
        should_retry=False,
        details=[safe_attempt(attempt) for attempt in job.attempts],
    )


def safe_attempt(attempt: AttemptRecord) -> dict[str, Any]:
    """An attempt as a caller may see it."""
    shown = {"seq": attempt.seq, "kind": attempt.kind, "rung": attempt.rung, "model": attempt.model}
    if attempt.kind == "skip":
        blamed = {"param": attempt.error_param} if attempt.error_param else {}
        code = {"code": attempt.error_code} if attempt.skip_reason == Skip.BREAKER_OPEN else {}
        return {**shown, "skip": attempt.skip_reason, **blamed, **code}
    return {
        **shown,
        "status": attempt.status,
        "type": attempt.error_type or None,
        "code": attempt.error_code or None,
        "ms": None if attempt.end_us is None else round(attempt.end_us / 1000),
    }


def remaining_wait(waits: list[float], now: float) -> int | None:
    """Whole seconds until the first of the moments up to which providers asked to wait, at least 1; None for none."""
    return max(1, math.ceil(min(waits) - now)) if waits else None


def _status(last: Failure | None) -> int:
    if last is None:
        return 503
    if last.timeout:
        return 504
    return 503 if last.status in OVERLOADED else 502


def _summary(job: Job) -> str:
    parts = []
    for attempt in job.attempts:
        why = attempt.skip_reason or attempt.error_code or attempt.error_type or str(attempt.status)
        parts.append(f"{attempt.model} ({why})")
    return ", ".join(dict.fromkeys(parts)) or "no time was left to try one"


def _account_message(job: Job, rung: Rung, failure: Failure) -> str:
    if failure.code == "upstream_secret_missing":
        return f"The upstream '{rung.upstream}' has no key: an operator must set {failure.message}."
    if failure.code == "address_refused":
        return f"The address of upstream '{rung.upstream}' is private or local: an operator must change its base URL."
    reference = job.config.upstreams[rung.upstream].secret_ref
    return (
        f"The upstream '{rung.upstream}' does not accept our account's key ({failure.status}): "
        f"an operator must check {reference}."
    )


def _ceil(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds)
