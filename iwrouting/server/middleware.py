"""Middleware of the admin and management stack."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from iwrouting.api.failures import is_away
from iwrouting.api.pages import database_away
from iwrouting.calls.caller import request_id

log = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponseBase]


class RequestId:
    """Give every request an id, the caller's own if it is well formed, and name it in the answer (ux.md 3).

    It stands first, so that what another middleware refuses has an id too.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        ident = request_id({"x-request-id": request.META.get("HTTP_X_REQUEST_ID", "")})
        request.ident = ident  # type: ignore[attr-defined] # as the lean request has it
        response = self.get_response(request)
        response.headers["x-request-id"] = ident
        return response


class DatabaseAway:
    """Answer 503 where a view, or the page that it made, meets a database that is away; one line in the log."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Its answer, or None for any other exception."""
        if not is_away(error):
            return None
        log.error("%s %s: the database is away (%s)", request.method, request.path, type(error).__name__)
        return database_away(request, error)


class ContentSecurityPolicy:
    """Send SECURE_CSP (Django 6's setting name) with every page that has no policy of its own."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {' '.join(values)}" for name, values in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response
