"""What goes from the configuration and what is done to several overrides: asked, told, and as one change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from iwrouting.admin import overrides
from iwrouting.models import Alias, HistoryRow, Override, Project, Revision
from tests.admin import cast, forms
from tests.admin.html import read

ALIASES, OVERRIDES = "/admin/iwrouting/alias/", "/admin/iwrouting/override/"


@pytest.fixture
def fast(db: None) -> Alias:
    for name in ("gpt-4.1", "gpt-5.1"):
        cast.model(name)
        cast.price(name)
    return cast.alias()


def override(alias: Alias, project: Project | None = None, **fields: Any) -> Override:
    return Override.objects.create(alias=alias, project=project, **{"model": "gpt-5.1", "reason": "A trial", **fields})


def test_archive__of_an_alias_in_use__says_who_uses_it_and_asks_for_its_name(boss: Client, fast: Alias) -> None:
    atlas = cast.project()
    override(fast, atlas)
    cast.decision(alias="fast", project="borea")
    key = cast.key(atlas, allowed_aliases=["fast"])
    url = f"{ALIASES}{fast.pk}/delete/"
    assert read(boss.get(f"{ALIASES}{fast.pk}/change/")).text.endswith("Archive")
    text = read(boss.get(url)).text
    assert "Archive the alias fast ? The row goes, and stays in the history" in text
    assert "Asked for in the last 30 days by borea." in text
    assert "Its overrides go with it: atlas." in text
    assert f"Granted by name to iw_{key.key_id} (backend)." in text
    for typed in ("", "deep"):
        answer = forms.confirm(boss, url, typed_name=typed)
        assert "It is in use: type its name, fast, into the box to go on." in read(answer).text
        assert forms.values_in(answer)["typed_name"] == [typed]
    assert Alias.objects.exists()
    forms.confirm(boss, url, typed_name=" fast ", change_reason="Nobody needs it")
    assert not Alias.objects.exists()
    gone = HistoryRow.objects.filter(revision=Revision.current()).values_list("object_type", "operation")
    assert set(gone) == {("alias", "delete"), ("override", "delete")}


def test_archive__of_a_rung__says_so_first__under_a_heading_of_its_own(boss: Client, fast: Alias) -> None:
    cast.alias("auto", chain=["fast"])
    text = read(boss.get(f"{ALIASES}{fast.pk}/delete/")).text
    assert "Archive alias fast alias fast: The alias fast is a rung of auto: take it out of their chains first." in text
    assert text.index("alias auto: fast is neither") > text.index("[in_use]")


def test_archive__of_an_alias_that_nobody_uses__asks_for_the_reason_alone(boss: Client, fast: Alias) -> None:
    url = f"{ALIASES}{fast.pk}/delete/"
    assert "typed_name" not in forms.values(boss, url)
    forms.confirm(boss, url)
    assert not Alias.objects.exists()


def test_clear__of_an_override__shows_what_will_apply(boss: Client, fast: Alias) -> None:
    row = override(fast, cast.project())
    text = read(boss.get(f"{OVERRIDES}{row.pk}/delete/")).text
    assert "Clear the override" in text
    assert "fast atlas now gpt-5.1 project_override gpt-4.1 default" in text


def test_extend__adds_a_week_to_what_ends_and_leaves_the_rest(boss: Client, fast: Alias) -> None:
    end = datetime(2999, 1, 2, tzinfo=UTC)
    running = override(fast, cast.project("a"), expires_at=end)
    ended = override(fast, cast.project("b"), expires_at=timezone.now() - timedelta(days=9))
    kept = override(fast, cast.project("c"))
    before = Revision.current()
    assert "Set the expiry of 2 overrides." in read(forms.act(boss, OVERRIDES, "extend", running, ended, kept)).text
    for row in (running, ended, kept):
        row.refresh_from_db()
    assert running.expires_at == end + timedelta(days=7)
    assert ended.expires_at is not None
    assert timedelta(days=6) < ended.expires_at - timezone.now() < timedelta(days=8)
    assert kept.expires_at is None
    assert Revision.current() == before + 1


def test_set_expiry__ends_all_at_one_time_or_never(boss: Client, fast: Alias) -> None:
    rows = [override(fast, cast.project(slug), expires_at=timezone.now()) for slug in ("a", "b")]
    refused = forms.act(boss, OVERRIDES, "set_expiry", *rows, expires_at="2020-01-02T03:04")
    assert "This time has passed" in read(refused).text
    assert forms.values_in(refused)["expires_at"] == ["2020-01-02T03:04"]
    forms.act(boss, OVERRIDES, "set_expiry", *rows, expires_at="2999-01-02T03:04")
    assert {str(row.expires_at) for row in Override.objects.all()} == {"2999-01-02 03:04:00+00:00"}
    forms.act(boss, OVERRIDES, "set_expiry", *rows, expires_at="")
    assert set(Override.objects.values_list("expires_at", flat=True)) == {None}


def test_copy__gives_another_project_the_same_or_nothing_at_all(boss: Client, fast: Alias) -> None:
    deep, borea = cast.alias("deep"), cast.project("borea")
    rows = [override(fast, cast.project("atlas")), override(deep, Project.objects.get(slug="atlas"), enabled=False)]
    assert (
        "Copied 2 overrides to borea."
        in read(forms.act(boss, OVERRIDES, "copy_to_project", *rows, project=borea.pk)).text
    )
    copies = Override.objects.filter(project=borea).values_list("alias__name", "model", "enabled", "reason")
    assert set(copies) == {("fast", "gpt-5.1", True, "A trial"), ("deep", "gpt-5.1", False, "A trial")}
    Override.objects.get(project=borea, alias=fast).delete()
    refused = forms.act(boss, OVERRIDES, "copy_to_project", *rows, project=borea.pk)
    assert "The project borea has an override of deep already: edit that one." in read(refused).text
    assert Override.objects.filter(project=borea).count() == 1


def test_page__of_more_overrides_than_a_form_can_send__leads_to_their_list(
    boss: Client, fast: Alias, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overrides, "MOST_ROWS", 1)
    atlas = cast.project("atlas")
    override(fast, atlas)
    assert "overrides-0-model" in forms.values(boss, f"{ALIASES}{fast.pk}/change/")
    override(fast)
    override(cast.alias("deep"), atlas)
    for url, there in (
        (f"{ALIASES}{fast.pk}/change/", f"{OVERRIDES}?alias__id__exact={fast.pk}"),
        (f"/admin/iwrouting/project/{atlas.pk}/change/", f"{OVERRIDES}?project=atlas"),
    ):
        assert "overrides-0-model" not in forms.values(boss, url)
        assert there in read(boss.get(url)).values("a", "href")
    assert forms.fill(boss, f"{ALIASES}{fast.pk}/change/", purpose="new words").status_code == 302
    assert Override.objects.count() == 3
