"""Projects in the admin."""

from __future__ import annotations

import pytest
from django.test import Client

from iwrouting.models import Override, Project
from iwrouting.planning import ChangeRefused
from tests.admin import cast, forms
from tests.admin.html import read

LIST = "/admin/iwrouting/project/"


def test_the_list_counts_overrides_and_keys(boss: Client) -> None:
    atlas = cast.project(external_id="42", owner="Ada")
    for name, enabled in (("fast", True), ("deep", False)):
        Override.objects.create(alias=cast.alias(name), project=atlas, model="gpt-5.1", enabled=enabled)
    for name in ("one", "two", "three"):
        cast.key(atlas, name)
    page = read(boss.get(LIST))
    assert "42 Ada Enabled 1 / 2 3" in page.text
    assert "/admin/iwrouting/override/?project=atlas" in page.values("a", "href")


def test_a_project_with_decisions_can_not_be_deleted(boss: Client) -> None:
    atlas, borea = cast.project(), cast.project("borea")
    cast.decision(project="atlas")
    url = f"{LIST}{atlas.pk}/"
    assert f"{url}delete/" not in read(boss.get(f"{url}change/")).values("a", "href")
    assert boss.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    forms.confirm(boss, f"{LIST}{borea.pk}/delete/")
    assert list(Project.objects.all()) == [atlas]


def test_the_slug_is_fixed_and_an_empty_external_id_is_none(boss: Client) -> None:
    forms.fill(boss, f"{LIST}add/", slug="atlas")
    forms.fill(boss, f"{LIST}add/", slug="borea")
    atlas = Project.objects.get(slug="atlas")
    assert atlas.external_id is None
    forms.fill(boss, f"{LIST}{atlas.pk}/change/", slug="other", name="Atlas")
    atlas.refresh_from_db()
    assert (atlas.slug, atlas.name) == ("atlas", "Atlas")
    assert Project.objects.count() == 2


def test_an_external_id_belongs_to_one_project(boss: Client) -> None:
    cast.project(external_id="42")
    answer = forms.fill(boss, f"{LIST}add/", slug="borea", external_id="42")
    assert "Project with this External id already exists." in read(answer).text
    answer = forms.fill(boss, f"{LIST}add/", slug="borea", external_id="4 2")
    assert "Enter at most 128 characters of letters, digits and ._:/-" in read(answer).text


def test_a_project_is_disabled_and_named(boss: Client) -> None:
    atlas = cast.project()
    answer = forms.act(boss, LIST, "disable", atlas)
    assert "Disabled 1 project." in read(answer).text
    atlas.refresh_from_db()
    assert atlas.enabled is False


def test_slugs_that_differ_by_letter_case_alone_are_refused(boss: Client) -> None:
    atlas = cast.project("atlas")
    said = "'ATLAS' differs from the project 'atlas' by letter case alone: use that, or another."
    assert said in read(forms.fill(boss, f"{LIST}add/", slug="ATLAS")).text
    assert Project.objects.count() == 1
    Project.objects.create(slug="Atlas")
    forms.fill(boss, f"{LIST}{atlas.pk}/change/", name="stays editable")
    atlas.refresh_from_db()
    assert atlas.name == "stays editable"


@pytest.mark.django_db
def test_a_slug_and_an_external_id_do_not_mean_two_projects() -> None:
    Project(slug="atlas", external_id="iw-7").save()
    for row in (Project(slug="borea", external_id="atlas"), Project(slug="iw-7")):
        with pytest.raises(ChangeRefused, match="is another project's slug"), cast.by_ann():
            row.save()
