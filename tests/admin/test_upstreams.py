"""Upstreams in the admin: superusers alone, secrets by reference and never shown."""

from __future__ import annotations

import pytest
from django.test import Client

from iwrouting.models import Upstream
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/upstream/"
SECRET = "sk-of-the-tests-alone"


@pytest.fixture
def eu(db: None, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """An upstream whose secret is found."""
    found = {"IW_UPSTREAM_EU": SECRET, "OPENAI_API_KEY": SECRET}
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: found)
    return Upstream.objects.create(slug="eu", base_url="https://eu.example.com/v1", secret_ref="env:IW_UPSTREAM_EU")


def page_of(row: Upstream) -> str:
    return f"{LIST}{row.pk}/change/"


def test_a_secret_is_found_or_missing_and_never_shown(boss: Client, eu: Upstream) -> None:
    Upstream.objects.create(slug="us", base_url="https://us.example.com/v1", secret_ref="env:IW_UPSTREAM_US")
    Upstream.objects.create(slug="no", base_url="https://no.example.com/v1")
    page = boss.get(LIST)
    for words in ("env:IW_UPSTREAM_EU found", "env:IW_UPSTREAM_US missing", "– not set"):
        assert words in read(page).text
    for answer in (page, boss.get(page_of(eu)), boss.get(f"{page_of(eu)}../history/")):
        assert SECRET not in answer.content.decode()


def test_the_upstream_of_the_environment_stands_above_the_list(boss: Client, eu: Upstream) -> None:
    text = read(boss.get(LIST)).text
    assert "the environment defines the upstream environment : https://api.openai.com/v1" in text
    assert "key env:OPENAI_API_KEY found" in text


def test_a_new_base_url_clears_the_reference_and_says_so(boss: Client, eu: Upstream) -> None:
    forms.fill(boss, page_of(eu), base_url="https://other.example.com/v1")
    eu.refresh_from_db()
    assert (eu.base_url, eu.secret_ref) == ("https://other.example.com/v1", "")
    assert "The base URL changed: the secret reference was cleared." in read(boss.get(LIST)).text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"base_url": "http://169.254.169.254/v1"}, "private, local or metadata address"),
        ({"base_url": "https://user:pass@example.com/v1"}, "must hold no user"),
        ({"secret_ref": SECRET}, "The reference must be env:OPENAI_API_KEY"),
        ({"secret_ref": "env:IW_SECRET_KEY"}, "The reference must be env:OPENAI_API_KEY"),
        ({"connect_timeout_s": "0"}, "greater than or equal to 0.1"),
    ],
)
def test_what_must_not_be_called_or_read_is_refused(
    boss: Client, eu: Upstream, fields: dict[str, str], fault: str
) -> None:
    assert fault in read(forms.fill(boss, page_of(eu), **fields)).text
    eu.refresh_from_db()
    assert eu.base_url == "https://eu.example.com/v1"


def test_the_names_of_the_environment_are_reserved(boss: Client) -> None:
    answer = forms.fill(boss, f"{LIST}add/", slug="openai", base_url="https://example.com/v1")
    assert "is the name of an upstream that the environment defines" in read(answer).text


def test_a_slug_in_other_letter_case_is_refused(boss: Client, eu: Upstream) -> None:
    answer = forms.fill(boss, f"{LIST}add/", slug="EU", base_url="https://example.com/v1")
    assert "'EU' differs from the upstream 'eu' by letter case alone" in read(answer).text


def test_only_superusers_edit_them_whatever_their_permissions(as_user: LoggedIn, eu: Upstream) -> None:
    every = [f"{do}_upstream" for do in ("view", "add", "change", "delete")]
    editor = as_user(cast.person("editor", *every))
    page = read(editor.get(page_of(eu)))
    assert "env:IW_UPSTREAM_EU" in page.text
    assert "_save" not in page.values("input", "name")
    assert f"{LIST}add/" not in read(editor.get(LIST)).values("a", "href")
    for url in (f"{LIST}add/", f"{LIST}{eu.pk}/delete/"):
        assert editor.get(url).status_code == 403
    assert editor.post(page_of(eu), {"slug": "eu", "base_url": "https://evil.example.com/v1"}).status_code == 403
    eu.refresh_from_db()
    assert eu.base_url == "https://eu.example.com/v1"
