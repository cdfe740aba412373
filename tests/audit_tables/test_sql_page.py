"""docs/sql/README.md: its queries answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.audit_tables.reading import select
from tests.audit_tables.story import CODEX, MAIN, MINI, NANO, id_of, tell

pytestmark = pytest.mark.django_db

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sql" / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^### ([^\n]+\?)\n\n```sql\n(.*?)```$", PAGE, re.MULTILINE | re.DOTALL)
ANSWERS: dict[str, list[tuple[object, ...]]] = {
    "How much is each alias used, and how often does it fail?": [
        ("manager", 5, 2, 1),
        ("", 2, 0, 0),
        ("code", 2, 0, 3),
    ],
    "What did each project cost, and how much of it is not exact?": [
        ("atlas", 125_456_789_019, pytest.approx(0.125456789019, abs=1e-15), 2, 1),
        ("borealis", None, None, 1, 0),
    ],
    "Which models are left for another, why, and did that help?": [
        (MAIN, "breaker_open", 1, 0),
        (MAIN, "rate_limit_exceeded", 1, 0),
        (MINI, "model_disabled", 1, 1),
        (CODEX, "500", 1, 0),
        (CODEX, "model_not_found", 1, 1),
    ],
    "What happened in this one call?": [
        (1, "call", 0, CODEX, "", 500, "", 200),
        (2, "call", 0, CODEX, "", 500, "", 300),
        (3, "skip", 1, MINI, "model_disabled", None, "", None),
        (4, "call", 2, NANO, "", 200, "", 1500),
    ],
    "Which answers took longest?": [
        (id_of(2), "code", MAIN, 2, 3000),
        (id_of(3), "code", NANO, 3, 2500),
        (id_of(1), "manager", MAIN, 1, 812),
    ],
    "Which decisions have no end yet?": [(id_of(5), "2026-11-03 10:05:00", "atlas", "manager", MAIN, 1)],
    "What did a run use?": [("run-1", 2, 420, 125_456_789_012)],
    "Where do the models come from, and under which revisions?": [
        ("default", MAIN, 7, 7, 7),
        ("default", CODEX, 1, 7, 7),
        ("environment", NANO, 1, 7, 7),
        ("explicit", MAIN, 2, 7, 7),
        ("project_override", CODEX, 1, 7, 7),
    ],
}


@pytest.mark.parametrize(("question", "query"), QUERIES)
def test_query__on_the_story__answers(question: str, query: str) -> None:
    tell()
    assert [tuple(row.values()) for row in select(query)] == ANSWERS[question]


def test_page__has_every_question() -> None:
    assert [question for question, _ in QUERIES] == list(ANSWERS)
