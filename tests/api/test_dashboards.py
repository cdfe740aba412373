"""Every panel of the Grafana dashboards asks for what is there: metrics with their labels, views with their columns."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection

from iwrouting.api.metrics import Scrape, families
from iwrouting.meters import names
from iwrouting.reports.views import VIEWS
from tests.api.dashboards import FOLDER, panels, queries
from tests.api.test_metrics import NOW, service, writer
from tests.audit_tables.databases import IS_POSTGRESQL

METRIC = re.compile(r"\b((?:gen_ai_client|iwrouting)_[a-z_]+?)(_bucket|_sum|_count)?(?=[{)\[\s])(?:\{([^}]*)\})?")
LABEL = re.compile(r'([a-z_]+)(?:=~|!~|!=|=)"')
GROUPED = re.compile(r"\bby \(([^)]*)\)")
MACROS = {
    r"\$__timeFilter\((\w+)\)": r"\1 BETWEEN '2026-01-01T00:00:00Z' AND '2027-01-01T00:00:00Z'",
    r"\$__timeGroupAlias\((\w+), \$__interval\)": r"""date_trunc('hour', \1) AS "time\"""",
    r"\$__timeFrom\(\)": "'2026-01-01T00:00:00Z'",
    r"\$__timeTo\(\)": "'2027-01-01T00:00:00Z'",
    r"\$\{project:sqlstring\}": "'atlas','other'",
}
"""Grafana's macros for PostgreSQL, about as it fills them in."""

DASHBOARDS = {path.name: json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))}


def statements() -> list[tuple[str, str]]:
    """Title and SQL of every target, and of the variables."""
    asked = [(panel["title"], each["rawSql"]) for panel in panels("audit.json") for each in panel["targets"]]
    asked += [(each["name"], each["query"]) for each in DASHBOARDS["audit.json"]["templating"]["list"][1:]]
    return asked


def test_every_metric_and_label_of_a_panel__is_one_that_is_told(db: None) -> None:
    writer("other", "web-2", 1)
    told = {family.name: family.kind for family in families(Scrape(service(), NOW))}
    labels = {"host", "pid", "le", "mode"} | {label for metric in names.METRICS for label in metric.labels}
    asked = queries("calls.json")
    assert len(asked) > 30
    variables = [each["query"]["query"] for each in DASHBOARDS["calls.json"]["templating"]["list"][1:]]
    for _, expression in [*asked, *((each, each.replace(",", " ")) for each in variables)]:
        found = METRIC.findall(expression)
        assert found, expression
        for name, suffix, matchers in found:
            assert told.get(name) == ("histogram" if suffix else told.get(name, "")), f"{name}{suffix} is not told"
            assert name in told
            assert set(LABEL.findall(matchers)) <= labels, expression
        for group in GROUPED.findall(expression):
            assert {each.strip() for each in group.split(",")} <= labels, expression


@pytest.mark.skipif(not IS_POSTGRESQL, reason="the dashboard's SQL is PostgreSQL's, with Grafana's macros for it")
def test_every_statement_of_a_panel__runs_on_the_views(db: None) -> None:
    assert len(statements()) > 15
    for title, asked in statements():
        statement = asked
        for macro, text in MACROS.items():
            statement = re.sub(macro, text, statement)
        assert "$" not in statement, title
        with connection.cursor() as cursor:
            cursor.execute(statement)
            assert cursor.description


def test_every_statement__reads_views_alone() -> None:
    for _, statement in statements():
        [view] = re.findall(r"\bFROM (\w+)", statement)
        assert view in VIEWS
        assert view.startswith("rpt_")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard__is_one_that_grafana_can_provision(name: str) -> None:
    board = DASHBOARDS[name]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert board["uid"].startswith("iwrouting-")
    assert board["templating"]["list"][0]["type"] == "datasource"
    for panel in panels(name):
        assert panel["datasource"]["uid"] == "${datasource}", "no data source of one installation stands in it"
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    cells = [cell for panel in board["panels"] for cell in covered(panel["gridPos"])]
    assert len(cells) == len(set(cells)), "two panels stand on one place"


def covered(box: dict[str, int]) -> list[tuple[int, int]]:
    """The cells of the grid that a panel covers."""
    return [(x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])]
