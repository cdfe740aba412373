"""docs/sql/dictionary.md is what `reporting dictionary` prints, and that is what the views have."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from iwrouting.reports import REPORTS
from iwrouting.reports.dictionary import dictionary
from tests.audit_tables.reading import columns

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sql" / "dictionary.md"


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("reporting", "dictionary", *arguments, stdout=out)
    return out.getvalue()


def test_page__is_what_the_command_prints() -> None:
    assert PAGE.read_text(encoding="utf-8") == told(), "manage.py reporting dictionary > docs/sql/dictionary.md"


@pytest.mark.django_db
def test_dictionary__columns__are_those_of_the_views_in_their_order() -> None:
    assert {view.name: [each.name for each in view.columns] for view in dictionary()} == {
        view: columns(view) for view in REPORTS
    }


def test_dictionary__every_column__keeps_the_rules_of_names() -> None:
    kinds = {"_at": "timestamptz", "_ms": "integer", "_usd": "numeric", "_pico": "integer", "_tokens": "integer"}
    faults = [
        f"{view.name}.{each.name} is {each.type}"
        for view in dictionary()
        for each in view.columns
        if any(each.name.endswith(end) and each.type != kind for end, kind in kinds.items())
        or each.name.startswith("is_") != (each.type == "boolean")
    ]
    assert faults == []


def test_command__one_view_as_json__has_its_columns_alone() -> None:
    rows = json.loads(told("--view", "rpt_fallbacks_v1", "--format", "json"))["columns"]
    assert {row["view"] for row in rows} == {"rpt_fallbacks_v1"}
    assert rows[0] == {
        "view": "rpt_fallbacks_v1",
        "column": "decision_id",
        "type": "text",
        "meaning": "Id of the decision.",
    }


def test_command__unknown_view__names_those_that_are_there() -> None:
    with pytest.raises(CommandError, match=r"No view rpt_usage: there are rpt_decisions_v1, .*") as refused:
        told("--view", "rpt_usage")
    assert refused.value.returncode == 2
