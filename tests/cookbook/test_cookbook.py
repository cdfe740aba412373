"""docs/sql: every query of the pages runs, and answers what stands below it, on both databases."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from iwrouting.models import Alias, Decision
from iwrouting.reports import REPORTS
from tests.audit_tables.reading import select
from tests.cookbook.__main__ import fill
from tests.cookbook.answers import renewed
from tests.cookbook.pages import FOLDER, HEAD, blocks, questions, table

QUESTIONS = questions()


@pytest.mark.django_db
def test_queries__on_the_demo_data__give_the_answers_below_them() -> None:
    assert fill() == 0
    answered = {each.asked: table(select(each.query(connection.vendor))) for each in QUESTIONS}
    assert answered == {each.asked: list(each.answer) for each in QUESTIONS}
    assert min(len(lines) for lines in answered.values()) > HEAD


@pytest.mark.django_db
def test_filling__beside_something__is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Alias.objects.create(name="fast", kind="chat_mode", default_model="gpt-6-luna")
    assert fill() == 1
    assert "Set DATABASE_URL to a new database" in capsys.readouterr().err
    assert not Decision.objects.exists()


def test_pages__every_block_of_sql__belongs_to_a_question() -> None:
    assert len(QUESTIONS) >= 20
    assert sum(len(each.blocks) for each in QUESTIONS) == blocks()
    assert len({each.asked for each in QUESTIONS}) == len(QUESTIONS)


def test_queries__every_one__reads_views_alone() -> None:
    read = {
        name for each in QUESTIONS for text in each.blocks for name in re.findall(r"\b(?:rpt|iw|iwrouting)_\w+", text)
    }
    assert read == set(REPORTS)


def test_renewing__with_the_answers_that_stand__changes_nothing() -> None:
    for name in {each.page for each in QUESTIONS}:
        page = (FOLDER / name).read_text(encoding="utf-8")
        assert renewed(page, {each.asked: each.answer for each in QUESTIONS}) == page
        gone = renewed(page, {each.asked: ["| gone |"] for each in QUESTIONS})
        assert gone.count("\n| gone |\n") == sum(each.page == name for each in QUESTIONS)
        assert renewed(gone, {each.asked: each.answer for each in QUESTIONS}) == page


def test_cookbook__its_list__has_every_question_with_its_place() -> None:
    listed = re.findall(
        r"^- \[(.+)\]\((.+\.md)#(.+)\)$", (FOLDER / "cookbook.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted((page, asked, place) for asked, page, place in listed) == sorted(
        (each.page, each.asked, _anchor(each.asked)) for each in QUESTIONS
    )


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
