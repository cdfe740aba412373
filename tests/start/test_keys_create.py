"""`manage.py keys_create`: the key alone on stdout, words on stderr, and mistakes named by their value."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from iwrouting.models import ApiKey, Project
from iwrouting.models.keys import hash_key, well_formed

pytestmark = pytest.mark.django_db


def create(**options: str) -> None:
    call_command("keys_create", **{"project": "atlas", "name": "backend", **options})


def test_the_key_stands_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    create()
    said = capsys.readouterr()
    key = said.out.removesuffix("\n")
    assert well_formed(key)
    row = ApiKey.objects.get()
    assert row.sha256 == hash_key(key)
    assert (row.project.slug, row.name, row.scopes, row.projects) == ("atlas", "backend", ["call", "resolve"], [])
    assert said.err.splitlines() == [
        "Made the project atlas.",
        f"Made the key iw_{row.key_id} for atlas with call, resolve. It is shown this once:",
    ]


def test_a_project_that_exists_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    project = Project.objects.create(slug="atlas", name="Atlas of the world")
    create(scopes="resolve, manage ,read_audit", projects="*")
    row = ApiKey.objects.get()
    assert (row.project, row.scopes, row.projects) == (project, ["resolve", "manage", "read_audit"], ["*"])
    assert "Made the project" not in capsys.readouterr().err


def test_a_project_in_other_letter_case_is_refused_and_the_stored_one_named() -> None:
    Project.objects.create(slug="atlas")
    with pytest.raises(CommandError) as error:
        create(project="Atlas")
    said = "slug: 'Atlas' differs from the project 'atlas' by letter case alone: use that, or another."
    assert str(error.value) == said
    assert [row.slug for row in Project.objects.all()] == ["atlas"]
    assert not ApiKey.objects.exists()


def test_each_key_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    create()
    create()
    first, second = capsys.readouterr().out.split()
    assert first != second
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scopes": "resolve,cal"}, "--scopes cal: there are call, manage, read_audit, resolve."),
        ({"scopes": ","}, "--scopes ',': name at least one of call, manage, read_audit, resolve."),
        ({"projects": "x,y"}, "projects: No such project: x, y."),
        ({"project": "my project"}, "--project 'my project': use letters, digits, - and _, such as atlas."),
        ({"project": ""}, "--project '': use letters, digits, - and _, such as atlas."),
        ({"name": ""}, "name: This field cannot be blank."),
    ],
)
def test_a_mistake_is_named_and_nothing_is_made(
    options: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as error:
        create(**options)
    assert str(error.value) == said
    assert not ApiKey.objects.exists()
    assert not Project.objects.exists()
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""
