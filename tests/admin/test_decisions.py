"""The list of decisions: bounded in time, few questions, exact search, nothing to change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from iwrouting.admin import audit, decision_filters
from iwrouting.audit import decision_time, new_id
from iwrouting.models import Decision
from iwrouting.models.patience import OutOfTime, cursor_for
from tests.admin import cast
from tests.admin.html import read

LIST = "/admin/iwrouting/decision/"


def id_of(age: timedelta) -> str:
    """The id of a decision that was made so long ago."""
    milliseconds = int((timezone.now() - age).timestamp() * 1000)
    text = f"{milliseconds:012x}{new_id().replace('-', '')[12:]}"
    return str(UUID(text))


def shown(client: Client, query: str = "") -> list[str]:
    """The request ids that the list shows."""
    text = read(client.get(f"{LIST}{query}")).text
    return [word for word in text.split() if word.startswith("req-")]


def test_a_row_tells_the_decision(boss: Client) -> None:
    cast.fallen_back()
    text = read(boss.get(LIST)).text
    wanted = (
        "atlas code → gpt-4.1 chosen: gpt-5.1-codex default ok_after_fallback 1 / 1 812 ms 1,204 / 86 $0.0042 req-1"
    )
    assert wanted in text


def test_a_row_tells_the_inferred_mode_and_the_name_asked_for(boss: Client) -> None:
    cast.outcome(cast.decision(alias="auto", inferred_mode="deep", model_asked="mode:auto", model_resolved="gpt-4.1"))
    assert "auto (deep) mode:auto → gpt-4.1 default ok" in read(boss.get(LIST)).text


def test_an_open_decision_and_one_without_a_price_say_so(boss: Client) -> None:
    cast.decision(project="open")
    cast.outcome(cast.decision(), cost_pico=None, cost_state="unpriced")
    text = read(boss.get(LIST)).text
    assert "open" in text
    assert "unpriced" in text


def test_hostile_texts_are_shown_as_text(boss: Client) -> None:
    made = cast.decision(project=cast.HOSTILE, model_asked="<b>x", request_id="<img onerror=x>", alias="<i>")
    cast.outcome(made, result="<u>", model_served=cast.HOSTILE, cost_state="<s>")
    page = read(boss.get(LIST))
    assert page.faults == []
    assert {"i", "u", "s", "b"}.isdisjoint(tag for tag, _ in page.tags)
    assert cast.HOSTILE in page.text


@pytest.mark.parametrize("rows", [1, 40])
def test_the_number_of_questions_does_not_grow(
    boss: Client, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(rows):
        cast.fallen_back()
    begun = 3 if connection.vendor == "postgresql" else 0  # SAVEPOINT, its release, and how long it may take.
    with django_assert_num_queries(8 + begun) as asked:
        boss.get(LIST)
    tables = [query["sql"] for query in asked.captured_queries if '"iwrouting_decision"' in query["sql"]]
    assert len([sql for sql in tables if "COUNT(" in sql]) == 1
    assert "LIMIT 10001" in next(sql for sql in tables if "COUNT(" in sql)
    assert not any('"ladder"' in sql for sql in tables)


def test_the_count_stops(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_filters, "MOST_COUNTED", 60)
    for number in range(70):
        cast.decision(request_id=f"req-{number}")
    assert "60+ decisions" in read(boss.get(LIST)).text
    assert len(shown(boss)) == 50
    assert len(shown(boss, "?p=2")) == 10
    assert boss.get(f"{LIST}?p=3").status_code == 302
    assert "decisions: choose" not in read(boss.get(f"{LIST}?q=req-1")).text


def test_newest_first_within_the_last_day_unless_asked_otherwise(boss: Client) -> None:
    ages = {"hour": timedelta(minutes=59), "day": timedelta(hours=23), "week": timedelta(days=6)}
    ages |= {"month": timedelta(days=29), "year": timedelta(days=300)}
    for name, age in reversed(ages.items()):
        cast.decision(id=id_of(age), request_id=f"req-{name}")
    every = [f"req-{name}" for name in ages]
    for query, count in {"": 2, "?when=1h": 1, "?when=24h": 2, "?when=7d": 3, "?when=30d": 4, "?when=all": 5}.items():
        assert shown(boss, query) == every[:count]
    assert shown(boss, "?when=nonsense") == every[:2]


def test_the_time_in_force_is_marked(boss: Client) -> None:
    text = read(boss.get(f"{LIST}?when=7d")).text
    assert "Time: 7 d 1 h 24 h 7 d 30 d all" in text


def test_an_old_decision_only_does_not_look_like_none(boss: Client) -> None:
    cast.decision(id=id_of(timedelta(days=3)))
    text = read(boss.get(LIST)).text
    assert "No decisions in the last 24 h." in text
    assert "No decisions yet" not in text


def test_search_is_exact_and_looks_at_all_times(boss: Client) -> None:
    old = cast.decision(id=id_of(timedelta(days=300)), request_id="req-old", run_id="run-7")
    cast.decision(request_id="req-new", run_id="run-77")
    asked = ["req-old", "run-7", str(old.pk), UUID(str(old.pk)).hex, f"  {old.pk} ", str(old.pk).upper()]
    for term in asked:
        assert shown(boss, f"?q={term}") == ["req-old"], term
    assert shown(boss, f"?q={old.pk}&when=7d") == []
    for term in ("req", "run", "REQ-OLD", "%", str(UUID(int=7)), "f" * 32):
        assert shown(boss, f"?q={term}") == [], term


def test_a_request_id_that_is_a_uuid_is_found(boss: Client) -> None:
    text = "5f0c7a52-7ef4-4a53-9f0e-8d5e2f5c9a11"
    cast.decision(request_id=text)
    assert text in read(boss.get(f"{LIST}?q={text}")).text


def test_a_look_up_by_id_names_the_time_inside_it(
    boss: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = cast.decision()
    with django_assert_max_num_queries(20) as asked:
        boss.get(f"{LIST}{made.pk}/change/")
    for query in asked.captured_queries:
        sql = query["sql"]
        for table in ("decision", "attempt", "outcome"):
            if f'FROM "iwrouting_{table}"' in sql:
                assert '"decision_at" =' in sql


def test_filters(boss: Client) -> None:
    cast.project("atlas")
    cast.alias("code", "gpt-5.1")
    cast.outcome(cast.decision(request_id="req-ok"))
    cast.outcome(cast.decision(request_id="req-bad", project="borea", alias="deep", source="override"), result="error")
    cast.decision(request_id="req-open", source="environment")
    assert set(shown(boss)) == {"req-ok", "req-bad", "req-open"}
    asked = {"result=ok": "req-ok", "result=error": "req-bad", "result=open": "req-open", "source=override": "req-bad"}
    asked |= {"project=borea": "req-bad", "alias=deep": "req-bad", "source=environment": "req-open"}
    for query, wanted in asked.items():
        assert shown(boss, f"?{query}") == [wanted], query
    assert "Project: borea" in read(boss.get(f"{LIST}?project=borea")).text
    assert "No decisions match. Clear filters" in read(boss.get(f"{LIST}?result=truncated")).text


def test_an_outcome_of_the_server_counts_over_the_sweeper_s(boss: Client) -> None:
    both, swept = cast.decision(request_id="req-both"), cast.decision(request_id="req-swept")
    cast.outcome(both, origin="sweeper", result="interrupted")
    cast.outcome(both, result="truncated")
    cast.outcome(swept, origin="sweeper", result="interrupted")
    assert shown(boss, "?result=interrupted") == ["req-swept"]
    assert shown(boss, "?result=truncated") == ["req-both"]


def test_a_filter_that_takes_too_long__when_followed__then_shows_a_shorter_time_and_says_so(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.outcome(cast.decision(request_id="req-ok"))
    patient = cursor_for

    @contextmanager
    def impatient(seconds: float, hints: str) -> Iterator[CursorWrapper]:
        monkeypatch.setattr(audit, "cursor_for", patient)
        with patient(seconds, hints) as cursor:
            yield cursor
            raise OutOfTime

    monkeypatch.setattr(audit, "cursor_for", impatient)
    page = read(boss.get(f"{LIST}?when=all&result=ok&p=3", follow=True)).text
    assert "over the time “all” take the database too long. Here is “30 d”" in page
    assert "req-ok" in page


def test_choices_are_configured_and_never_read_from_the_audit(boss: Client) -> None:
    cast.project("atlas")
    cast.decision(project="made-up", alias="gone")
    text = read(boss.get(LIST)).text
    assert "Project: All All atlas" in text
    assert (text.count("made-up"), text.count("gone")) == (1, 1)


@pytest.mark.parametrize("query", ["reason__icontains=x", "ladder__contains=x", "id__lt=x", "project__in=a,b"])
def test_no_other_condition_reaches_the_database(boss: Client, query: str) -> None:
    cast.decision()
    assert boss.get(f"{LIST}?{query}").status_code == 400


def test_no_other_order_is_to_be_had(boss: Client) -> None:
    for name in ("b", "a", "c"):
        cast.decision(request_id=f"req-{name}", project=name)
    for query in ("?o=2", "?o=-2", "?o=11", "?o=99"):
        assert shown(boss, query) == ["req-c", "req-a", "req-b"]


def test_there_is_nothing_to_add_change_or_delete(boss: Client) -> None:
    made = cast.fallen_back()
    page = read(boss.get(LIST))
    assert not {"action", "_selected_action"} & {*page.values("select", "name"), *page.values("input", "name")}
    url = f"{LIST}{made.pk}/"
    for answer in (boss.get(f"{LIST}add/"), boss.post(f"{url}delete/", {"post": "yes"}), boss.get(f"{url}delete/")):
        assert answer.status_code == 403
    boss.post(f"{url}change/", {"project": "other"})
    assert Decision.objects.get().project == "atlas"


def test_the_time_in_an_id_that_nobody_made_is_no_error() -> None:
    condition = decision_filters.id_condition(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"))
    assert condition.children == [("pk__in", [])]
    assert decision_time("018bcfe56800" + "0" * 20) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_look_at_a_response__says_so(boss: Client) -> None:
    cast.decision(endpoint="responses.get", alias="", model_asked="o3-deep-research")
    assert "responses.get" in read(boss.get(LIST)).text
