"""The button "What would it have done?": what the box shows, what stays typed, and that nothing is saved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from iwrouting.admin import whatif
from iwrouting.models import Alias, Change, Model, Override, Revision
from iwrouting.types import Configuration, Kind
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import Page, read
from tests.audit_tables import rows

ADD = "/admin/iwrouting/override/add/"
BUTTON = 'name="_whatif"'
ASK = {"_whatif": "What would it have done?"}


@pytest.fixture
def manager(db: None) -> Alias:
    """Two calls for atlas and one for borea, at 2 and 8 dollars; gpt-nano costs a tenth and is soon gone."""
    cast.model()
    cast.model("gpt-nano", shutdown_date=datetime.now(UTC).date() + timedelta(days=10))
    cast.price()
    cast.price("gpt-nano", input_pico=200_000, cached_pico=50_000, output_pico=800_000)
    for number, project in enumerate(("atlas", "atlas", "borea")):
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=number + 1)
        made = rows.decision(at, project=project)
        cost = {"cost_pico": 2_800_000_000, "cost_state": "exact", "price_version": "catalogue 2026-11-22"}
        rows.outcome(made, "ok", prompt_tokens=1000, completion_tokens=100, model_served="gpt-4.1", **cost)
    cast.project("borea")
    return cast.alias("manager", kind=Kind.ROLE.value)


def asked(client: Client, url: str, **typed: Any) -> Page:
    page = read(forms.fill(client, url, **ASK, **typed))
    assert page.faults == []
    return page


def test_the_add_form__says_what_the_override_would_have_done(boss: Client, manager: Alias) -> None:
    atlas = cast.project()
    before = Revision.current(), Change.objects.count()
    page = asked(boss, ADD, alias=manager.pk, project=atlas.pk, model="gpt-nano")
    assert "2 of the 3 calls of the last 7 days would have changed model." in page.text
    assert "the difference is -$0.0050. Nothing was saved." in page.text
    assert "gpt-4.1 gpt-nano 2 2 $0.0056 $0.0006 -$0.0050" in page.text
    assert "retiring gpt-nano 2 gpt-nano will be shut down on" in page.text
    assert not Override.objects.exists()
    assert (Revision.current(), Change.objects.count()) == before


def test_what_was_typed__stays(boss: Client, manager: Alias) -> None:
    answer = forms.fill(boss, ADD, **ASK, alias=manager.pk, model="gpt-nano", reason="Cheaper", expires_at_0="")
    page = read(answer)
    assert {"gpt-nano", "Cheaper"} <= set(page.values("input", "value"))
    chosen = [named["value"] for tag, named in page.tags if tag == "option" and "selected" in named]
    assert str(manager.pk) in chosen


def test_the_newest_calls_of_a_conflict__are_links_to_their_pages(boss: Client, manager: Alias) -> None:
    page = asked(boss, ADD, alias=manager.pk, model="gpt-nano")
    there = [url for url in page.values("a", "href") if url.startswith("/admin/iwrouting/decision/0")]
    assert len(there) == 2  # the newest of each project
    assert read(boss.get(there[0])).text


def test_the_change_form__compares_with_what_stands_now(boss: Client, manager: Alias) -> None:
    row = Override.objects.create(alias=manager, model="gpt-nano")
    page = asked(boss, f"/admin/iwrouting/override/{row.pk}/change/", model="gpt-4.1")
    assert "gpt-nano gpt-4.1 3 3" in page.text
    row.refresh_from_db()
    assert row.model == "gpt-nano"


def test_forms_of_aliases_and_models__have_the_box_too(boss: Client, manager: Alias) -> None:
    page = asked(boss, f"/admin/iwrouting/alias/{manager.pk}/change/", default_model="gpt-nano")
    assert "3 of the 3 calls" in page.text
    model = Model.objects.get(model_id="gpt-4.1")
    page = asked(boss, f"/admin/iwrouting/model/{model.pk}/change/", enabled=None)
    assert "3 of the 3 calls" in page.text
    assert "refused" in page.text


def test_what_can_not_be_saved__says_so_beside_the_errors(boss: Client, manager: Alias) -> None:
    page = asked(boss, ADD, alias=manager.pk, model="no model")
    assert whatif.NOTHING_TYPED in page.text
    assert not Override.objects.exists()


def test_it_is_read__after_the_try_has_ended(boss: Client, manager: Alias, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's lock for writing must not be held for as long as the calls are read."""
    deep: list[int] = []

    def counted(*configurations: Configuration) -> whatif.Shown:
        deep.append(len(connection.savepoint_ids))
        return run(*configurations)

    run = whatif.run
    monkeypatch.setattr(whatif, "run", counted)
    outside = len(connection.savepoint_ids)
    asked(boss, ADD, alias=manager.pk, model="gpt-nano")
    assert set(deep) == {outside}


def test_nothing_that_changes__is_said_in_a_sentence(boss: Client, manager: Alias) -> None:
    page = asked(boss, ADD, alias=manager.pk, model="gpt-4.1")
    assert "None of the 3 calls of the last 7 days would have changed model." in page.text


def test_what_takes_too_long__names_the_command(boss: Client, manager: Alias, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "PATIENCE_S", 0.0)
    assert whatif.TOO_LONG in asked(boss, ADD, alias=manager.pk, model="gpt-nano").text


def test_who_may_not_see_decisions__has_no_button_and_no_box(as_user: LoggedIn, manager: Alias) -> None:
    client = as_user(cast.person("ed", "add_override", "view_override", "view_alias"))
    assert BUTTON not in client.get(ADD).content.decode()
    page = read(forms.fill(client, ADD, **ASK, alias=manager.pk, model="gpt-nano"))
    assert "calls of the last 7 days" not in page.text
    assert not Override.objects.exists()


def test_who_may_only_view__has_no_button(as_user: LoggedIn, manager: Alias) -> None:
    row = Override.objects.create(alias=manager, model="gpt-nano")
    client = as_user(cast.person("vi", "view_override", "view_decision"))
    assert BUTTON not in client.get(f"/admin/iwrouting/override/{row.pk}/change/").content.decode()
