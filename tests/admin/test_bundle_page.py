"""Import/export: what is downloaded can be uploaded, is planned first, and is applied as one change by who may."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from iwrouting.admin import bundle_page
from iwrouting.models import Alias, Change, Override, Project, Revision, Upstream
from tests.admin import cast, forms
from tests.admin.conftest import LoggedIn
from tests.admin.html import Page, read

URL, EXPORT = "/admin/config/bundle/", "/admin/config/bundle/export/"
WHY = "As agreed in review"
KINDS = ("alias", "override", "project", "model", "upstream", "price")


@pytest.fixture(autouse=True)
def matrix(db: None) -> None:
    for name in ("gpt-4.1", "gpt-5.1"):
        cast.model(name)
        cast.price(name)
    cast.alias("fast")
    cast.key(cast.project(), name="do-not-show")


def exported(client: Client, query: str = "") -> str:
    """The bundle as downloaded."""
    text: str = client.get(EXPORT + query).content.decode()
    return text


def planned(client: Client, text: str | bytes, **fields: str) -> Any:
    """The answer to an upload."""
    data = text.encode() if isinstance(text, str) else text
    return client.post(URL, {"file": SimpleUploadedFile("iwrouting.yaml", data), **fields})


def applied(client: Client, text: str, **values: Any) -> Any:
    """The answer to the button under the plan of an upload."""
    form = forms.values_in(planned(client, text))
    return client.post(URL, {**form, "change_reason": WHY, "apply": "1", **values})


def test_export__is_what_is_in_force_without_keys(boss: Client) -> None:
    revision = Revision.current()
    answer = boss.get(EXPORT)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="iwrouting-{revision}.yaml"'
    text = answer.content.decode()
    assert "fast:" in text
    assert "do-not-show" not in text
    row = Alias.objects.get()
    row.default_model = "gpt-5.1"
    row.save()
    assert exported(boss, f"?revision={revision}") == text != exported(boss)
    assert "'now' is no revision" in read(boss.get(f"{EXPORT}?revision=now", follow=True)).text
    assert "There is no revision 99" in read(boss.get(f"{EXPORT}?revision=99", follow=True)).text


def test_upload_of_the_export__changes_nothing(boss: Client) -> None:
    page = read(planned(boss, exported(boss)))
    assert "What applying iwrouting.yaml would do." in page.text
    assert re.search(r"On top of revision \d+: 0 create, 0 change, 0 delete, \d+ same\.", page.text)
    assert "Nothing would change." in page.text
    assert "apply" not in page.values("input", "name")


def changed(boss: Client) -> str:
    """The export with another default, and a project more."""
    text = exported(boss).replace("default_model: gpt-4.1", "default_model: gpt-5.1")
    return text.replace("  atlas:", "  boreas: {name: Boreas}\n  atlas:")


def test_upload__is_planned_and_then_applied_as_one_change(boss: Client) -> None:
    base, text = Revision.current(), changed(boss)
    page = read(planned(boss, text))
    assert "alias fast change default_model gpt-4.1 gpt-5.1" in page.text
    assert "project boreas create" in page.text
    assert "1 create, 1 change, 0 delete" in page.text
    assert page.faults == []
    assert Revision.current() == base
    answer = applied(boss, text)
    assert answer.headers["Location"] == f"/admin/iwrouting/change/revision/{base + 1}/"
    line = Change.objects.get(revision=base + 1)
    assert (line.author, line.via, line.reason) == ("boss", "import", WHY)
    assert "Applied iwrouting.yaml as revision" in read(boss.get("/admin/")).text
    assert (Alias.objects.get().default_model, Project.objects.count()) == ("gpt-5.1", 2)
    assert exported(boss) == exported(boss)


def test_pruning__deletes_what_a_section_does_not_have(boss: Client) -> None:
    text = exported(boss)
    Override.objects.create(alias=Alias.objects.get(), model="gpt-5.1")
    kept = read(planned(boss, text))
    assert "Left as it is" in kept.text
    assert "fast for all projects" in kept.text
    assert "override fast for all projects delete" in read(planned(boss, text, prune="on")).text
    form = forms.values_in(planned(boss, text, prune="on"))
    assert boss.post(URL, {**form, "change_reason": WHY, "apply": "1"}).status_code == 302
    assert not Override.objects.exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("version: 1\naliases:\n  fast: {default_modle: x}\n", "line 3"),
        ("version: 1\nkeys: {}\n", "API keys are in no bundle"),
        (b"\xff\xfe", "iwrouting.yaml is no text in UTF-8."),
        ("{", "iwrouting.yaml"),
        ("version: 1\nprojects:\n  <script>alert(1)</script>: {}\n", "slug"),
    ],
)
def test_bad_bundle__is_told_with_its_line(boss: Client, text: str | bytes, fault: str) -> None:
    base = Revision.current()
    page = read(planned(boss, text))
    assert fault in page.text
    assert page.faults == []
    assert "apply" not in page.values("input", "name")
    assert Revision.current() == base


def test_upload__without_a_file_or_too_large__says_what_to_do(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a bundle" in read(boss.post(URL, {})).text
    monkeypatch.setattr(bundle_page, "LONGEST", 10)
    assert "and a bundle at most 10: use config_apply." in read(planned(boss, "version: 1\n# long\n")).text


def test_faults_of_the_plan__keep_it_from_being_applied(boss: Client) -> None:
    text = exported(boss).replace("default_model: gpt-4.1", "default_model: gpt-4.1\n    chain: [fast]")
    page = read(planned(boss, text))
    assert "iwrouting.yaml, line" in page.text
    assert "alias fast" in page.text
    assert applied(boss, text).status_code == 200
    assert Alias.objects.get().chain == []


def test_stale_plan__is_shown_anew(boss: Client) -> None:
    text, base = changed(boss), Revision.current()
    form = forms.values_in(planned(boss, text))
    cast.project("meanwhile")
    page = read(boss.post(URL, {**form, "change_reason": WHY, "apply": "1"}))
    assert f"Config changed since this plan (revision {base} -> {base + 1})." in page.text
    assert WHY in page.values("input", "value")
    assert Alias.objects.get().default_model == "gpt-4.1"


def test_another_bundle_under_the_same_plan__is_not_applied(boss: Client) -> None:
    form = forms.values_in(planned(boss, changed(boss)))
    form["bundle"] = [form["bundle"][0].replace("boreas", "other")]
    page = read(boss.post(URL, {**form, "change_reason": WHY, "apply": "1"}))
    assert "The plan is not the one that was shown. Look at it again." in page.text
    assert not Project.objects.filter(slug="other").exists()


def views() -> list[str]:
    return [f"view_{kind}" for kind in KINDS]


def test_rights(as_user: LoggedIn, boss: Client) -> None:
    text = changed(boss)
    viewer = as_user(cast.person("viewer", *views()))
    page: Page = read(viewer.get(URL))
    assert "file" not in page.values("input", "name")
    assert EXPORT in page.values("a", "href")
    assert URL in read(viewer.get("/admin/")).values("a", "href")
    answer = planned(viewer, text)
    assert (answer.status_code, b"iwrouting.change_alias" in answer.content) == (403, True)
    half = as_user(cast.person("half", *views(), "change_alias"))
    page = read(planned(half, text))
    assert "needs the permission iwrouting.add_project" in page.text
    answer = half.post(URL, {"bundle": text, "file": "x.yaml", "change_reason": WHY, "apply": "1"})
    assert (answer.status_code, b"iwrouting.add_project" in answer.content) == (403, True)
    editor = as_user(cast.person("editor", *views(), "change_alias", "add_project"))
    assert applied(editor, text).status_code == 302
    for url in (URL, EXPORT):
        stranger = as_user(cast.person(f"nobody{len(url)}", "view_alias")).get(url)
        assert (stranger.status_code, b"iwrouting.view_" in stranger.content) == (403, True)


def test_upstreams__are_changed_by_superusers_alone(as_user: LoggedIn, boss: Client) -> None:
    text = "version: 1\nupstreams:\n  far:\n    base_url: https://far.example/v1\n    secret_ref: env:IW_UPSTREAM_FAR\n"
    editor = as_user(cast.person("editor", *views(), "change_alias", "add_upstream", "change_upstream"))
    page = read(planned(editor, text))
    assert "which only superusers do" in page.text
    assert "apply" not in page.values("input", "name")
    answer = editor.post(URL, {"bundle": text, "file": "x.yaml", "change_reason": WHY, "apply": "1"})
    assert (answer.status_code, b"which only superusers do" in answer.content) == (403, True)
    assert not Upstream.objects.exists()
    assert applied(boss, text).status_code == 302
