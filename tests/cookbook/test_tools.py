"""docs/sql/tools.md: the SQL for Metabase and Grafana runs, with their parameters and macros filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.api.test_dashboards import MACROS
from tests.audit_tables.databases import IS_POSTGRESQL
from tests.cookbook.pages import FOLDER

STATEMENTS = re.findall(
    r"^```postgresql\n(.*?)^```$", (FOLDER / "tools.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
PARAMETERS = {
    "{{days}}": "rpt_usage_daily_v1.day BETWEEN DATE '2026-11-01' AND DATE '2026-11-30'",
    "{{project}}": "'atlas'",
}
"""As Metabase fills them in: a field filter is the whole condition, with the view's full name."""


def filled(statement: str) -> Iterator[str]:
    """As the tool sends it: with every optional clause, and without."""
    for optional in (r"\1", ""):
        text = re.sub(r"\[\[(.*?)\]\]", optional, statement)
        for name, value in PARAMETERS.items():
            text = text.replace(name, value)
        for macro, value in MACROS.items():
            text = re.sub(macro, value, text)
        yield text


@pytest.mark.skipif(not IS_POSTGRESQL, reason="the tools read PostgreSQL, with macros for it")
def test_statements_of_the_tools__filled_in__run_on_the_views(db: None) -> None:
    assert len(STATEMENTS) >= 3
    for text in (text for statement in STATEMENTS for text in filled(statement)):
        assert not re.search(r"[${}\[\]]", text)
        with connection.cursor() as cursor:
            cursor.execute(text)
            assert cursor.description
