"""Faults with a name, for plans (`"fault": "rate_limit"`) and for the header `x-sandbox-fault: rate_limit`."""

from __future__ import annotations

import difflib
import json
from typing import Any

from iwrouting.sandbox.answer import Json
from iwrouting.sandbox.faults import BadPlan, Fault, fault_of
from iwrouting.sandbox.refusals import Refused

RATE_LIMIT = {
    "message": "Rate limit reached for requests (sandbox). Please try again in 1s.",
    "type": "requests",
    "param": None,
    "code": "rate_limit_exceeded",
}
QUOTA = {
    "message": "You exceeded your current quota, please check your plan and billing details (sandbox).",
    "type": "insufficient_quota",
    "param": None,
    "code": "insufficient_quota",
}
SERVER_ERROR = {
    "message": "The server had an error while processing your request (sandbox).",
    "type": "server_error",
    "param": None,
    "code": None,
}
HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

PRESETS: dict[str, Json] = {
    "rate_limit": {"status": 429, "headers": {"retry-after": "1"}},
    "quota": {"status": 429, "body": {"error": QUOTA}},
    "unauthorized": {"status": 401},
    "forbidden": {"status": 403},
    "model_gone": {"status": 404},
    "request_timeout": {"status": 408},
    "conflict": {"status": 409},
    "context_length": {
        "status": 400,
        "body": {
            "error": {
                "message": "Your input exceeds the context window of this model (sandbox).",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
    },
    "content_policy": {
        "status": 400,
        "body": {
            "error": {
                "message": "Your request was rejected by the safety system (sandbox).",
                "type": "invalid_request_error",
                "param": None,
                "code": "content_policy_violation",
            }
        },
    },
    "server_error": {"status": 500},
    "bad_gateway": {"status": 502, "raw_body": HTML, "content_type": "text/html"},
    "overloaded": {"status": 503},
    "gateway_timeout": {"status": 504},
    "html": {"raw_body": HTML, "content_type": "text/html"},
    "no_answer": {"no_answer": True},
    "reset": {"reset": True},
    "reset_after_headers": {"reset_after_headers": True},
    "slow": {"delay_ms": 2000},
    "drip": {"drip": {"bytes": 1, "every_ms": 1000}},
    "gzip_cut": {"gzip": "truncated"},
    "cut": {"cut_after_events": 3},
    "end_early": {"cut_after_events": 3, "clean_end": True},
    "stall": {"stall_after_events": 3},
    "no_done": {"no_done": True},
    "no_usage": {"drop_usage": True},
    "malformed": {"malformed_after_events": 2},
    "error_event": {"error_event_after_events": {"events": 0, "error": RATE_LIMIT}},
    "quota_event": {"error_event_after_events": {"events": 0, "error": QUOTA}},
    "failed": {"failed": {"code": "server_error", "message": "The model failed (sandbox)."}},
    "keepalive": {"keepalive_every": 2},
    "done_only": {"no_deltas": "arguments"},
    "stream_refused": {
        "status": 400,
        "body": {
            "error": {
                "message": "Your organization must be verified to stream this model (sandbox).",
                "type": "invalid_request_error",
                "param": "stream",
                "code": "unsupported_value",
            }
        },
    },
    "late_error_event": {"error_event_after_events": {"events": 3, "error": SERVER_ERROR}},
}

STATUS_ERRORS: dict[int, Json] = {
    400: {"type": "invalid_request_error", "code": None, "message": "Bad request (sandbox)."},
    401: {"type": "invalid_request_error", "code": "invalid_api_key", "message": "Incorrect API key (sandbox)."},
    403: {"type": "invalid_request_error", "code": None, "message": "Project has no access to model (sandbox)."},
    404: {"type": "invalid_request_error", "code": "model_not_found", "message": "The model does not exist (sandbox)."},
    408: {"type": "server_error", "code": None, "message": "Request timed out (sandbox)."},
    409: {"type": "invalid_request_error", "code": "conflict", "message": "Conflict (sandbox)."},
    413: {"type": "invalid_request_error", "code": None, "message": "Request too large (sandbox)."},
    422: {"type": "invalid_request_error", "code": None, "message": "Unprocessable (sandbox)."},
    429: {"type": "requests", "code": "rate_limit_exceeded", "message": RATE_LIMIT["message"]},
    503: {
        "type": "service_unavailable_error",
        "code": "server_is_overloaded",
        "message": "The server is overloaded (sandbox).",
    },
}


def named(value: Any, where: str) -> Fault:
    """A fault given as a preset's name or as an object. BadPlan: neither."""
    if not isinstance(value, str):
        return fault_of(value, where)
    if value not in PRESETS:
        near = difflib.get_close_matches(value, PRESETS, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; presets are {', '.join(PRESETS)}"
        raise BadPlan(where, f"no preset named '{value}'{hint}")
    return fault_of({"name": value, **PRESETS[value]}, where)


def from_header(text: str) -> Fault:
    """The fault in an `x-sandbox-fault` header: a preset's name or an object as JSON. Refused with 400 otherwise."""
    try:
        return named(json.loads(text) if text.startswith("{") else text, "x-sandbox-fault")
    except ValueError as error:
        message = str(error) if isinstance(error, BadPlan) else "x-sandbox-fault: not JSON"
        raise Refused(400, message, kind="invalid_plan", param="x-sandbox-fault", code="invalid_plan") from None


def error_body(status: int) -> Json:
    """The error object that the provider would send with a status, when a plan gives none."""
    found = STATUS_ERRORS.get(status, SERVER_ERROR if status >= 500 else STATUS_ERRORS[400])
    return {"error": {"param": None, **found}}
