"""What the stock stack answers where no view did: JSON, or Django's own page to a person with a browser."""

from __future__ import annotations

import re
import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from iwrouting.api.failures import AWAY_S, answer_error, as_response, is_away
from iwrouting.conf import settings
from iwrouting.errors import NotFound, RoutingError

API_PATH = re.compile(r"/(api|v1)(/|$)")
ADMIN_PATH = re.compile(r"/admin(/|$)")
OPENAI_PATH = re.compile(r"/(chat/completions|completions|embeddings|models|responses)(/|$)")
SHOWN = 80


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, such as for a Host that is not allowed."""
    if _is_api(request):
        return answer_error(exception, {"request": request})
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. A client whose base URL lacks `/v1` comes here with every call, and is told."""
    if _is_api(request):
        if OPENAI_PATH.search(request.path):
            return as_response(NotFound(_base_url_hint(request)))
        return answer_error(exception, {"request": request})
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; Django has logged it. 503 where the database is away: a middleware may have met it outside any view."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and is_away(error):
        return database_away(request, error)
    if _is_api(request):
        return as_response(RoutingError("An internal error; it is in the log.", code="internal_error"))
    return defaults.server_error(request)


def database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    """503: JSON, or to a person a page that says what to do and asks no database."""
    if _is_api(request):
        return answer_error(error, {"request": request})
    told = {"ident": getattr(request, "ident", ""), "strict": settings().audit_strict}
    page = render_to_string("away.html", told)
    return HttpResponse(page, status=503, headers={"retry-after": str(AWAY_S)})


def _is_api(request: HttpRequest) -> bool:
    if API_PATH.match(request.path):
        return True
    return not ADMIN_PATH.match(request.path) and "text/html" not in request.headers.get("accept", "")


def _base_url_hint(request: HttpRequest) -> str:
    return (
        f"No route {request.method} {request.path[:SHOWN]}. The OpenAI API is under /v1: "
        "the client's base URL must end in /v1, with no slash after it, such as http://127.0.0.1:8000/v1."
    )
