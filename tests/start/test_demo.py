"""`manage.py demo` as a process: afterwards every view has rows, every list of the admin too, and it can go on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from pytest_django.plugin import DjangoDbBlocker

from iwrouting.reports import REPORTS
from tests.live.databases import forget, own_database, readable, statement
from tests.start import web
from tests.start.folder import Folder

DEMO_S = 55.0
"""What the demo promises, on a busy machine too."""

LISTS = (
    "decision",
    "environmentsnapshot",
    "alias",
    "project",
    "override",
    "model",
    "apikey",
    "run",
    "breakerevent",
    "price",
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[Folder, str, str]]:
    """A folder in which the demo has run on a database of its own, that database, and what the demo said."""
    at = tmp_path_factory.mktemp("demo")
    folder = Folder.fresh(at)
    with own_database(at, f"demo_{worker_id}") as database:
        running = folder.start("demo", "--calls", "60", "--seed", "3", DATABASE_URL=database)
        assert running.process.wait(DEMO_S) == 0, running.out + running.err
        yield folder, database, running.out + running.err
        forget(database)
    folder.kill_all()


@pytest.fixture
def database(shown: tuple[Folder, str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock(), readable(shown[1]):
        yield shown[1]


def column(sql: str) -> set[str]:
    """The first column of a statement."""
    return {str(next(iter(row.values()))) for row in statement(sql)}


@pytest.mark.parametrize("view", REPORTS)
def test_every_view_has_rows(database: str, view: str) -> None:
    assert statement(f"SELECT * FROM {view}")  # noqa: S608 - a name of ours


def test_decisions_of_every_kind_are_there(database: str) -> None:
    results = column("SELECT DISTINCT result FROM rpt_decisions_v1")
    assert results == {"ok", "ok_after_fallback", "error", "refused", "truncated", "client_closed", "resolved"}
    sources = column("SELECT DISTINCT source FROM rpt_decisions_v1")
    assert sources >= {"project_override", "override", "environment", "default", "explicit"}
    assert column("SELECT DISTINCT cost_state FROM rpt_decisions_v1") >= {"exact", "unpriced", "none", "estimated"}
    assert column("SELECT DISTINCT skip_reason FROM rpt_attempts_v1") >= {"breaker_open", "duplicate"}
    failed = column("SELECT DISTINCT error_code FROM rpt_attempts_v1")
    assert failed >= {"model_not_found", "rate_limit_exceeded", "server_error", "timeout_first_byte", "bad_vectors"}
    assert column("SELECT DISTINCT state FROM iwrouting_breakerevent") >= {"open", "half_open"}


def test_every_alias_was_asked_for(database: str) -> None:
    asked = column("SELECT DISTINCT alias FROM rpt_decisions_v1")
    assert column("SELECT name FROM iwrouting_alias") <= asked


def test_runs_have_met_their_budget(database: str) -> None:
    assert column("SELECT run_id FROM iwrouting_run WHERE refused_calls > 0") == {"run-8"}
    assert "run_budget_exceeded" in column("SELECT DISTINCT error_code FROM rpt_decisions_v1")
    assert column('SELECT "by" FROM iwrouting_runraise') == {"demo"}


def test_all_of_it_is_marked_as_demo(database: str) -> None:
    assert all(
        slug.startswith("demo-") or slug == "infinitywindow" for slug in column("SELECT slug FROM iwrouting_project")
    )
    assert column("SELECT DISTINCT upstream FROM iwrouting_attempt WHERE kind = 'call'") == {"sandbox"}
    keys = statement("SELECT revoked_at FROM iwrouting_apikey WHERE name LIKE %s", "demo: %")
    assert keys
    assert all(row["revoked_at"] for row in keys)


def test_words__say_what_went_on_and_where_to_look(shown: tuple[Folder, str, str]) -> None:
    said = shown[2]
    for part in ("rate limits: 2 x 200", "Look at it: the admin", "rpt_fallbacks_v1", "to start over", "Done in"):
        assert part in said
    assert len(re.findall(r"iw_[0-9a-f]{10}_", said)) == 1


def test_the_admin_has_rows_on_every_screen(shown: tuple[Folder, str, str]) -> None:
    folder, database, said = shown
    password = re.search(r"password (\S+)", said)
    assert password
    running = folder.up(DATABASE_URL=database)
    with web.browser(running.url) as client:
        web.log_in(client, "admin", password[1])
        for name in LISTS:
            assert rows(client.get(f"/admin/iwrouting/{name}/")) >= 1, name
    assert running.interrupt() == 0


def rows(page: httpx2.Response) -> int:
    """How many rows a list of the admin shows."""
    assert page.status_code == 200
    return page.text.count('<tr><td class="action-checkbox">') or page.text.count('<th class="field-')
