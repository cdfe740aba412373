"""Whose health a failure speaks of, for the breakers (design.md 5). Pure.

What blames the caller or nobody counts for no breaker: refused requests, clients that left, deadlines that a caller
made short, streams that were whole but for our own limit of their length, conflicts.
"""

from __future__ import annotations

from enum import Enum

from iwrouting.upstream.failures import DEADLINE_CODE, Failure, Step
from iwrouting.upstream.pace import TOO_LONG

LIMITS = (408, 429)


class Blame(Enum):
    """What a failure is held against."""

    NOBODY = "nobody"
    MODEL = "model"
    MODEL_GONE = "model_gone"
    ACCOUNT = "account"
    QUOTA = "quota"


def blame(failure: Failure, *, hurried: bool = False) -> Blame:
    """Whom a failure is held against; `hurried`: the caller's own header set the deadline."""
    if failure.quota:
        return Blame.QUOTA
    if failure.account:
        return Blame.ACCOUNT if failure.status == 401 or _forbidden(failure) else Blame.NOBODY
    if failure.model_gone:
        return Blame.MODEL_GONE
    if failure.code == TOO_LONG or (hurried and failure.code == DEADLINE_CODE):
        return Blame.NOBODY
    of_provider = failure.status is None or failure.status < 400 or failure.status >= 500 or failure.status in LIMITS
    return Blame.MODEL if of_provider and failure.step in (Step.RETRY, Step.NEXT) else Blame.NOBODY


def _forbidden(failure: Failure) -> bool:
    """Whether a 403 comes with the provider's own error; another, such as a firewall's page, may mean this request."""
    return failure.status == 403 and bool(failure.code or failure.param or failure.type != "http_403")
