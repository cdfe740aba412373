"""What the stock stack answers where no view did: JSON under the API's paths, Django's own pages elsewhere."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from iwrouting.api.failures import answer_error, as_response
from iwrouting.errors import RoutingError

API_PATH = re.compile(r"/(api|v1)(/|$)")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, such as for a Host that is not allowed."""
    if _is_api(request):
        return answer_error(exception, {"request": request})
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    if _is_api(request):
        return answer_error(exception, {"request": request})
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; Django has logged it."""
    if _is_api(request):
        return as_response(RoutingError("An internal error; it is in the log.", code="internal_error"))
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return API_PATH.match(request.path) is not None
