"""Replacing a model on a page: the plan, how the models differ, what it leaves; then exactly that, by who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iwrouting.models import Alias, Change, Override, Revision
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

URL = "/admin/config/replace/"
ASKED = f"{URL}?old=gpt-4.1&new=gpt-5.1"
WHY = "It ends in January"
VIEWER = ("view_model", "view_alias", "view_override")


@pytest.fixture
def fast(db: None) -> Alias:
    cast.model("gpt-4.1", replacement="gpt-5.1")
    cast.model("gpt-5.1", endpoints=["responses"])
    cast.price("gpt-4.1")
    cast.price("gpt-5.1", input_pico=4_000_000)
    fast = cast.alias("fast")
    Override.objects.create(alias=cast.alias("code", chain=["gpt-4.1"]), model="gpt-4.1", enabled=False)
    return fast


def replaced(client: Client, url: str, **values: Any) -> Any:
    """The answer to the button."""
    return forms.fill(client, url, **{"change_reason": WHY, "apply": "1", **values})


def test_plan__is_shown_first__and_then_made(boss: Client, fast: Alias) -> None:
    before = Revision.current()
    page = read(boss.get(ASKED))
    assert "Replace gpt-4.1 by gpt-5.1 in all defaults, overrides and chains." in page.text
    assert "alias fast change default_model gpt-4.1 gpt-5.1" in page.text
    assert "dearer: 2 times as much" in page.text
    assert "chat calls are translated to responses" in page.text
    assert "document the written matrix" in page.text
    assert page.faults == []
    assert Revision.current() == before
    answer = replaced(boss, ASKED)
    assert answer.headers["Location"] == f"/admin/iwrouting/change/revision/{before + 1}/"
    assert set(Alias.objects.values_list("default_model", flat=True)) == {"gpt-5.1"}
    assert (Override.objects.get().model, Alias.objects.get(name="code").chain) == ("gpt-5.1", ["gpt-5.1"])
    line = Change.objects.get(revision=before + 1)
    assert (line.author, line.via, line.reason) == ("boss", "admin", WHY)
    assert f"Replaced gpt-4.1 by gpt-5.1 as revision {before + 1}." in read(boss.get("/admin/")).text


def test_new_model__that_nobody_names__is_the_catalogue_s(boss: Client, fast: Alias) -> None:
    assert "Replace gpt-4.1 by gpt-5.1 in all" in read(boss.get(f"{URL}?old=gpt-4.1")).text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "Name the model that is to go."),
        ("?old=gpt-4.11", "Nothing names a model 'gpt-4.11', and it is not among the models. Did you mean gpt-4.1?"),
        ("?old=gpt-5.1", "The catalogue names no replacement for gpt-5.1"),
        ("?old=%3Cscript%3Ealert(1)%3C/script%3E&new=x", "it is not among the models"),
    ],
)
def test_page__of_what_can_not_be_meant__says_what_can(boss: Client, fast: Alias, query: str, told: str) -> None:
    answer = boss.get(URL + query)
    assert told in read(answer).text
    assert cast.HOSTILE.encode() not in answer.content
    assert "apply" not in read(answer).values("input", "name")


def test_page__for_who_may_not__shows_no_button_and_no_keys(as_user: LoggedIn, fast: Alias) -> None:
    key = cast.key(cast.project(), allowed_models=["gpt-4.1"])
    viewer = as_user(cast.person("vera", *VIEWER))
    page = read(viewer.get(ASKED))
    assert "apply" not in page.values("input", "name")
    assert key.key_id not in page.text
    assert viewer.post(ASKED, {"apply": "1", "change_reason": WHY}).status_code == 403
    assert fast.default_model == Alias.objects.get(name="fast").default_model
    assert as_user(cast.person("kim", *VIEWER[1:])).get(ASKED).status_code == 403
    assert key.key_id in read(as_user(cast.person("karl", *VIEWER, "view_apikey")).get(ASKED)).text


def test_model_s_page__leads_there(boss: Client, as_user: LoggedIn, fast: Alias) -> None:
    model = cast.model("acme/a+b")
    url = f"/admin/iwrouting/model/{model.pk}/change/"
    assert f"{URL}?old=acme/a%2Bb" in read(boss.get(url)).values("a", "href")
    assert not [
        each for each in read(as_user(cast.person("moe", "view_model")).get(url)).values("a", "href") if URL in each
    ]
