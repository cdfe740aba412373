"""Restoring on a page: the plan first, then exactly that, with a reason, by who may, as a new revision."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iwrouting.models import Alias, ApiKey, Change, Model, Override, Project, Revision
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

URL = "/admin/config/restore/"
WHY = "It was better before"
EDITOR = ("view_change", "view_alias", "add_alias", "change_alias", "delete_alias")


@pytest.fixture
def fast(db: None) -> Alias:
    for name in ("gpt-4.1", "gpt-5.1"):
        cast.model(name)
        cast.price(name)
    return cast.alias("fast")


def saved(row: Any, **values: Any) -> int:
    """The revision that a change of some columns became."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return Revision.current()


def address(revision: int, row: Any = None) -> str:
    """Where a row, or all, is restored."""
    word = {"apikey": "key"}.get(row._meta.model_name, row._meta.model_name) if row is not None else ""
    return f"{URL}?revision={revision}" + (f"&object={word}:{row.pk}" if word else "")


def restored(client: Client, url: str, **values: Any) -> Any:
    """The answer to the button."""
    return forms.fill(client, url, **{"change_reason": WHY, "apply": "1", **values})


def test_one_row__is_shown_first_and_then_restored(boss: Client, fast: Alias) -> None:
    first = Revision.current()
    last = saved(fast, default_model="gpt-5.1", tier="mid")
    page = read(boss.get(address(first, fast)))
    assert f"Restore the alias fast of revision {first}." in page.text
    assert "alias fast change default_model gpt-5.1 gpt-4.1" in page.text
    assert "fast all projects now gpt-5.1" in page.text
    assert page.faults == []
    assert Revision.current() == last
    answer = restored(boss, address(first, fast))
    fast.refresh_from_db()
    assert (fast.default_model, fast.tier) == ("gpt-4.1", "")
    line = Change.objects.get(revision=last + 1)
    assert (line.author, line.via, line.reason, line.details) == ("boss", "admin", WHY, f'{{"restored": {first}}}')
    assert answer.headers["Location"] == f"/admin/iwrouting/change/revision/{last + 1}/"
    assert f"Restored the alias fast of revision {first} as revision" in read(boss.get("/admin/")).text


def test_whole_configuration__comes_back_but_for_the_keys(boss: Client, fast: Alias) -> None:
    key = cast.key(cast.project())
    first = Revision.current()
    Override.objects.create(alias=fast, model="gpt-5.1")
    fast.refresh_from_db()
    saved(fast, tier="mid")
    Project.objects.create(slug="new")
    saved(key, scopes=["call"])
    page = read(boss.get(address(first)))
    assert f"Restore the configuration of revision {first}." in page.text
    assert "override fast for all projects delete" in page.text
    assert restored(boss, address(first)).status_code == 302
    assert (Override.objects.count(), Project.objects.filter(slug="new").count()) == (0, 0)
    assert ApiKey.objects.get().scopes == ["call"]


def test_deleted_row__comes_back_under_its_own_number(boss: Client, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, model="gpt-5.1")
    number = row.pk
    row.delete()
    last = Revision.current()
    page = read(boss.get(f"/admin/iwrouting/change/revision/{last}/", follow=True))
    there = next(each for each in page.values("a", "href") if URL in each and "object" in each)
    assert there == f"{URL}?revision={last - 1}&object=override:{number}"
    assert restored(boss, there).status_code == 302
    assert Override.objects.get().pk == number


def test_reference_to_what_is_gone__is_named_and_stops_it(boss: Client, fast: Alias) -> None:
    atlas = cast.project()
    row = Override.objects.create(alias=fast, project=atlas, model="gpt-5.1")
    url = address(Revision.current(), row)
    row.delete()
    Model.objects.get(model_id="gpt-5.1").delete()
    page = read(boss.get(url))
    number = Change.objects.count()
    assert "names the model gpt-5.1 (model), which is gone: restore that too" in page.text
    assert "apply" not in page.values("input", "name")
    assert boss.post(url, {"apply": "1", "change_reason": WHY}).status_code == 200
    assert (Override.objects.count(), Change.objects.count()) == (0, number)


def test_stale_plan__is_shown_anew_and_nothing_is_done(boss: Client, fast: Alias) -> None:
    first = Revision.current()
    saved(fast, tier="mid")
    url = address(first, fast)
    seen = forms.values(boss, url)
    base = Revision.current()
    last = saved(fast, tier="strong")
    page = read(boss.post(url, {**seen, "change_reason": WHY, "apply": "1"}))
    assert f"Config changed since this plan (revision {base} -> {last}). This is the plan as it is now." in page.text
    assert WHY in page.values("input", "value")
    assert "tier strong" in page.text
    assert Revision.current() == last
    anew = forms.values_in(boss.post(url, {**seen, "change_reason": WHY, "apply": "1"}))
    assert boss.post(url, {**anew, "apply": "1"}).status_code == 302


def test_reason__is_asked_for(boss: Client, fast: Alias) -> None:
    first = Revision.current()
    last = saved(fast, tier="mid")
    for reason in ("", "why"):
        page = read(restored(boss, address(first, fast), change_reason=reason))
        assert "alias fast change" in page.text
    assert Revision.current() == last


def test_post__without_the_button__changes_nothing(boss: Client, fast: Alias) -> None:
    first = Revision.current()
    last = saved(fast, tier="mid")
    url = address(first, fast)
    assert boss.post(url, {**forms.values(boss, url), "change_reason": WHY}).status_code == 200
    assert Revision.current() == last


def test_findings__are_to_be_acknowledged(boss: Client, fast: Alias) -> None:
    saved(fast, default_model="gpt-nowhere")
    first = Revision.current()
    last = saved(fast, default_model="gpt-4.1")
    url = address(first, fast)
    shown = read(boss.get(url))
    assert "To be known before it is saved" in shown.text, shown.text
    assert restored(boss, url, acknowledge=False).status_code == 200
    assert Revision.current() == last
    assert restored(boss, url).status_code == 302


def test_what_if__runs_the_calls_of_the_last_days_and_keeps_what_was_typed(
    boss: Client, as_user: LoggedIn, fast: Alias
) -> None:
    first = Revision.current()
    last = saved(fast, default_model="gpt-5.1")
    url = address(first, fast)
    page = read(boss.post(url, {**forms.values(boss, url), "_whatif": "1", "change_reason": WHY}))
    assert "None of the 0 calls of the last 7 days would have changed model. Nothing was saved." in page.text
    assert WHY in page.values("input", "value")
    assert Revision.current() == last
    editor = as_user(cast.person("editor", *EDITOR))
    assert "_whatif" not in read(editor.get(url)).values("input", "name")


def test_nothing_to_restore__is_said(boss: Client, fast: Alias) -> None:
    page = read(boss.get(address(Revision.current())))
    assert "Nothing would change." in page.text
    assert "apply" not in page.values("input", "name")


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("", "revision: '' is no revision; they are whole numbers."),
        ("?revision=99", "There is no revision 99"),
        ("?revision=1&object=alias:77", "History knows no 'alias:77'."),
        ("?revision=1&object=<b>:1", "History knows no '<b>:1'."),
        ("?revision=1&object=alias", "History knows no 'alias'."),
    ],
)
def test_what_is_not_there__is_said(boss: Client, fast: Alias, query: str, fault: str) -> None:
    page = read(boss.get(URL + query))
    assert fault in page.text
    assert page.faults == []


def test_rights__of_what_it_touches_are_needed(as_user: LoggedIn, fast: Alias) -> None:
    first = Revision.current()
    last = saved(fast, tier="mid")
    url = address(first, fast)
    viewer = as_user(cast.person("viewer", "view_change"))
    page = read(viewer.get(url))
    assert "needs the permission iwrouting.change_alias" in page.text
    assert "apply" not in page.values("input", "name")
    answer = viewer.post(url, {"apply": "1", "change_reason": WHY})
    assert (answer.status_code, b"iwrouting.change_alias" in answer.content) == (403, True)
    stranger = as_user(cast.person("nobody", "change_alias")).get(url)
    assert (stranger.status_code, b"iwrouting.view_change" in stranger.content) == (403, True)
    assert Revision.current() == last
    assert restored(as_user(cast.person("editor", *EDITOR)), url).status_code == 302


def test_whole_restore__needs_the_rights_on_all_that_it_touches(as_user: LoggedIn, fast: Alias) -> None:
    first = Revision.current()
    saved(fast, tier="mid")
    cast.project("new")
    last = Revision.current()
    editor = as_user(cast.person("editor", *EDITOR))
    assert "iwrouting.delete_project" in read(editor.get(address(first))).text
    answer = editor.post(address(first), {"apply": "1", "change_reason": WHY})
    assert (answer.status_code, Revision.current()) == (403, last)


def test_buttons__only_for_who_may(as_user: LoggedIn, fast: Alias) -> None:
    saved(fast, tier="mid")
    url = f"/admin/iwrouting/change/revision/{Revision.current()}/"
    viewer = as_user(cast.person("viewer", "view_change"))
    assert not [each for each in read(viewer.get(url, follow=True)).values("a", "href") if URL in each]
    editor = as_user(cast.person("editor", *EDITOR))
    assert len([each for each in read(editor.get(url, follow=True)).values("a", "href") if URL in each]) == 2
