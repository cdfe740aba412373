"""The configuration as a whole: two revisions compared, and as of a revision, a time, an environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from iwrouting.audit import as_json
from iwrouting.conf.environment import environment_id
from iwrouting.models import Change, EnvironmentSnapshot, Override, Revision
from iwrouting.snapshot.moments import moment_text
from tests.admin import cast
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

COMPARE, AS_OF = "/admin/config/compare/", "/admin/config/as-of/"


def saved(row: Any, **values: Any) -> int:
    """The revision that a change of some columns became."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return Revision.current()


def test_compare__groups_what_differs_by_kind(boss: Client) -> None:
    fast, gone = cast.alias(), cast.project("gone")
    first = Revision.current()
    saved(fast, default_model="gpt-5.1", chain=[])
    gone.delete()
    last = saved(cast.model("new-model"), enabled=False)
    page = read(boss.get(f"{COMPARE}?from={first}&to={last}"))
    assert "alias fast change default_model gpt-4.1 gpt-5.1" in page.text
    assert "project gone delete" in page.text
    assert "model new-model create" in page.text
    assert [title for title in ("Projects", "Models", "Aliases") if f"{title} What" in page.text] == [
        "Projects", "Models", "Aliases",
    ]  # fmt: skip
    back = read(boss.get(f"{COMPARE}?from={last}&to={first}"))
    assert "alias fast change default_model gpt-5.1 gpt-4.1" in back.text
    assert "project gone create" in back.text
    assert page.faults == []


def test_compare__without_numbers__is_of_the_last_change(boss: Client) -> None:
    fast = cast.alias()
    saved(fast, tier="mid")
    page = read(boss.get(COMPARE))
    assert "tier" in page.text
    assert "fast create" not in page.text
    same = read(boss.get(f"{COMPARE}?from=1&to=1"))
    assert "Revision 1 says the same as revision 1." in same.text


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("?from=99&to=1", "There is no revision 99: history has the revisions 0 to 1."),
        ("?from=<b>&to=1", "from: '<b>' is no revision; they are whole numbers."),
        ("?from=1&to=-4", "to: '-4' is no revision"),
    ],
)
def test_compare__of_what_is_no_revision__says_so_and_keeps_what_was_typed(
    boss: Client, query: str, fault: str
) -> None:
    cast.alias()
    page = read(boss.get(COMPARE + query))
    assert fault in page.text
    assert page.faults == []
    assert query.partition("=")[2].partition("&")[0] in page.values("input", "value")


def test_as_of__now__shows_each_alias_with_its_source(boss: Client) -> None:
    atlas, fast = cast.project(), cast.alias(chain=["auto"])
    cast.alias("auto", "gpt-5.1")
    row = Override.objects.create(alias=fast, project=atlas, model="gpt-5.1-mini")
    page = read(boss.get(AS_OF))
    assert "fast chat_mode gpt-4.1 default gpt-4.1 → gpt-5.1" in page.text
    assert f"override:{row.pk} fast atlas gpt-5.1-mini used" in page.text
    of_project = read(boss.get(f"{AS_OF}?project=atlas"))
    assert "fast chat_mode gpt-5.1-mini project_override gpt-5.1-mini → gpt-5.1" in of_project.text
    assert "/admin/resolve/?alias=fast&project=atlas" in of_project.values("a", "href")
    assert "No project" not in of_project.text
    assert page.faults == []


def test_as_of__a_revision_or_a_time__is_what_was_then(boss: Client) -> None:
    fast = cast.alias()
    first = Revision.current()
    then = Change.objects.get(revision=first).at
    saved(fast, default_model="gpt-5.1")
    assert "fast chat_mode gpt-5.1 default" in read(boss.get(AS_OF)).text
    for as_of in (str(first), moment_text(then + timedelta(milliseconds=1))):
        page = read(boss.get(AS_OF, {"as_of": as_of}))
        assert "fast chat_mode gpt-4.1 default" in page.text
        assert f"As it was: revision {first} at " in page.text
    assert "No aliases" in read(boss.get(f"{AS_OF}?as_of=0")).text


def test_as_of__windows__are_judged_at_the_time_asked_for(boss: Client) -> None:
    now = timezone.now()
    Override.objects.create(alias=cast.alias(), model="gpt-5.1", starts_at=now + timedelta(days=1))
    assert "fast all projects gpt-5.1 scheduled" in read(boss.get(AS_OF)).text
    later = moment_text(now + timedelta(days=2))
    for query in ({"at": later}, {"as_of": later}, {"as_of": str(Revision.current()), "at": later}):
        page = read(boss.get(AS_OF, query))
        assert "fast chat_mode gpt-5.1 override" in page.text
        assert f"at {later}" in page.text


def test_as_of__under_a_recorded_environment__takes_its_values(boss: Client) -> None:
    cast.alias(variable="OPENAI_MODEL_FAST")
    values = {"OPENAI_MODEL_FAST": "gpt-5.1"}
    ident = environment_id(values)
    EnvironmentSnapshot.objects.create(id=ident, first_seen_at=timezone.now(), values=as_json(values))
    for query in (f"?environment_id={ident}", f"?environment_id={ident}&as_of=1"):
        page = read(boss.get(AS_OF + query))
        assert "fast chat_mode gpt-5.1 environment" in page.text
        assert f"under environment {ident}." in page.text
    assert "under the environment of this process." in read(boss.get(AS_OF)).text


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"as_of": "99"}, "There is no revision 99"),
        ({"as_of": "yesterday"}, "'yesterday' is neither: give a revision such as 41, or a time"),
        ({"at": "17"}, "'17' is no time such as 2026-11-22T08:00:00Z."),
        ({"environment_id": "<i>"}, "No environment <i> was ever recorded."),
        ({"project": "<b>x"}, "There is no project '<b>x' at revision 1."),
    ],
)
def test_as_of__what_is_not_there__is_said(boss: Client, query: dict[str, str], fault: str) -> None:
    cast.alias()
    page = read(boss.get(AS_OF, query))
    assert fault in page.text
    assert page.faults == []
    assert "Effective models" not in page.text


def test_pages__need_the_permission_to_see_changes(as_user: LoggedIn) -> None:
    client = as_user(cast.person("nobody", "view_alias"))
    for url in (COMPARE, AS_OF):
        answer = client.get(url)
        assert answer.status_code == 403
        assert b"iwrouting.view_change" in answer.content
    assert as_user(cast.person("viewer", "view_change")).get(AS_OF).status_code == 200
