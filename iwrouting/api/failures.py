"""Every error as one body: OpenAI's, so that its SDK raises its own exceptions (ux.md 3)."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from django.core.exceptions import NON_FIELD_ERRORS, DisallowedHost, PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.serializers import as_serializer_error

from iwrouting.errors import BadKey, BadRequest, Forbidden, MethodNotAllowed, NotFound, RoutingError, Unavailable

log = logging.getLogger(__name__)
AWAY_S = 1
"""After how many seconds a caller may try again where the database is away."""


def answer_error(error: Exception, context: dict[str, Any] | None = None) -> HttpResponse:
    """The response for any exception; unknown ones are logged and become a 500 without their text.

    `context` is DRF's: its `request` gives the log the request's id.
    """
    found = as_routing_error(error)
    if found.status >= 500 and found is not error:
        ident = getattr((context or {}).get("request"), "ident", "unknown")
        known = isinstance(found, Unavailable)
        log.error("request %s failed: %s", ident, type(error).__name__, exc_info=None if known else error)
    return as_response(found)


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
    if isinstance(error, ModelValidationError):
        return _validation(exceptions.ValidationError(as_serializer_error(error)))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return BadKey("No API key. Send it as 'Authorization: Bearer iw_...'.", code="missing_api_key")
    if isinstance(error, exceptions.PermissionDenied | PermissionDenied):
        return Forbidden("This key may not do that.")
    if isinstance(error, exceptions.MethodNotAllowed):
        return MethodNotAllowed(str(error.detail))
    if isinstance(error, exceptions.NotFound | Http404):
        return NotFound("There is nothing here. The API is described at /api/docs.")
    if isinstance(error, DisallowedHost):
        return BadRequest("This service does not answer to this Host: an operator can add it to IW_ALLOWED_HOSTS.")
    if isinstance(error, SuspiciousOperation):
        return BadRequest("The request is malformed.")
    if is_away(error):
        return Unavailable(
            "The database can't be reached now. Try again shortly.", code="database_unavailable", retry_after_s=AWAY_S
        )
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error)
    return RoutingError("An internal error; it is logged with the request id.", code="internal_error")


def is_away(error: Exception) -> bool:
    """Whether an exception says that the database can't be reached, read or written now, whatever was asked of it.

    A server that recovers or was made read-only raises InternalError; a file that is none, plain DatabaseError.
    """
    return isinstance(error, OperationalError | InterfaceError | InternalError) or type(error) is DatabaseError


def _of_rest_framework(error: exceptions.APIException) -> RoutingError:
    if isinstance(error, exceptions.NotAcceptable):
        return BadRequest("Ask for JSON: 'Accept: application/json'.", status=406, code="not_acceptable")
    if isinstance(error, exceptions.UnsupportedMediaType):
        text = "Send the body as JSON, with 'Content-Type: application/json'."
        return BadRequest(text, status=415, code="unsupported_media_type")
    return BadRequest(str(error.detail), status=error.status_code)


def _validation(error: exceptions.ValidationError) -> RoutingError:
    details = list(_fields(error.detail))
    first = details[0] if details else {"field": None, "message": "The request is not valid."}
    message = f"{first['field']}: {first['message']}" if first["field"] else str(first["message"])
    return BadRequest(message, param=first["field"], details=details)


def _fields(detail: Any, prefix: str = "") -> Any:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            path = prefix if name in ("non_field_errors", NON_FIELD_ERRORS) else f"{prefix}.{name}".lstrip(".")
            yield from _fields(inner, path)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _fields(inner, prefix)
    else:
        yield {"field": prefix or None, "code": getattr(detail, "code", "invalid"), "message": str(detail)}
