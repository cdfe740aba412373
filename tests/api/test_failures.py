"""What goes wrong has OpenAI's body, a request id, and nothing that is not the caller's to see."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import unquote

import pytest
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError
from django.test import Client

from iwrouting.api.failures import answer_error, as_routing_error
from iwrouting.conf import settings
from iwrouting.errors import UpstreamFailed
from tests.api.stock import Stock, error_of, refused

SECRET = "the text of a prompt"


def test_a_callers_request_id_comes_back(stock: Stock) -> None:
    answer = stock.get("/api/v1/aliases", stock.key(), x_request_id="req:42/a_b.c-d")
    assert answer["x-request-id"] == "req:42/a_b.c-d"


@pytest.mark.parametrize("given", ["", "a b", "ü", "x" * 129, "a\tb"])
def test_an_id_that_is_not_well_formed_is_replaced(stock: Stock, given: str) -> None:
    answer = stock.get("/api/v1/aliases", stock.key(), x_request_id=given)
    assert len(answer["x-request-id"]) == 36


@pytest.mark.parametrize("path", ["/api/v1/aliases", "/api/nothing", "/admin/", "/", "/api/docs", "/nothing"])
def test_every_answer_of_the_stock_stack_has_an_id(stock: Stock, path: str) -> None:
    assert stock.get(path, x_request_id="mine")["x-request-id"] == "mine"


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/api/v1/nothing", "/api/v1/projects/", "/v1"])
def test_a_path_that_leads_nowhere_is_a_json_404(stock: Stock, path: str) -> None:
    assert refused(stock.get(path)) == (404, "not_found", None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/chat/completions"),
        ("POST", "/embeddings"),
        ("GET", "/models"),
        ("GET", "/models/fast"),
        ("POST", "/responses"),
        ("GET", "/%2Fv1/models"),
        ("POST", "/%2Fv1/chat/completions"),
        ("POST", "/api/v1/chat/completions"),
        ("POST", "/openai/v1/chat/completions"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
def test_an_openai_route_outside_v1_is_a_404_that_names_the_base_url(
    stock: Stock, method: str, path: str, accept: str
) -> None:
    answer = stock.ask(method, path, accept=accept)
    assert refused(answer) == (404, "not_found", None)
    message = error_of(answer)["message"]
    assert f"No route {method} {unquote(path)}. " in message
    assert "base URL must end in /v1" in message


def test_elsewhere_a_404_is_json_unless_a_browser_asks(stock: Stock) -> None:
    assert refused(stock.get("/nothing")) == (404, "not_found", None)
    assert "base URL" not in error_of(stock.get("/nothing"))["message"]
    for path, accept in (("/nothing", "text/html,application/xhtml+xml,*/*;q=0.8"), ("/admin-but-not", "text/html")):
        answer = stock.get(path, accept=accept)
        assert (answer.status_code, answer["content-type"].partition(";")[0]) == (404, "text/html")
    assert stock.get("/v1", accept="text/html")["content-type"] == "application/json"


def test_a_host_that_is_not_ours_is_named_with_its_setting(stock: Stock) -> None:
    answer = stock.get("/api/v1/aliases", host="evil.example")
    assert refused(answer) == (400, "invalid_request", None)
    assert "IW_ALLOWED_HOSTS" in error_of(answer)["message"]
    assert "evil" not in error_of(answer)["message"]
    assert stock.get("/admin/", host="evil.example")["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"[1", {}, (400, "invalid_json", None)),
        (b"[]", {}, (400, "invalid_json", None)),
        (b'"x"', {}, (400, "invalid_json", None)),
        (b'{"name": "\\ud800"}', {}, (400, "invalid_json", None)),
        (b"{}", {"content_type": "text/plain"}, (415, "unsupported_media_type", None)),
        (b"a=b", {"content_type": "application/x-www-form-urlencoded"}, (415, "unsupported_media_type", None)),
        (b"{}", {"accept": "text/plain"}, (406, "not_acceptable", None)),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    stock: Stock, body: bytes, headers: dict[str, str], expected: tuple[int, str, None]
) -> None:
    key = stock.key("manage", projects=["*"])
    assert refused(stock.put("/api/v1/projects/p-1", key, body, **headers)) == expected


def test_a_body_over_the_limit_is_refused(stock: Stock) -> None:
    key = stock.key("manage", projects=["*"])
    body = b'{"name": "' + b"x" * (settings().max_body_mb * 1024 * 1024) + b'"}'
    answer = stock.put("/api/v1/projects/p-1", key, body)
    assert refused(answer) == (413, "body_too_large", None)
    assert "IW_MAX_BODY_MB" in error_of(answer)["message"]


@pytest.mark.parametrize("error", [OperationalError(SECRET), InterfaceError(SECRET)])
def test_a_database_that_is_away_is_a_503(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    answer = failing(stock, monkeypatch, error)
    assert refused(answer) == (503, "database_unavailable", None)
    assert answer["retry-after"] == "1"
    assert SECRET not in answer.content.decode()
    assert "request req-7 failed" in caplog.text


def test_what_nobody_expected_is_a_500_without_its_text(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = failing(stock, monkeypatch, ZeroDivisionError(SECRET))
    assert refused(answer) == (500, "internal_error", None)
    assert SECRET not in answer.content.decode()
    assert "request req-7 failed" in caplog.text


def failing(stock: Stock, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Any:
    """The answer of a view in which this happens."""

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("iwrouting.api.management.views.list_aliases", fail)
    return stock.get("/api/v1/aliases", stock.key(), x_request_id="req-7")


def test_a_failure_before_any_view_is_json_under_the_api(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("iwrouting.server.middleware.ContentSecurityPolicy.__call__", fail)
    stock.client = Client(raise_request_exception=False)
    answer = stock.get("/api/v1/aliases")
    assert refused(answer) == (500, "internal_error", None)
    assert SECRET not in answer.content.decode()
    assert answer["x-request-id"]
    assert stock.get("/admin/")["content-type"].startswith("text/html")


def test_a_refusal_of_the_provider_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = answer_error(UpstreamFailed(SECRET, status=500))
    assert answer.status_code == 500
    assert caplog.text == ""


def test_what_a_model_refuses_names_its_field() -> None:
    error = as_routing_error(ModelValidationError({"slug": ModelValidationError("No.", code="unique")}))
    assert (error.status, error.param, error.message) == (400, "slug", "slug: No.")
    assert list(error.details) == [{"field": "slug", "code": "unique", "message": "No."}]


def test_a_fault_of_the_whole_body_names_no_field() -> None:
    error = as_routing_error(ModelValidationError("Not together.", code="both"))
    assert (error.param, error.message) == (None, "Not together.")
    assert json.loads(answer_error(error).content)["error"]["details"][0]["field"] is None
