"""A database that is away is a 503 wherever the stock stack meets it: in views, in their pages, in middleware."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from django.http import HttpRequest

from iwrouting.api.failures import is_away
from iwrouting.api.pages import database_away, server_error
from iwrouting.conf import settings, sqlite
from tests.api.stock import Stock, refused


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (OperationalError("address"), True),
        (InterfaceError("address"), True),
        (InternalError("cannot execute INSERT in a read-only transaction"), True),
        (DatabaseError("file is not a database"), True),
        (IntegrityError("twice"), False),
        (ProgrammingError("no such column"), False),
        (ValueError(), False),
    ],
)
def test_which_errors_mean_that_the_database_is_away(error: Exception, away: bool) -> None:
    assert is_away(error) is away


def test_a_page_that_meets_it__is_a_503_that_says_what_to_do_and_one_line_in_the_log(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*arguments: object, **options: object) -> None:
        raise OperationalError("secret address")

    monkeypatch.setattr("django.contrib.auth.views.LoginView.dispatch", away)
    with caplog.at_level(logging.ERROR):
        answer = stock.get("/admin/login/", accept="text/html", x_request_id="mine")
    assert (answer.status_code, answer["retry-after"], answer["x-request-id"]) == (503, "1", "mine")
    page = answer.content.decode()
    assert all(words in page for words in ("DATABASE_URL", "manage.py doctor", "mine"))
    assert "secret address" not in page + caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_what_a_middleware_met__is_a_503_too() -> None:
    for path, kind in (("/api/v1/decisions/1", "application/json"), ("/admin/", "text/html; charset=utf-8")):
        request = HttpRequest()
        request.path = path
        try:
            raise OperationalError("secret address")
        except OperationalError:
            answer = server_error(request)
        assert (answer.status_code, answer["content-type"], answer["retry-after"]) == (503, kind, "1")
        assert b"secret" not in answer.content


@pytest.mark.parametrize("strict", [False, True])
def test_a_page_that_meets_it__says_what_becomes_of_calls(monkeypatch: pytest.MonkeyPatch, strict: bool) -> None:
    conf = settings().model_copy(update={"audit_strict": strict})
    monkeypatch.setattr("iwrouting.api.pages.settings", lambda: conf)
    request = HttpRequest()
    request.path = "/admin/"
    page = database_away(request, OperationalError()).content.decode()
    assert ["records are kept" in page, "get 503" in page] == [not strict, strict]


def test_a_view_that_meets_it__is_logged_without_a_traceback(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*arguments: object) -> None:
        raise OperationalError("secret address")

    key = stock.key()
    monkeypatch.setattr("iwrouting.api.management.resources.projects.Projects.find", away)
    assert refused(stock.get("/api/v1/projects/p-1", key)) == (503, "database_unavailable", None)
    assert not any(record.exc_info for record in caplog.records)
    assert "secret" not in caplog.text


def test_a_service_makes_no_file_where_its_database_was_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "database.sqlite3"
    sqlite3.connect(path, factory=sqlite.Connection).close()
    monkeypatch.setattr(sqlite, "_file_needed", False)
    sqlite.need_file()
    sqlite3.connect(path, factory=sqlite.Connection).close()
    sqlite3.connect("file:any?mode=memory", factory=sqlite.Connection, uri=True).close()
    path.unlink(missing_ok=True)
    with pytest.raises(sqlite3.OperationalError, match="not there"):
        sqlite3.connect(path, factory=sqlite.Connection)
    assert not path.exists()
