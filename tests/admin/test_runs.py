"""Runs: read-only, but for whoever may raise the limit of one; each raise is recorded with its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from iwrouting.audit import new_id
from iwrouting.models import Run, RunRaise, RunReservation
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/run/"


@pytest.fixture
def run(db: None) -> Run:
    """A run of atlas, whose runs may take 1,000 tokens."""
    cast.project("atlas", max_run_tokens=1_000)
    return cast.run(refused_calls=3)


def url(run: Run, page: str) -> str:
    return f"{LIST}{run.pk}/{page}/"


def test_list__shows_budget_and_what_calls_under_way_reserved(boss: Client, run: Run) -> None:
    later, gone = timezone.now() + timedelta(minutes=5), timezone.now() - timedelta(minutes=5)
    RunReservation.objects.create(decision_id=new_id(), run=run, tokens=70, expires_at=later)
    RunReservation.objects.create(decision_id=new_id(), run=run, tokens=8_888, expires_at=gone)
    cast.run("other", project="")
    text = read(boss.get(f"{LIST}?q=nightly")).text
    for words in ("nightly-42", "900", "8,958", "1,000 (the project 'atlas')", "3"):
        assert words in text
    assert "other" not in text


def test_list__any_number_of_runs__costs_the_same_queries(
    boss: Client, run: Run, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        cast.run(f"run-{number}")
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        boss.get(LIST)


def test_raise__by_an_operator__holds_for_this_run_and_is_recorded(as_user: LoggedIn, run: Run) -> None:
    client = as_user(cast.person("olga", "view_run", "change_run", "view_runraise"))
    assert url(run, "raise") in read(client.get(url(run, "change"))).values("a", "href")
    answer = forms.fill(client, url(run, "raise"), tokens="5000", reason="Larger import")
    assert (answer.status_code, answer.headers["Location"]) == (302, url(run, "change"))
    run.refresh_from_db()
    assert (run.limit_tokens, run.used_tokens) == (5_000, 900)
    made = RunRaise.objects.get()
    assert (made.run_id, made.by, made.via, made.reason) == (run.pk, "olga", "admin", "Larger import")
    assert (made.before_tokens, made.after_tokens) == (1_000, 5_000)
    assert "Limit" in LogEntry.objects.get().get_change_message()
    text = read(client.get(url(run, "change"))).text
    assert "1,000 → 5,000 tokens. Larger import" in text
    assert "5,000 (raised by an operator)" in text


@pytest.mark.parametrize(
    ("tokens", "reason", "fault"),
    [
        ("1000", "Larger import", "must be more than the limit now, 1000"),
        ("9999999999999999999", "Larger import", "must be more than the limit now"),
        ("0", "Larger import", "greater than or equal to 1"),
        ("many", "Larger import", "Enter a whole number"),
        ("5000", "", "This field is required"),
        ("5000", "why", "at least 5 characters"),
    ],
)
def test_raise__no_higher_or_without_a_reason__is_refused(
    boss: Client, run: Run, tokens: str, reason: str, fault: str
) -> None:
    answer = forms.fill(boss, url(run, "raise"), tokens=tokens, reason=reason)
    assert answer.status_code == 200
    assert fault in read(answer).text
    assert not RunRaise.objects.exists()
    run.refresh_from_db()
    assert run.limit_tokens is None


def test_raise__run_without_any_limit__is_refused(boss: Client, db: None) -> None:
    run = cast.run(project="")
    assert url(run, "raise") not in read(boss.get(url(run, "change"))).values("a", "href")
    answer = forms.fill(boss, url(run, "raise"), tokens="5000", reason="Larger import")
    assert "This run has no limit" in read(answer).text


def test_raise__without_the_permission__is_neither_offered_nor_taken(as_user: LoggedIn, run: Run) -> None:
    client = as_user(cast.person("viewer", "view_run"))
    assert url(run, "raise") not in read(client.get(url(run, "change"))).values("a", "href")
    assert client.get(url(run, "raise")).status_code == 403
    assert client.post(url(run, "raise"), {"tokens": "5000", "reason": "Larger import"}).status_code == 403
    assert not RunRaise.objects.exists()


def test_raise__run_that_does_not_exist__is_a_404(boss: Client) -> None:
    assert boss.get(f"{LIST}999/raise/").status_code == 404


def test_runs__nobody_adds_changes_or_deletes_one(boss: Client, run: Run) -> None:
    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.post(url(run, "change"), {"used_tokens": "0"}).status_code == 403
    assert boss.post(url(run, "delete"), {"post": "yes"}).status_code == 403
    assert Run.objects.get().used_tokens == 900


def test_raise__once_recorded__can_not_be_changed(run: Run) -> None:
    made = run.raise_limit(to=5_000, reason="Larger import", by="olga", via="CLI")
    made.reason = "Another story"
    with pytest.raises(DatabaseError, match="insert-only"):
        made.save()
