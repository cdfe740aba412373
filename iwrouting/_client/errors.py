"""What the client raises beside the SDK's own exceptions.

openai.OpenAIError
├── RouterNotConfigured         IW_BASE_URL or IW_API_KEY is missing or malformed
├── MixedEmbeddings             the embedding model changed while one list of texts was being embedded
└── openai.APIConnectionError
    └── RouterUnavailable       the service did not answer, or could not decide
"""

from __future__ import annotations

import httpx2
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

UNAVAILABLE_STATUS = frozenset({502, 503, 504})


class RouterNotConfigured(OpenAIError):
    """A setting is missing or malformed; the message is one line, `NAME: reason`, without the value."""


class MixedEmbeddings(OpenAIError):
    """Two requests of one `embed_texts_batched` were served by different models: their vectors can't be compared."""


class RouterUnavailable(APIConnectionError):
    """The service did not answer, or answered 502, 503 or 504 without having made a decision.

    No provider was called instead. `reason` says what happened; `__cause__` is the SDK's own exception, if any.
    """

    def __init__(self, root: str, reason: str, request: httpx2.Request) -> None:
        next_step = f"Check that the service runs there (GET {root}/healthz) and that IW_BASE_URL is right."
        super().__init__(message=f"iwrouting is unavailable at {root}: {reason}. {next_step}", request=request)
        self.reason = reason


def unavailable(root: str, error: BaseException) -> RouterUnavailable | None:
    """The SDK's exception as RouterUnavailable, or None where the service did answer.

    A decision's id on a 502, 503 or 504 proves that the service worked: such an error is the call's own.
    """
    if isinstance(error, RouterUnavailable):
        return None
    if isinstance(error, APITimeoutError):
        reason = (
            "no answer in time; a call may have been made all the same, so look in its decisions before repeating it"
        )
        return RouterUnavailable(root, reason, error.request)
    if isinstance(error, APIConnectionError):
        return RouterUnavailable(root, f"connection failed: {error.__cause__ or error.message}", error.request)
    if isinstance(error, APIStatusError) and _without_decision(error):
        code = f" {error.code}" if error.code else ""
        return RouterUnavailable(root, f"answered {error.status_code}{code}", error.request)
    return None


def _without_decision(error: APIStatusError) -> bool:
    return error.status_code in UNAVAILABLE_STATUS and "x-iw-decision-id" not in error.response.headers
