"""Every error as one body: OpenAI's, so that its SDK raises its own exceptions (ux.md 3)."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from iwrouting.errors import BadKey, BadRequest, Forbidden, MethodNotAllowed, NotFound, RoutingError

log = logging.getLogger(__name__)


def answer_error(error: Exception, context: dict[str, Any] | None = None) -> HttpResponse:
    """The response for any exception; unknown ones are logged and become a 500 without their text."""
    return as_response(as_routing_error(error))


def as_response(error: RoutingError) -> HttpResponse:
    """The response for one of our errors."""
    response = HttpResponse(orjson.dumps(error.body()), content_type="application/json", status=error.status)
    for name, value in error.headers().items():
        response[name] = value
    if error.status == 401:
        response["www-authenticate"] = "Bearer"
    return response


def as_routing_error(error: Exception) -> RoutingError:
    """What an exception means in our terms."""
    if isinstance(error, RoutingError):
        return error
    if isinstance(error, exceptions.ValidationError):
        return _validation(error)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return BadKey("No API key. Send it as 'Authorization: Bearer iw_...'.", code="missing_api_key")
    if isinstance(error, exceptions.PermissionDenied | PermissionDenied):
        return Forbidden("This key may not do that.")
    if isinstance(error, exceptions.MethodNotAllowed):
        return MethodNotAllowed(str(error.detail))
    if isinstance(error, exceptions.NotFound | Http404):
        return NotFound("There is nothing here. The API is described at /api/docs.")
    if isinstance(error, exceptions.APIException):
        return BadRequest(str(error.detail), status=error.status_code)
    log.error("unexpected error", exc_info=error)
    return RoutingError("An internal error; it is logged with the request id.", code="internal_error")


def _validation(error: exceptions.ValidationError) -> RoutingError:
    details = list(_fields(error.detail))
    first = details[0] if details else {"field": None, "message": "The request is not valid."}
    message = f"{first['field']}: {first['message']}" if first["field"] else str(first["message"])
    return BadRequest(message, param=first["field"], details=details)


def _fields(detail: Any, prefix: str = "") -> Any:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            path = prefix if name == "non_field_errors" else f"{prefix}.{name}".lstrip(".")
            yield from _fields(inner, path)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _fields(inner, prefix)
    else:
        yield {"field": prefix or None, "code": getattr(detail, "code", "invalid"), "message": str(detail)}
