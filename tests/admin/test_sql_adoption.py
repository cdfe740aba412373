"""A configuration changed by SQL: every page says so and shows what serves, a superuser adopts or discards."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iwrouting.models import Alias, Change, Override, Revision
from iwrouting.snapshot import load
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import Page, read
from tests.planning.cast import sql

URL = "/admin/config/adoption/"
EDIT = "UPDATE iwrouting_alias SET default_model = 'gpt-5.1' WHERE name = 'fast'"
BANNER = "Somebody changed the configuration by SQL after revision"


@pytest.fixture(autouse=True)
def matrix(db: None) -> None:
    for name in ("gpt-4.1", "gpt-5.1"):
        cast.model(name)
        cast.price(name)
    cast.alias("fast")


def page(client: Client) -> Page:
    return read(client.get(URL))


def posted(client: Client, button: str, **values: Any) -> Any:
    """The answer to one of the two buttons."""
    return forms.fill(client, URL, **{button: "1", "change_reason": "Mended by hand at night", **values})


def test_banner__stands_on_every_page_for_who_sees_changes(boss: Client, as_user: LoggedIn) -> None:
    assert BANNER not in read(boss.get("/admin/")).text
    sql(EDIT)
    for url in ("/admin/", "/admin/iwrouting/alias/", "/admin/resolve/", "/admin/password_change/", URL):
        found = read(boss.get(url))
        assert BANNER in found.text
        assert URL in found.values("a", "href")
    assert BANNER in read(as_user(cast.person("viewer", "view_change", "view_alias")).get("/admin/")).text
    assert BANNER not in read(as_user(cast.person("auditor", "view_decision")).get("/admin/")).text


def test_attention_list__has_it(boss: Client) -> None:
    sql(EDIT)
    assert "and that is in force nowhere. Adopt or discard it" in read(boss.get("/admin/")).text


def test_pages__show_what_serves_meanwhile(boss: Client) -> None:
    row = Override.objects.create(alias=Alias.objects.get(), model="gpt-5.1", enabled=False)
    sql("UPDATE iwrouting_override SET enabled = true")
    assert "gpt-4.1 default" in read(boss.get("/admin/iwrouting/alias/")).text
    form = read(boss.get(f"/admin/iwrouting/override/{row.pk}/change/")).text
    assert "unreadable" not in form
    assert "served by gpt-4.1 (default)" in read(boss.get("/admin/resolve/?alias=fast")).text
    assert "fast chat_mode gpt-4.1 default" in read(boss.get("/admin/config/as-of/")).text


def test_page__shows_the_differences(boss: Client) -> None:
    sql(EDIT, "DELETE FROM iwrouting_model WHERE model_id = 'gpt-4.1'")
    found = page(boss)
    assert "alias fast change default_model gpt-4.1 gpt-5.1" in found.text
    assert "model gpt-4.1 delete" in found.text
    assert found.faults == []


def test_adopt__makes_it_a_revision(boss: Client) -> None:
    base = Revision.current()
    sql(EDIT)
    answer = posted(boss, "adopt")
    assert answer.headers["Location"] == "/admin/iwrouting/change/"
    assert (
        f"Adopted what was changed by SQL, as revision {base + 1}." in read(boss.get(answer.headers["Location"])).text
    )
    line = Change.objects.get(revision=base + 1)
    assert (line.author, line.kind, line.reason) == ("boss", "adoption", "Mended by hand at night")
    assert load().aliases["fast"].default_model == "gpt-5.1"
    assert BANNER not in read(boss.get("/admin/")).text
    assert "Nothing waits" in page(boss).text
    assert "adoption alias fast default_model: gpt-4.1 → gpt-5.1" in read(boss.get("/admin/iwrouting/change/")).text


def test_discard__puts_the_revision_back(boss: Client) -> None:
    base = Revision.current()
    sql(EDIT)
    posted(boss, "discard")
    assert Alias.objects.get().default_model == "gpt-4.1"
    assert (load().revision, Change.objects.get(revision=base + 1).reason) == (base + 1, "Mended by hand at night")
    assert "adoption what SQL had changed was discarded" in read(boss.get("/admin/iwrouting/change/")).text


def test_findings__are_to_be_acknowledged(boss: Client) -> None:
    sql("UPDATE iwrouting_alias SET default_model = 'gpt-nowhere'")
    found = page(boss)
    assert "To be known before it is adopted" in found.text
    assert "gpt-nowhere" in found.text
    held = read(posted(boss, "adopt", acknowledge=False))
    assert "Not adopted: " in held.text
    assert "Mended by hand at night" in held.values("input", "value")
    assert posted(boss, "adopt").status_code == 302


def test_faults__leave_discarding_alone(boss: Client) -> None:
    sql("UPDATE iwrouting_alias SET default_model = ''")
    found = page(boss)
    assert "It can't be adopted as it is:" in found.text
    assert "adopt" not in found.values("input", "name")
    assert "discard" in found.values("input", "name")
    assert read(posted(boss, "adopt")).text.count("Not adopted: alias fast:") == 1
    assert posted(boss, "discard").status_code == 302


def test_unreadable_rows__can_be_discarded(boss: Client) -> None:
    sql("UPDATE iwrouting_alias SET kind = 'bogus'")
    found = page(boss)
    assert "It can't be read, and so not be adopted: alias fast: kind 'bogus'" in found.text
    assert posted(boss, "discard").status_code == 302
    assert load().aliases["fast"].kind == "chat_mode"


def test_reason__is_asked_for_and_nothing_is_done_without(boss: Client) -> None:
    sql(EDIT)
    for reason in ("", "why"):
        assert posted(boss, "adopt", change_reason=reason).status_code == 200
    assert Revision.standing().is_touched


def test_changed_again_meanwhile__is_looked_at_again(boss: Client) -> None:
    sql(EDIT)
    seen = forms.values(boss, URL)
    sql("DELETE FROM iwrouting_alias")
    answer = boss.post(URL, {**seen, "adopt": "1", "change_reason": "Mended by hand"}, follow=True)
    assert "Look at it again." in read(answer).text
    assert Revision.standing().is_touched


def test_only_superusers__adopt(as_user: LoggedIn) -> None:
    sql(EDIT)
    viewer = as_user(cast.person("viewer", "view_change"))
    found = page(viewer)
    assert "alias fast change" in found.text
    assert not {"adopt", "discard"} & set(found.values("input", "name"))
    answer = viewer.post(URL, {"adopt": "1", "change_reason": "Mended by hand", "touches": "1"})
    assert (answer.status_code, b"Only superusers" in answer.content) == (403, True)
    stranger = as_user(cast.person("nobody")).get(URL)
    assert (stranger.status_code, b"iwrouting.view_change" in stranger.content) == (403, True)


def test_nothing_waits__is_said(boss: Client) -> None:
    assert "Nothing waits" in page(boss).text
    assert "adopt" not in page(boss).values("input", "name")


def test_changed_back__can_be_adopted(boss: Client) -> None:
    sql("UPDATE iwrouting_alias SET tier = tier")
    assert "No row says anything else" in page(boss).text
    assert posted(boss, "adopt").status_code == 302
