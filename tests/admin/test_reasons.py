"""Every page that changes the configuration asks why, shows the effect, and has its findings acknowledged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from iwrouting.models import Alias, Change, HistoryRow, Model, Override, Project, Revision, Upstream
from tests.admin import cast, forms
from tests.admin.html import read

BASE = "/admin/iwrouting"
WHY = "Reason for change:"
TOO_SHORT = "Ensure this value has at least 5 characters"


@pytest.fixture
def fast(db: None) -> Alias:
    """An alias whose model has a price, beside another such model: nothing to be found against either."""
    for name in ("gpt-4.1", "gpt-5.1"):
        cast.model(name)
        cast.price(name)
    return cast.alias()


def page_of(row: Any) -> str:
    return f"{BASE}/{row._meta.model_name}/{row.pk}/change/"


def last() -> Change:
    return Change.objects.latest("id")


def test_save__with_a_reason__is_a_line_of_the_change_list_by_its_author(boss: Client, fast: Alias) -> None:
    answer = forms.fill(boss, page_of(fast), default_model="gpt-5.1", change_reason=" gpt-5.1 is cheaper ")
    assert answer.status_code == 302
    line = last()
    assert (line.author, line.via, line.reason) == ("boss", "admin", "gpt-5.1 is cheaper")
    row = HistoryRow.objects.latest("id")
    assert (row.revision, json.loads(row.changed)) == (line.revision, {"default_model": ["gpt-4.1", "gpt-5.1"]})


@pytest.mark.parametrize(("reason", "fault"), [("", "This field is required."), ("  abc  ", TOO_SHORT)])
def test_save__without_a_reason__is_refused_and_keeps_what_was_typed(
    boss: Client, fast: Alias, reason: str, fault: str
) -> None:
    before = Revision.current()
    answer = forms.fill(boss, page_of(fast), default_model="gpt-5.1", purpose="new words", change_reason=reason)
    assert fault in read(answer).text
    kept = forms.values_in(answer)
    assert (kept["default_model"], kept["purpose"], kept["change_reason"]) == (["gpt-5.1"], ["new words"], [reason])
    assert Revision.current() == before


def test_save__without_what_the_end_of_the_page_asks__says_so_at_its_head(boss: Client, fast: Alias) -> None:
    def head(**typed: str) -> str:
        text = read(forms.fill(boss, page_of(fast), default_model="gpt-9", acknowledge=False, **typed)).text
        return text[: text.index("Default model:")]

    said = "Nothing was saved yet. Still to give, at the end of this page:"
    tick = "the tick that you have seen the findings."
    assert f"{said} a reason for the change and {tick}" in head(change_reason="")
    assert f"{said} {tick}" in head(change_reason="It is on trial")
    assert said not in head(change_reason="", _preview="Preview")


def test_save__of_what_is_stored_already__says_so_and_makes_no_revision(boss: Client, fast: Alias) -> None:
    before = Revision.current()
    answer = forms.fill(boss, page_of(fast))
    assert "What stands here is what is stored already: nothing was saved." in read(answer).text
    assert Revision.current() == before


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5_000, "-1", "x", "\u0663"])
def test_post__with_keys_that_can_not_be__is_no_fault_of_ours(boss: Client, fast: Alias, number: str) -> None:
    asked = {"overrides-0-id": number, "overrides-TOTAL_FORMS": "1", "seen_revision": number}
    assert forms.fill(boss, page_of(fast), purpose="new words", **asked).status_code == 200
    assert boss.post(f"{BASE}/alias/{number}/delete/", {"post": "yes"}).status_code in (302, 404)
    assert boss.post(f"{BASE}/alias/{number}/change/", {"purpose": "x"}).status_code in (302, 404)


PAGES = ["alias/add/", "override/add/", "project/add/", "model/add/", "upstream/add/", "price/add/", "apikey/add/"]


@pytest.mark.parametrize("page", PAGES)
def test_add__of_every_kind__asks_why(boss: Client, page: str) -> None:
    text = read(boss.get(f"{BASE}/{page}")).text
    assert WHY in text
    assert "Preview shows here what saving would change" in text


def test_page_of_a_row__asks_why_once__and_says_who_changed_it_last(boss: Client, fast: Alias) -> None:
    Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial")
    forms.fill(boss, page_of(fast), purpose="quick answers", change_reason="It had no purpose")
    page = read(boss.get(page_of(fast)))
    assert page.text.count(WHY) == 1
    assert f"Last changed: revision {Revision.current()}," in page.text
    assert "by boss (admin): It had no purpose" in page.text
    assert f"{BASE}/change/?object=alias%3A{fast.pk}" in page.values("a", "href")
    assert "Why it exists" in read(boss.get(f"{BASE}/override/add/")).text


def test_preview__shows_what_would_serve__saves_nothing_and_keeps_what_was_typed(boss: Client, fast: Alias) -> None:
    before = Revision.current()
    answer = forms.fill(boss, page_of(fast), default_model="gpt-5.1", change_reason="", _preview="Preview")
    text = read(answer).text
    assert "fast all projects now gpt-4.1 default gpt-5.1 default" in text
    assert "alias fast default model gpt-4.1 gpt-5.1" in text
    assert "This field is required" not in text
    assert forms.values_in(answer)["default_model"] == ["gpt-5.1"]
    assert (Revision.current(), Change.objects.filter(author="boss").count()) == (before, 0)


def test_preview__of_a_scheduled_override__says_from_when_it_would_serve(boss: Client, fast: Alias) -> None:
    asked = {"alias": fast.pk, "model": "gpt-5.1", "starts_at_0": "2999-01-02", "starts_at_1": "00:00:00"}
    asked |= {"expires_at_0": "", "expires_at_1": "", "_preview": "Preview"}
    text = read(forms.fill(boss, f"{BASE}/override/add/", **asked)).text
    assert "fast all projects 2999-01-02 00:00:00 gpt-4.1 default gpt-5.1 override" in text


def test_kill_switch__previewed__says_which_aliases_fall_back_to_what(boss: Client, fast: Alias) -> None:
    fast.chain = ["gpt-5.1"]
    fast.save()
    row = Model.objects.get(model_id="gpt-4.1")
    text = read(forms.fill(boss, page_of(row), enabled=None, _preview="Preview")).text
    assert "gpt-4.1 default passed over: gpt-5.1 serves" in text


def test_findings__are_listed_with_a_tick__and_stored_once_acknowledged(boss: Client, fast: Alias) -> None:
    before = Revision.current()
    asked = forms.fill(boss, page_of(fast), default_model="gpt-9", acknowledge=False)
    text = read(asked).text
    assert "Save anyway: I have seen these" in text
    assert "model_unverified alias fast:" in text
    assert Revision.current() == before
    data = forms.values_in(asked) | {"acknowledge": ["on"]}
    assert forms.send(boss, page_of(fast), data, acknowledge=False).status_code == 302
    stored = json.loads(last().details)["findings"]
    assert {(each["code"], each["acknowledged"]) for each in stored} == {
        ("model_unverified", True),
        ("price_missing", True),
    }


def test_tick__for_other_findings__is_asked_again(boss: Client, fast: Alias) -> None:
    asked = forms.fill(boss, page_of(fast), default_model="gpt-9", acknowledge=False)
    data = forms.values_in(asked) | {"acknowledge": ["on"]}
    again = forms.send(boss, page_of(fast), data, acknowledge=False, default_model="gpt-10")
    page = read(again)
    assert "gpt-10" in page.text
    assert "acknowledge" not in forms.values_in(again), "not ticked for what nobody has seen"
    fast.refresh_from_db()
    assert fast.default_model == "gpt-4.1"


def test_refusal__stands_at_its_field__also_in_a_row_of_the_table(boss: Client, fast: Alias) -> None:
    cast.model("vectors", endpoints=["embeddings"])
    Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial")
    answer = forms.fill(boss, page_of(fast), **{"overrides-0-model": "vectors", "purpose": "new words"})
    assert "vectors makes embeddings only" in answer.content.decode().split('class="field-model"')[1]
    assert forms.values_in(answer)["purpose"] == ["new words"]


ACTIONS = [
    ("override", "disable"),
    ("override", "enable"),
    ("project", "disable"),
    ("model", "enable"),
    ("model", "reset_breakers"),
    ("upstream", "reset_breakers"),
]


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_action__asks_why_on_a_page_of_its_own__and_is_one_change(
    boss: Client, fast: Alias, name: str, action: str
) -> None:
    on = action != "enable"
    rows: dict[str, Any] = {
        "override": lambda: Override.objects.create(alias=fast, model="gpt-5.1", enabled=on),
        "project": cast.project,
        "model": lambda: cast.model("gpt-6", enabled=on),
        "upstream": lambda: Upstream.objects.create(slug="eu", base_url="https://eu.example.com/v1"),
    }
    row, url = rows[name](), f"{BASE}/{name}/"
    before = Revision.current()
    assert WHY in read(boss.post(url, {"action": action, "_selected_action": [row.pk]})).text
    assert TOO_SHORT in read(forms.act(boss, url, action, row, change_reason="abc")).text
    assert Revision.current() == before
    forms.act(boss, url, action, row, change_reason="As agreed with Ann")
    assert Revision.current() == before + 1
    assert (last().author, last().reason) == ("boss", "As agreed with Ann")


def test_disable__of_a_model_in_use__has_its_effect_acknowledged(boss: Client, fast: Alias) -> None:
    fast.chain = ["gpt-5.1"]
    fast.save()
    row, url = Model.objects.get(model_id="gpt-4.1"), f"{BASE}/model/"
    text = read(forms.act(boss, url, "disable", row, acknowledge=False)).text
    assert "passed over: gpt-5.1 serves" in text
    assert "switched_off model gpt-4.1: gpt-4.1 is switched off: gpt-5.1 serves fast." in text
    row.refresh_from_db()
    assert row.enabled
    forms.act(boss, url, "disable", row)
    row.refresh_from_db()
    assert not row.enabled


def test_delete__asks_why_and_shows_what_would_serve(boss: Client, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, project=cast.project(), model="gpt-5.1", reason="A trial")
    url = f"{BASE}/override/{row.pk}/delete/"
    text = read(boss.get(url)).text
    assert "fast atlas now gpt-5.1 project_override gpt-4.1 default" in text
    assert "This field is required." in read(forms.confirm(boss, url, change_reason="")).text
    assert Override.objects.exists()
    forms.confirm(boss, url, change_reason="The trial ended")
    assert not Override.objects.exists()
    assert last().reason == "The trial ended"


@pytest.mark.usefixtures("strict_changes")
def test_change_by_sql__is_told_on_the_form_with_what_to_do(boss: Client, db: None) -> None:
    forms.fill(boss, f"{BASE}/project/add/", slug="atlas")
    row = Project.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iwrouting_project SET owner = 'mallory'")
    answer = forms.fill(boss, page_of(row), name="Atlas")
    assert "the configuration was changed by SQL after revision 1" in read(answer).text
    assert "config_adopt" in read(answer).text
    assert forms.values_in(answer)["name"] == ["Atlas"]
    listed = forms.act(boss, f"{BASE}/project/", "disable", row)
    assert "the configuration was changed by SQL after revision 1" in read(listed).text
