"""Two people at one object: the second save is refused, shows both values, and loses nothing that was typed (T12)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from django.db import OperationalError, connection
from django.test import Client

from iwrouting.admin import attempts
from iwrouting.admin.show import NOTHING
from iwrouting.models import Alias, Change, Override, Price, Project, Revision
from iwrouting.models.busy import BUSY
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

BASE = "/admin/iwrouting"


@pytest.fixture
def fast(db: None) -> Alias:
    for name in ("gpt-4.1", "gpt-5.1", "gpt-5.2"):
        cast.model(name)
        cast.price(name)
    return cast.alias(purpose="short answers", tier="small")


@pytest.fixture
def ann(as_user: LoggedIn) -> Client:
    return as_user(cast.person("ann", superuser=True))


@pytest.fixture
def bob(as_user: LoggedIn) -> Client:
    return as_user(cast.person("bob", superuser=True))


def page_of(row: Any) -> str:
    return f"{BASE}/{row._meta.model_name}/{row.pk}/change/"


def sides(answer: Any) -> dict[str, str]:
    """What is chosen between at first: the radio buttons of an answer, and which of each is ticked."""
    return {name: values[0] for name, values in forms.values_in(answer).items() if name.startswith("take-")}


def test_second_save__of_another_value__is_refused_and_shows_both(ann: Client, bob: Client, fast: Alias) -> None:
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(fast), default_model="gpt-5.1", change_reason="It is cheaper")
    revision = Revision.current()
    answer = forms.send(bob, page_of(fast), opened, default_model="gpt-5.2", purpose="new words")
    text = read(answer).text
    assert "The alias fast was changed by ann at" in text
    assert f"(revision {revision}: It is cheaper), after this page had been shown. Nothing was saved." in text
    assert "Default model Theirs: gpt-5.1 Yours: gpt-5.2" in text
    assert "Purpose Theirs" not in text, "nobody else has touched it"
    assert sides(answer) == {"take-default_model": "mine"}
    kept = forms.values_in(answer)
    assert (kept["default_model"], kept["purpose"]) == (["gpt-5.2"], ["new words"])
    assert Revision.current() == revision


@pytest.mark.parametrize(("side", "model"), [("mine", "gpt-5.2"), ("theirs", "gpt-5.1")])
def test_either_side__can_be_taken__and_all_else_stays_as_typed(
    ann: Client, bob: Client, fast: Alias, side: str, model: str
) -> None:
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(fast), default_model="gpt-5.1")
    answer = forms.send(bob, page_of(fast), opened, default_model="gpt-5.2", purpose="new words")
    sent = forms.values_in(answer)
    assert forms.send(bob, page_of(fast), sent, **{"take-default_model": side}).status_code == 302
    fast.refresh_from_db()
    assert (fast.default_model, fast.purpose) == (model, "new words")


def test_what_only_they_have_changed__is_theirs_unless_told_otherwise(ann: Client, bob: Client, fast: Alias) -> None:
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(fast), default_model="gpt-5.1", chain="gpt-5.2", tier="mid", max_context_tokens="9")
    answer = forms.send(bob, page_of(fast), opened, purpose="new words")
    assert sides(answer) == {
        "take-default_model": "theirs",
        "take-chain": "theirs",
        "take-tier": "theirs",
        "take-max_context_tokens": "theirs",
    }
    assert "Max context tokens Theirs: 9 Yours: empty" in read(answer).text
    assert forms.send(bob, page_of(fast), forms.values_in(answer)).status_code == 302
    fast.refresh_from_db()
    assert (fast.default_model, fast.chain, fast.tier, fast.max_context_tokens, fast.purpose) == (
        "gpt-5.1", ["gpt-5.2"], "mid", 9, "new words",
    )  # fmt: skip


def test_times_and_boxes__can_be_taken_too(ann: Client, bob: Client, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial")
    opened = forms.values(bob, page_of(row))
    changed = {"expires_at_0": "2999-01-02", "expires_at_1": "03:04:05", "enabled": None}
    forms.fill(ann, page_of(row), **changed)
    answer = forms.send(bob, page_of(row), opened, reason="Other words")
    assert sides(answer) == {"take-enabled": "theirs", "take-expires_at": "theirs"}
    assert "Enabled Theirs: no Yours: yes" in read(answer).text
    assert "Expires at Theirs: 2999-01-02 03:04:05 Yours: empty" in read(answer).text
    assert forms.send(bob, page_of(row), forms.values_in(answer)).status_code == 302
    row.refresh_from_db()
    assert (row.enabled, str(row.expires_at), row.reason) == (False, "2999-01-02 03:04:05+00:00", "Other words")


def test_same_values__are_told_and_saved_with_the_next_click(ann: Client, bob: Client, fast: Alias) -> None:
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(fast), default_model="gpt-5.1")
    answer = forms.send(bob, page_of(fast), opened, default_model="gpt-5.1", purpose="new words")
    assert "Your values and the stored ones agree: save again." in read(answer).text
    assert forms.send(bob, page_of(fast), forms.values_in(answer)).status_code == 302


def test_third_person__in_between__is_met_again(ann: Client, bob: Client, fast: Alias) -> None:
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(fast), default_model="gpt-5.1")
    answer = forms.send(bob, page_of(fast), opened, default_model="gpt-5.2")
    forms.fill(ann, page_of(fast), default_model="gpt-4.1")
    again = forms.send(bob, page_of(fast), forms.values_in(answer))
    assert "Default model Theirs: gpt-4.1 Yours: gpt-5.2" in read(again).text


def test_change_of_another_object__is_in_nobodys_way(ann: Client, bob: Client, fast: Alias) -> None:
    other = cast.alias("deep")
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(other), default_model="gpt-5.1")
    assert forms.send(bob, page_of(fast), opened, default_model="gpt-5.2").status_code == 302


def test_form__that_says_no_revision__is_compared_with_all_that_is_stored(bob: Client, fast: Alias) -> None:
    answer = forms.fill(bob, page_of(fast), default_model="gpt-5.2", seen_revision=None)
    assert "Default model Theirs: gpt-4.1 Yours: gpt-5.2" in read(answer).text


def test_row_of_the_table__changed_meanwhile__is_shown_and_can_be_taken(ann: Client, bob: Client, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, project=cast.project(), model="gpt-5.1", reason="A trial")
    opened = forms.values(bob, page_of(fast))
    forms.fill(ann, page_of(row), model="gpt-5.2")
    answer = forms.send(bob, page_of(fast), opened, **{"overrides-0-reason": "Other words", "purpose": "new words"})
    assert "The override fast for atlas was changed by ann" in read(answer).text
    assert sides(answer) == {"take-overrides-0-model": "theirs"}
    assert forms.send(bob, page_of(fast), forms.values_in(answer)).status_code == 302
    row.refresh_from_db()
    fast.refresh_from_db()
    assert (row.model, row.reason, fast.purpose) == ("gpt-5.2", "Other words", "new words")


@pytest.mark.parametrize(("side", "left"), [("theirs", []), ("mine", ["gpt-5.2"])])
def test_row_of_the_table__deleted_meanwhile__stays_so_or_is_made_again(
    ann: Client, bob: Client, fast: Alias, side: str, left: list[str]
) -> None:
    row = Override.objects.create(alias=fast, project=cast.project(), model="gpt-5.1", reason="A trial")
    opened = forms.values(bob, page_of(fast))
    forms.confirm(ann, f"{BASE}/override/{row.pk}/delete/", change_reason="The trial ended")
    answer = forms.send(bob, page_of(fast), opened, **{"overrides-0-model": "gpt-5.2", "purpose": "new words"})
    text = read(answer).text
    assert "The override fast for atlas was deleted by ann" in text
    assert forms.values_in(answer)["overrides-0-model"] == ["gpt-5.2"]
    sent = forms.values_in(answer)
    assert forms.send(bob, page_of(fast), sent, **{"take-overrides-0": side}).status_code == 302
    assert list(Override.objects.values_list("model", flat=True)) == left
    fast.refresh_from_db()
    assert fast.purpose == "new words"


def test_object__deleted_meanwhile__stands_on_the_form_for_a_new_one(ann: Client, bob: Client, fast: Alias) -> None:
    Override.objects.create(alias=fast, project=cast.project(), model="gpt-5.1", reason="A trial")
    opened = forms.values(bob, page_of(fast))
    forms.confirm(ann, f"{BASE}/alias/{fast.pk}/delete/", change_reason="Nobody asks for it", typed_name="fast")
    assert not Alias.objects.exists()
    answer = forms.send(bob, page_of(fast), opened, default_model="gpt-5.2", purpose="new words")
    text = read(answer).text
    assert "The alias fast was deleted by ann" in text
    assert "Nobody asks for it). What you typed stands below: to save it is to make a new one." in text
    assert not Alias.objects.exists()
    assert forms.send(bob, f"{BASE}/alias/add/", forms.values_in(answer)).status_code == 302
    made = Alias.objects.get()
    assert (made.name, made.kind, made.default_model, made.purpose) == ("fast", "chat_mode", "gpt-5.2", "new words")
    assert made.overrides.get().model == "gpt-5.1"


def test_object__deleted_meanwhile__is_told_to_who_may_make_none(ann: Client, as_user: LoggedIn, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial")
    client = as_user(cast.person("olga", "view_override", "change_override"))
    opened = forms.values(client, page_of(row))
    forms.confirm(ann, f"{BASE}/override/{row.pk}/delete/")
    answer = forms.send(client, page_of(row), opened, model="gpt-5.2")
    assert answer.status_code == 302
    assert "The override fast for all projects was deleted by ann" in read(client.get(answer.headers["Location"])).text


def test_delete__of_what_was_changed_meanwhile__asks_again(ann: Client, bob: Client, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial")
    url = f"{BASE}/override/{row.pk}/delete/"
    opened = forms.values(bob, url)
    forms.fill(ann, page_of(row), model="gpt-5.2")
    answer = forms.send(bob, url, opened)
    assert "The override fast for all projects was changed by ann" in read(answer).text
    assert "model: gpt-5.1 → gpt-5.2" in read(answer).text
    assert Override.objects.exists()
    assert forms.send(bob, url, forms.values_in(answer)).status_code == 302
    assert not Override.objects.exists()


def test_delete__of_an_alias_with_a_row_that_nobody_had_seen__asks_again(ann: Client, bob: Client, fast: Alias) -> None:
    url = f"{BASE}/alias/{fast.pk}/delete/"
    opened = forms.values(bob, url)
    forms.fill(ann, f"{BASE}/override/add/", alias=fast.pk, model="gpt-5.2", reason="New")
    answer = forms.send(bob, url, opened)
    assert "The override fast for all projects was made by ann" in read(answer).text
    assert Alias.objects.exists()


def test_delete__twice__says_who_was_first(ann: Client, bob: Client, fast: Alias) -> None:
    row = Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial")
    url = f"{BASE}/override/{row.pk}/delete/"
    opened = forms.values(bob, url)
    forms.confirm(ann, url)
    lines = Change.objects.count()
    answer = forms.send(bob, url, opened)
    text = read(bob.get(answer.headers["Location"])).text
    assert "The override fast for all projects was deleted by ann" in text
    assert "there is nothing left to delete" in text
    assert Change.objects.count() == lines


def test_action__on_a_row_changed_meanwhile__asks_again(ann: Client, bob: Client, fast: Alias) -> None:
    row, url = Override.objects.create(alias=fast, model="gpt-5.1", reason="A trial"), f"{BASE}/override/"
    asked = forms.values_in(bob.post(url, {"action": "disable", "_selected_action": [row.pk]}))
    forms.fill(ann, page_of(row), model="gpt-5.2")
    answer = forms.send(bob, url, asked)
    assert "The override fast for all projects was changed by ann" in read(answer).text
    row.refresh_from_db()
    assert row.enabled
    assert forms.send(bob, url, forms.values_in(answer)).status_code == 302
    row.refresh_from_db()
    assert not row.enabled


def test_price__superseded_meanwhile__is_not_superseded_unseen(ann: Client, bob: Client, fast: Alias) -> None:
    row = Price.objects.get(model_id="gpt-4.1")
    opened = forms.values(bob, page_of(row))
    forms.fill(ann, page_of(row), input_pico="3")
    answer = forms.send(bob, page_of(row), opened, output_pico="9")
    text = read(answer).text
    assert "The price gpt-4.1 default from" in text
    assert "was made by ann" in text
    assert f"input, $ per 1M tokens: {NOTHING} → 3.00" in text
    assert Price.objects.filter(model_id="gpt-4.1").count() == 2
    assert forms.send(bob, page_of(row), forms.values_in(answer)).status_code == 302
    assert Price.objects.filter(model_id="gpt-4.1").count() == 3


def test_project_names__of_two_people__merge_by_field(ann: Client, bob: Client, db: None) -> None:
    row: Project = cast.project(owner="Ann", name="Atlas")
    opened = forms.values(bob, page_of(row))
    forms.fill(ann, page_of(row), owner="Carol")
    answer = forms.send(bob, page_of(row), opened, name="Atlas 2")
    assert forms.send(bob, page_of(row), forms.values_in(answer)).status_code == 302
    row.refresh_from_db()
    assert (row.owner, row.name) == ("Carol", "Atlas 2")


@contextmanager
def under_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another transaction holds what a save needs: for real on PostgreSQL; a test on SQLite is the one writer."""
    if connection.vendor == "sqlite":
        with monkeypatch.context() as patch:
            patch.setattr(Revision, "lock", locked)
            yield
        return
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE django_admin_log IN EXCLUSIVE MODE")
        yield
    finally:
        other.close()


def locked(_using: str) -> NoReturn:
    raise OperationalError("database is locked")


def test_save__while_another_change_is_under_way__says_so_and_keeps_what_was_typed(
    ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "WAIT_S", 0.1)
    row = cast.project(name="Atlas")
    url = f"/admin/iwrouting/project/{row.pk}/change/"
    with under_way(monkeypatch):
        answer = forms.fill(ann, url, name="Borea")
    assert BUSY in read(answer).text
    assert forms.values_in(answer)["name"] == ["Borea"]
    assert not Change.objects.filter(author="ann").exists()
    assert forms.send(ann, url, forms.values_in(answer)).status_code == 302
