"""Overrides in the admin: their state, what they change, and the actions through save()."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from iwrouting.admin.filters import override_states
from iwrouting.admin.overrides import STATES, state_badge
from iwrouting.models import Alias, Override, Project, Revision
from iwrouting.types import State
from tests.admin import cast, forms
from tests.admin.html import read

LIST = "/admin/iwrouting/override/"
ADD = f"{LIST}add/"
HOUR = timedelta(hours=1)


@pytest.fixture
def fast(db: None) -> Alias:
    cast.model()
    return cast.alias()


def override(alias: Alias, project: Project | None = None, **fields: Any) -> Override:
    return Override.objects.create(alias=alias, project=project, **{"model": "gpt-5.1", **fields})


def page_of(row: Override) -> str:
    return f"{LIST}{row.pk}/change/"


STATE_CASES: list[tuple[str, dict[str, Any]]] = [
    ("in_force", {}),
    ("in_force", {"starts_at": -HOUR, "expires_at": 240 * HOUR}),
    ("scheduled", {"starts_at": HOUR}),
    ("scheduled", {"starts_at": HOUR, "expires_at": 2 * HOUR}),
    ("expired", {"expires_at": -HOUR}),
    ("expired", {"starts_at": -2 * HOUR, "expires_at": -HOUR}),
    ("disabled", {"enabled": False}),
    ("disabled", {"enabled": False, "expires_at": -HOUR}),
]


@pytest.mark.parametrize(("state", "fields"), STATE_CASES)
def test_the_filter_agrees_with_the_resolver(boss: Client, fast: Alias, state: str, fields: dict[str, Any]) -> None:
    now = timezone.now()
    moved: dict[str, Any] = {name: now + at if isinstance(at, timedelta) else at for name, at in fields.items()}
    row = override(fast, **moved)
    assert state_badge(row) == STATES[State.USED if state == "in_force" else State(state)]
    met = {name for name, asked in override_states(now).items() if Override.objects.filter(asked).exists()}
    assert met - {"expiring"} == {state}
    assert "1 override" in read(boss.get(f"{LIST}?state={state}")).text


def test_those_that_end_soon_are_found(boss: Client, fast: Alias) -> None:
    override(fast, expires_at=timezone.now() + timedelta(days=6))
    override(fast, cast.project(), expires_at=timezone.now() + timedelta(days=8))
    assert "1 override" in read(boss.get(f"{LIST}?state=expiring")).text


def test_the_list_names_the_scope(boss: Client, fast: Alias) -> None:
    override(fast)
    override(fast, cast.project("atlas"), reason=cast.HOSTILE)
    text = read(boss.get(LIST)).text
    assert "all projects" in text
    assert cast.HOSTILE in text
    assert "1 override" in read(boss.get(f"{LIST}?project=*")).text
    assert "1 override" in read(boss.get(f"{LIST}?project=atlas")).text
    assert "No overrides match" in read(boss.get(f"{LIST}?project=nosuch")).text


def test_the_list_asks_a_fixed_number_of_questions(
    boss: Client, fast: Alias, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        override(fast, cast.project(f"p{number}"))
    with django_assert_max_num_queries(20):
        boss.get(LIST)


def test_several_are_disabled_and_enabled_under_one_revision(boss: Client, fast: Alias) -> None:
    rows = [override(fast, cast.project(slug)) for slug in ("atlas", "borea")]
    rows.append(override(fast, enabled=False))
    before = Revision.current()
    answer = forms.act(boss, LIST, "disable", *rows)
    assert "Disabled 2 overrides." in read(answer).text
    assert Revision.current() == before + 1
    assert LogEntry.objects.count() == 2
    assert not Override.objects.filter(enabled=True).exists()
    answer = forms.act(boss, LIST, "enable", rows[0])
    assert "Enabled 1 override." in read(answer).text


def test_a_new_one_ends_after_thirty_days(boss: Client, fast: Alias) -> None:
    forms.fill(boss, ADD, alias=fast.pk, model="gpt-5.1")
    made = Override.objects.get()
    assert made.enabled
    assert made.expires_at is not None
    assert timedelta(days=29) < made.expires_at - timezone.now() < timedelta(days=31)


def test_a_cleared_expiry_keeps_it_for_good(boss: Client, fast: Alias) -> None:
    forms.fill(boss, ADD, alias=fast.pk, model="gpt-5.1", expires_at_0="", expires_at_1="")
    assert Override.objects.get().expires_at is None


def test_the_form_shows_what_serves_and_what_would_without_it(boss: Client, fast: Alias) -> None:
    row = override(fast, cast.project())
    text = read(boss.get(page_of(row))).text
    assert "Serving now: gpt-5.1 project_override" in text
    assert "Without it: gpt-4.1 default" in text


def test_one_that_changes_nothing_is_saved_with_a_warning(boss: Client, fast: Alias) -> None:
    asked = read(forms.fill(boss, ADD, alias=fast.pk, model="gpt-4.1", acknowledge=False)).text
    assert "changes nothing today: gpt-4.1 serves without it too (default)" in asked
    forms.fill(boss, ADD, alias=fast.pk, model="gpt-4.1")
    assert Override.objects.get().model == "gpt-4.1"


def test_a_second_of_the_same_scope_is_refused_with_a_link_to_the_first(boss: Client, fast: Alias) -> None:
    atlas = cast.project()
    first, everywhere = override(fast, atlas), override(fast)
    page = read(forms.fill(boss, ADD, alias=fast.pk, project=atlas.pk, model="gpt-4.1"))
    assert "The project atlas has an override of fast already ( gpt-5.1 ): edit that one." in page.text
    assert page_of(first) in page.values("a", "href")
    page = read(forms.fill(boss, ADD, alias=fast.pk, model="gpt-4.1"))
    assert "Every project has an override of fast already" in page.text
    assert page_of(everywhere) in page.values("a", "href")
    assert Override.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"model": "not a model"}, "Enter a model id such as gpt-4.1"),
        ({"model": "embedder"}, "embedder makes embeddings only"),
        ({"expires_at_0": "2020-01-01"}, "This time has passed"),
        ({"starts_at_0": "2999-01-01", "starts_at_1": "00:00"}, "It must start before it expires."),
    ],
)
def test_what_can_not_work_is_refused_in_words(boss: Client, fast: Alias, fields: dict[str, str], fault: str) -> None:
    cast.model("embedder", endpoints=["embeddings"])
    answer = forms.fill(boss, ADD, **{"alias": fast.pk, "model": "gpt-5.1", **fields})
    assert fault in read(answer).text
    assert not Override.objects.exists()


def test_an_expired_one_can_still_be_edited(boss: Client, fast: Alias) -> None:
    row = override(fast, expires_at=timezone.now().replace(microsecond=0) - HOUR)
    assert forms.fill(boss, page_of(row), reason="kept as a note").status_code == 302
    row.refresh_from_db()
    assert row.reason == "kept as a note"
