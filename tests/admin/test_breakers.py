"""The breakers' transitions in the admin, what is not closed now, and a new chance for a target."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from iwrouting.models import Model, Revision, Upstream
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/breakerevent/"


def test_list__shows_each_transition_and_above_it_what_is_not_closed(boss: Client) -> None:
    made = cast.fallen_back()
    cast.breaker_event(decision_id=made.pk)
    cast.breaker_event(writer_id="worker-2")
    cast.breaker_event(model="gpt-4.1", reason="http_503")
    cast.breaker_event(model="gpt-4.1", before="open", state="half_open", reason="probe", open_ms=None)
    cast.breaker_event(model="", reason="insufficient_quota")
    cast.breaker_event(model="gpt-5-mini", at=timezone.now() - timedelta(minutes=1))
    cast.breaker_event(model="gpt-5-mini", before="half_open", state="closed", reason="answered", open_ms=None)
    page = read(boss.get(LIST))
    standing, _, events = page.text.partition("To give a target a new chance")
    assert "gpt-5.1-codex at environment open model_not_found 2" in standing
    assert "gpt-4.1 at environment half_open probe 1" in standing
    assert "under way" in standing
    assert "the account at environment open insufficient_quota 1" in standing
    assert "gpt-5-mini" not in standing
    assert "closed → open" in events
    assert "300 s" in events
    assert f"/admin/iwrouting/decision/{made.pk}/change/" in page.values("a", "href")
    assert "env:OPENAI_API_KEY" not in page.text


def test_list__finds_by_state(boss: Client) -> None:
    cast.breaker_event(reason="first")
    cast.breaker_event(before="half_open", state="closed", reason="second", open_ms=None)
    _, _, found = read(boss.get(f"{LIST}?state=open")).text.partition("300 s")
    assert "second" not in found


def test_list__without_transitions__says_so(boss: Client) -> None:
    page = read(boss.get(LIST))
    assert "Every breaker of the last day is closed." in page.text
    assert "No breaker has opened yet." in page.text


def test_transitions__are_nobodys_to_write(boss: Client) -> None:
    event = cast.breaker_event()
    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.get(f"{LIST}{event.pk}/delete/").status_code == 403
    assert "_save" not in read(boss.get(f"{LIST}{event.pk}/change/")).values("input", "name")


def test_reset__saves_the_rows_as_they_are_under_a_new_revision_and_says_who_did_it(boss: Client) -> None:
    model = cast.model()
    upstream = Upstream.objects.create(slug="eu", base_url="https://eu.example.com/v1")
    for name, row in (("model", model), ("upstream", upstream)):
        revision, before = Revision.current(), row.updated_at
        page = read(forms.act(boss, f"/admin/iwrouting/{name}/", "reset_breakers", row))
        assert f"Reset the breakers of 1 {name}." in page.text
        row.refresh_from_db()
        assert row.updated_at > before
        assert Revision.current() == revision + 1
        assert "Reset its breakers." in LogEntry.objects.latest("id").change_message


@pytest.mark.parametrize("group", ["Operator", "Editor"])
def test_reset__is_for_operators_who_may_change_nothing_else_of_the_row(as_user: LoggedIn, group: str) -> None:
    model = cast.model()
    olga = cast.person("olga")
    olga.groups.set(Group.objects.filter(name=group))
    page = read(forms.act(as_user(olga), "/admin/iwrouting/model/", "reset_breakers", model))
    assert "Reset the breakers of 1 model." in page.text
    assert Model.objects.get(pk=model.pk).updated_at > model.updated_at


def test_reset__is_not_for_people_who_may_only_view(as_user: LoggedIn) -> None:
    model = cast.model()
    viewer = as_user(cast.person("viewer", "view_model"))
    viewer.post("/admin/iwrouting/model/", {"action": "reset_breakers", "_selected_action": [model.pk]})
    assert Model.objects.get(pk=model.pk).updated_at == model.updated_at
