"""Every error that a caller can get, as one tree.

RoutingError
├── BadRequest                400 invalid_request_error
│   ├── UnknownModel          404 model_not_found
│   ├── UnknownProject        404 project_not_found
│   ├── NotFound              404 not_found
│   ├── MethodNotAllowed      405 method_not_allowed
│   ├── RequestTimeout        408 request_timeout
│   └── BodyTooLarge          413 body_too_large
├── BadKey                    401 authentication_error
├── Forbidden                 403 permission_error
├── LoopDetected              508 loop_detected
├── Unavailable               503 server_error
│   └── AuditUnavailable      503 audit_unavailable
├── ShuttingDown              503 shutting_down
└── UpstreamFailed            what the provider's answer became
    ├── UpstreamAuth          502 upstream_auth
    └── AllCandidatesFailed   502, 503 or 504 all_candidates_failed

Bodies have OpenAI's shape, so that its SDK raises its own exceptions (ux.md 3). Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class RoutingError(Exception):
    """An answer other than success: HTTP status, OpenAI's error fields, and the headers that go with them.

    `message` is for the caller: it names the value and the next step, and never holds a secret or prompt text.
    """

    status = 500
    type = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        type: str | None = None,
        retry_after_s: int | None = None,
        should_retry: bool | None = None,
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.code
        self.status = status or self.status
        self.type = type or self.type
        self.retry_after_s = retry_after_s
        self.should_retry = should_retry
        self.details = details
        self.extra_headers: Mapping[str, str] = {}

    def body(self) -> dict[str, Any]:
        """The JSON body; `message`, `type`, `param` and `code` are always there (openai-facts.md 10)."""
        error: dict[str, Any] = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}

    def headers(self) -> dict[str, str]:
        """`extra_headers`, and the retry hints: the SDK obeys both (openai-facts.md 4b)."""
        found = dict(self.extra_headers)
        if self.retry_after_s is not None:
            found["retry-after"] = str(self.retry_after_s)
        if self.should_retry is not None:
            found["x-should-retry"] = "true" if self.should_retry else "false"
        return found


class BadRequest(RoutingError):
    """The request can't be served as it stands; `param` names the field."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class UnknownModel(BadRequest):
    """No alias and no granted model of that name; the message names the nearest one."""

    status = 404
    code = "model_not_found"


class UnknownProject(BadRequest):
    """A project that does not exist, where the deployment wants that to be an error."""

    status = 404
    code = "project_not_found"


class NotFound(BadRequest):
    """No such page or object."""

    status = 404
    code = "not_found"


class MethodNotAllowed(BadRequest):
    """The route exists, the method does not."""

    status = 405
    code = "method_not_allowed"


class RequestTimeout(BadRequest):
    """The request was not whole within IW_REQUEST_TIMEOUT_S."""

    status = 408
    code = "request_timeout"


class BodyTooLarge(BadRequest):
    """The body is over IW_MAX_BODY_MB."""

    status = 413
    code = "body_too_large"


class BadKey(RoutingError):
    """Missing, malformed, unknown, revoked or expired API key; only our own key check produces a 401."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class Forbidden(RoutingError):
    """A good key without the right asked for."""

    status = 403
    type = "permission_error"
    code = "permission_denied"


class LoopDetected(RoutingError):
    """The request came from ourselves."""

    status = 508
    type = "invalid_request_error"
    code = "loop_detected"

    def __init__(self, message: str) -> None:
        super().__init__(message, should_retry=False)


class Unavailable(RoutingError):
    """We can't serve now."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, code: str | None = None, retry_after_s: int | None = 1) -> None:
        super().__init__(message, code=code, retry_after_s=retry_after_s)


class AuditUnavailable(RoutingError):
    """The record of a call can't be stored: no call without one (G1)."""

    status = 503
    code = "audit_unavailable"


class ShuttingDown(RoutingError):
    """We ended the call ourselves: the worker that had it is leaving, and its time to drain is over."""

    status = 503
    code = "shutting_down"


class UpstreamFailed(RoutingError):
    """The provider refused or failed, and no other rung may or could serve."""

    status = 502
    type = "upstream_error"
    code: str | None = "upstream_error"


class UpstreamAuth(UpstreamFailed):
    """The provider does not accept our account's key; never a 401, that would blame the caller's."""

    code = "upstream_auth"


class AllCandidatesFailed(UpstreamFailed):
    """Every rung of the chain failed; `details` has the attempts in safe form."""

    code = "all_candidates_failed"
