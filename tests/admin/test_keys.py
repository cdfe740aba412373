"""API keys in the admin: shown once, found by their hash, revoked for good."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from iwrouting.models import ApiKey, Project, Revision, well_formed
from iwrouting.models.keys import hash_key
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/apikey/"
ADD = f"{LIST}add/"
KEY = re.compile(r"iw_[0-9a-f]{10}_[0-9a-f]{72}")


@pytest.fixture
def atlas(db: None) -> Project:
    return cast.project()


def page_of(key: ApiKey, page: str = "change") -> str:
    return f"{LIST}{key.pk}/{page}/"


def test_a_key_is_shown_once_in_the_answer_to_its_form(boss: Client, atlas: Project) -> None:
    answer = forms.fill(boss, ADD, name="notebook", project=atlas.pk)
    page = read(answer)
    text = KEY.findall(page.text)[0]
    made = ApiKey.objects.get()
    assert well_formed(text)
    assert made.sha256 == hash_key(text)
    assert text.startswith(f"iw_{made.key_id}_")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "curl http://testserver/v1/chat/completions" in page.text
    assert page.faults == []


def test_a_key_stands_nowhere_afterwards(boss: Client, atlas: Project) -> None:
    answer = forms.fill(boss, ADD, name="notebook", project=atlas.pk, scopes=["call", "manage"])
    text = KEY.findall(answer.content.decode())[0]
    made = ApiKey.objects.get()
    secret = text.removeprefix(f"iw_{made.key_id}_")
    pages = [LIST, page_of(made), page_of(made, "history"), page_of(made, "revoke"), "/admin/"]
    stored = [boss.get(page).content.decode() for page in pages]
    stored += [str(row) for row in LogEntry.objects.values()] + [str(row) for row in ApiKey.objects.values()]
    stored += [str(session.get_decoded()) for session in Session.objects.all()]
    stored += [morsel.value for morsel in [*answer.cookies.values(), *boss.cookies.values()]]
    assert not any(secret in each for each in stored)


def test_a_key_has_the_usual_scopes_and_a_year(boss: Client, atlas: Project) -> None:
    forms.fill(boss, ADD, name="notebook", project=atlas.pk)
    made = ApiKey.objects.get()
    assert set(made.scopes) == {"resolve", "call"}
    assert made.expires_at is not None
    assert timedelta(days=364) < made.expires_at - timezone.now() <= timedelta(days=365)
    assert (made.created_by, made.projects, made.allowed_aliases, made.allowed_models) == ("boss", [], None, None)


def test_limits_are_written_as_lines(boss: Client, atlas: Project) -> None:
    cast.project("borea")
    asked: dict[str, Any] = {
        "name": "n",
        "project": atlas.pk,
        "projects": "borea",
        "allowed_models": "gpt-4.1, gpt-5.1",
    }
    forms.fill(boss, ADD, **asked)
    made = ApiKey.objects.get()
    assert (made.projects, made.allowed_aliases, made.allowed_models) == (["borea"], None, ["gpt-4.1", "gpt-5.1"])
    assert forms.values(boss, page_of(made))["allowed_models"] == ["gpt-4.1\ngpt-5.1"]
    forms.fill(boss, page_of(made), allowed_models="")
    made.refresh_from_db()
    assert made.allowed_models is None


def test_wide_reach_is_saved_with_a_warning(boss: Client, atlas: Project) -> None:
    answer = forms.fill(boss, ADD, name="n", project=atlas.pk, scopes=["call", "manage"], projects="*")
    assert "This key reaches far: manage, all projects." in read(answer).text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"scopes": None}, "This field is required."),
        ({"scopes": ["call", "root"]}, "root is not one of the available choices."),
        ({"projects": "nosuch"}, "No such project: nosuch."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_key_that_can_not_work_is_not_made(boss: Client, atlas: Project, fields: dict[str, Any], fault: str) -> None:
    answer = forms.fill(boss, ADD, **{"name": "n", "project": atlas.pk, **fields})
    assert fault in read(answer).text
    assert not KEY.search(answer.content.decode())
    assert not ApiKey.objects.exists()


def test_revoking_asks_first_and_is_for_good(boss: Client, atlas: Project) -> None:
    key = cast.key(atlas)
    assert page_of(key, "revoke") in read(boss.get(page_of(key))).values("a", "href")
    assert "This can't be undone" in read(boss.get(page_of(key, "revoke"))).text
    assert not ApiKey.objects.exclude(revoked_at=None).exists()
    before = Revision.current()
    forms.fill(boss, page_of(key, "revoke"), change_reason="")
    assert Revision.current() == before
    text = read(forms.confirm(boss, page_of(key, "revoke"))).text
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert Revision.current() == before + 1
    assert f"Revoked iw_{key.key_id}" in text
    assert LogEntry.objects.get().get_change_message() == "Changed Revoked at."
    assert page_of(key, "revoke") not in read(boss.get(page_of(key))).values("a", "href")
    again = boss.post(page_of(key, "revoke"), follow=True)
    assert "is revoked already" in read(again).text
    assert Revision.current() == before + 1


def test_a_key_is_never_deleted(boss: Client, atlas: Project) -> None:
    key = cast.key(atlas)
    assert boss.post(page_of(key, "delete"), {"post": "yes"}).status_code == 403
    page = read(boss.get(f"/admin/iwrouting/project/{atlas.pk}/delete/")).text
    assert "delete the following types of objects: API key" in page
    boss.post(f"/admin/iwrouting/project/{atlas.pk}/delete/", {"post": "yes", "change_reason": forms.REASON})
    assert ApiKey.objects.filter(pk=key.pk).exists()


def test_who_may_only_view_can_not_revoke(as_user: LoggedIn, atlas: Project) -> None:
    key = cast.key(atlas)
    viewer = as_user(cast.person("viewer", "view_apikey"))
    assert page_of(key, "revoke") not in read(viewer.get(page_of(key))).values("a", "href")
    for answer in (viewer.get(page_of(key, "revoke")), viewer.post(page_of(key, "revoke")), viewer.get(ADD)):
        assert answer.status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_key_that_does_not_exist_can_not_be_revoked(boss: Client) -> None:
    assert boss.get(f"{LIST}999/revoke/").status_code == 403


def test_the_list_tells_each_key_s_state(boss: Client, atlas: Project) -> None:
    now = timezone.now()
    cast.key(atlas, "one")
    cast.key(atlas, "two", expires_at=now - timedelta(days=1))
    cast.key(atlas, "three", revoked_at=now)
    cast.key(cast.project("borea"), "four", expires_at=now + timedelta(days=9))
    text = read(boss.get(LIST)).text
    for state in ("active", "expired", "revoked"):
        assert state in text
    for state, name in {"expired": "two", "revoked": "three", "expiring": "four"}.items():
        chosen = read(boss.get(f"{LIST}?state={state}")).text
        assert name in chosen
        assert "1 API key" in chosen
    assert "2 API keys" in read(boss.get(f"{LIST}?state=active")).text
    assert "3 API keys" in read(boss.get(f"{LIST}?project=atlas")).text
