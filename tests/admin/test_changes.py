"""The change list: one line a change, filters in the address, exact search, exports, and no hidden field anywhere."""

from __future__ import annotations

import csv
import io
import json
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from iwrouting.admin import change_export
from iwrouting.models import Alias, ApiKey, Change, HistoryRow, OpenChange, Override, Revision, change
from iwrouting.types import ChangeKind, Via
from tests.admin import cast
from tests.admin.conftest import LoggedIn
from tests.admin.html import read

LIST = "/admin/iwrouting/change/"


def by(
    author: str = "ann", reason: str = "gpt-5.1 is cheaper", via: Via = Via.ADMIN
) -> AbstractContextManager[OpenChange]:
    return change(author=author, via=via, reason=reason)


def edited(row: Any, **values: Any) -> int:
    """The revision of a change of some columns."""
    with by() as made:
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
    return made.revision


def event(kind: ChangeKind = ChangeKind.SCHEDULE, details: str = "{}", **fields: Any) -> Change:
    """A line that wrote no rows, as the service writes them."""
    told = {"author": "iwrouting", "via": Via.SERVICE, "reason": "It took effect", "event": f"{kind}:{details}"}
    return Change.objects.create(**{"at": timezone.now(), "kind": kind, "details": details, **told, **fields})


def lines(client: Client, query: str = "") -> list[str]:
    """The reasons that the list shows, top first."""
    page = read(client.get(f"{LIST}{query}"))
    known = sorted(set(Change.objects.values_list("reason", flat=True)))
    return sorted((each for each in known if each in page.text), key=page.text.index)


def test_line__tells_who_what_from_where_to_where_and_why(boss: Client) -> None:
    fast = cast.alias(tier="small")
    revision = edited(fast, default_model="gpt-5.1", tier="mid")
    page = read(boss.get(LIST))
    assert (
        "ann admin alias fast default_model: gpt-4.1 → gpt-5.1; tier: small → mid "
        f"gpt-5.1 is cheaper {revision}" in page.text
    )
    assert page.faults == []
    assert f"?object=alias:{fast.pk}" in page.values("a", "href")


def test_line__of_many_rows__shows_the_first_and_counts_the_rest(boss: Client) -> None:
    with by() as made:
        for number in range(9):
            cast.model(f"m{number}")
    page = read(boss.get(LIST))
    assert "model m0 create model m1 create model m2 create model m3 create and 5 more" in page.text.replace("  ", " ")
    assert "m4" not in page.text
    assert f"{LIST}{Change.objects.get(revision=made.revision).pk}/change/" in page.values("a", "href")


def test_deleted_row__is_a_line(boss: Client) -> None:
    row = Override.objects.create(alias=cast.alias(), model="gpt-5.1")
    number = row.pk
    with by(reason="It did its work"):
        row.delete()
    assert "override fast for all projects delete It did its work" in read(boss.get(LIST)).text
    assert lines(boss, f"?object=override:{number}") == ["It did its work", "A test needs this row"]


def test_filters__each_finds_its_lines(boss: Client) -> None:
    fast = cast.alias()
    edited(fast, default_model="gpt-5.1")
    with by("bob", "A new tenant", Via.API):
        cast.project()
    details = {"name": "fast", "object_id": fast.pk, "object_type": "alias", "what": "expired"}
    event(details=json.dumps(details))
    event(details=json.dumps({**details, "object_id": fast.pk * 10, "name": "slow"}), reason="Another one")
    Change.objects.create(
        at=timezone.now() - timedelta(days=3), kind="environment", author="iwrouting", via="service", reason="Long ago"
    )
    cheaper, tenant, schedule, old = "gpt-5.1 is cheaper", "A new tenant", "It took effect", "Long ago"
    made, other = "A test needs this row", "Another one"
    assert lines(boss) == [other, schedule, tenant, cheaper, made, old]
    assert lines(boss, "?when=24h") == [other, schedule, tenant, cheaper, made]
    assert lines(boss, "?kind=schedule") == [other, schedule]
    assert lines(boss, "?type=alias") == [other, schedule, cheaper, made]
    assert lines(boss, "?q=slow") == [other]
    assert lines(boss, "?author=bob") == [tenant] == lines(boss, "?via=API") == lines(boss, "?type=project")
    assert lines(boss, "?type=alias&via=admin") == [cheaper]
    assert lines(boss, f"?object=alias:{fast.pk}") == [schedule, cheaper, made]
    for query in ("?object=alias:x", "?object=alias:999999999999999999999", "?type=nothing", "?q=nothing"):
        assert "No changes match. Clear filters" in read(boss.get(f"{LIST}{query}")).text


def test_filter_by_object__says_its_name_and_shows_its_rows_alone(boss: Client) -> None:
    with by():
        for number in range(9):
            cast.model(f"m{number}")
        fast = cast.alias()
    page = read(boss.get(f"{LIST}?object=alias:{fast.pk}"))
    assert "Object: alias fast" in page.text
    assert "m0" not in page.text
    assert "Object:" not in read(boss.get(LIST)).text


def test_search__is_exact_by_revision_or_name(boss: Client) -> None:
    revision = edited(cast.alias("fast"), default_model="gpt-5.1")
    cast.alias("faster")
    assert lines(boss, f"?q={revision}") == ["gpt-5.1 is cheaper"]
    assert set(lines(boss, "?q=fast")) == {"gpt-5.1 is cheaper", "A test needs this row"}
    page = read(boss.get(f"{LIST}?q=fast"))
    assert "alias faster" not in page.text
    assert "No changes match" in read(boss.get(f"{LIST}?q=fas")).text


@pytest.mark.parametrize("page", ["alias", "apikey", "model", "override", "price", "project", "upstream"])
def test_history_of_a_row__is_its_filtered_list(boss: Client, page: str) -> None:
    word = {"apikey": "key"}.get(page, page)
    answer = boss.get(f"/admin/iwrouting/{page}/7/history/")
    assert answer.headers["Location"] == f"{LIST}?object={word}%3A7"


def test_row_page__has_the_link(boss: Client) -> None:
    fast = cast.alias()
    assert f"/admin/iwrouting/alias/{fast.pk}/history/" in read(
        boss.get(f"/admin/iwrouting/alias/{fast.pk}/change/")
    ).values("a", "href")


def hostile() -> Alias:
    row = cast.alias("fast", purpose=cast.HOSTILE)
    with by(cast.HOSTILE, f"{cast.HOSTILE} why"):
        row.purpose = '"><img src=x onerror=alert(1)>'
        row.save()
    event(details=json.dumps({cast.HOSTILE: cast.HOSTILE}))
    return row


def test_hostile_texts__are_shown_as_text(boss: Client) -> None:
    hostile()
    for url in (LIST, *(f"{LIST}{line.pk}/change/" for line in Change.objects.all())):
        page = read(boss.get(url))
        assert page.faults == []
        assert "img" not in {tag for tag, named in page.tags if "onerror" in named}
        assert cast.HOSTILE in page.text


def secrets_of(key: ApiKey) -> None:
    key.scopes = ["call"]
    with by(reason="Less rights"):
        key.save()


def test_hidden_fields__stand_on_no_page_and_in_no_export(boss: Client) -> None:
    key = cast.key(cast.project())
    secrets_of(key)
    pages = [LIST, f"{LIST}export/csv/", f"{LIST}export/jsonl/"]
    pages += [f"{LIST}{line.pk}/change/" for line in Change.objects.all()]
    pages += [f"/admin/config/compare/?from=0&to={Revision.current()}"]
    for url in pages:
        text = boss.get(url).content.decode()
        assert key.key_id in text or "atlas" in text, url
        assert key.sha256 not in text
        assert "sha256" not in text


@pytest.mark.parametrize("changes", [3, 50])
def test_number_of_questions__does_not_grow(
    boss: Client, changes: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fast = cast.alias()
    for number in range(changes):
        edited(fast, purpose=f"p{number}")
    with django_assert_num_queries(7):
        boss.get(LIST)


def test_page__holds_fifty(boss: Client) -> None:
    fast = cast.alias()
    for number in range(55):
        edited(fast, purpose=f"p{number}")
    assert "→ p4 " not in read(boss.get(LIST)).text
    assert "→ p4 " in read(boss.get(f"{LIST}?p=2")).text


@pytest.mark.parametrize("query", ["revision=x", "revision=2&via=admin", "revision__gt=1", "o=1"])
def test_filter_that_is_none__is_named_with_what_to_enter_above_the_list(boss: Client, query: str) -> None:
    edited(cast.alias(), tier="mid")
    page = read(boss.get(f"{LIST}?{query}", follow=True)).text
    named = query.partition("&")[0]
    assert f"'{named}' is no filter of this list: enter the number of a revision, or the whole name of a row" in page
    assert "gpt-5.1 is cheaper" in page


def test_filter_that_is_none__keeps_the_others(boss: Client) -> None:
    answer = boss.get(f"{LIST}?revision=2&via=API")
    assert (answer.status_code, answer["location"]) == (302, f"{LIST}?via=API")


def test_no_changes__says_so(boss: Client) -> None:
    assert "No changes yet." in read(boss.get(LIST)).text


def test_csv__has_a_line_for_each_field_and_no_formula(boss: Client) -> None:
    cast.model()
    fast = cast.alias()
    with by("=cmd()", "@SUM(A1)"):
        fast.purpose, fast.chain = "+1", ["gpt-4.1"]
        fast.save()
    answer = boss.get(f"{LIST}export/csv/?author=%3Dcmd()")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="changes.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["field"], row["before"], row["after"]) for row in rows] == [
        ("chain", "[]", '["gpt-4.1"]'),
        ("purpose", "", "'+1"),
    ]
    assert {(row["author"], row["reason"], row["object_type"], row["name"]) for row in rows} == {
        ("'=cmd()", "'@SUM(A1)", "alias", "fast")
    }


def test_jsonl__has_a_line_for_each_change_of_the_filter(boss: Client) -> None:
    fast = cast.alias()
    revision = edited(fast, default_model="gpt-5.1")
    event(details='{"object": "override:12"}')
    found = [json.loads(line) for line in boss.get(f"{LIST}export/jsonl/").content.decode().splitlines()]
    assert [each["kind"] for each in found] == ["schedule", "configuration", "configuration"]
    assert (found[0]["revision"], found[0]["details"], found[0]["rows"]) == (None, {"object": "override:12"}, [])
    assert (found[1]["revision"], found[1]["author"], found[1]["via"]) == (revision, "ann", "admin")
    assert found[1]["rows"][0]["changed"] == {"default_model": ["gpt-4.1", "gpt-5.1"]}
    one = boss.get(f"{LIST}export/jsonl/?q={revision}").content.decode().splitlines()
    assert [json.loads(line)["revision"] for line in one] == [revision]


def test_export__of_too_many__says_what_to_do(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iwrouting.admin.changes.MOST", 1)
    monkeypatch.setattr(change_export, "CHUNK", 1)
    cast.alias()
    assert boss.get(f"{LIST}export/csv/").status_code == 200
    cast.alias("deep")
    assert "choose a shorter time or a filter" in read(boss.get(f"{LIST}export/csv/", follow=True)).text
    assert boss.get(f"{LIST}export/xml/").status_code == 404


def test_page_of_a_change__shows_every_row_before_and_after(boss: Client) -> None:
    fast, gone = cast.alias(), cast.project("gone")
    with change(author="ann", via=Via.CLI, reason="All at once", details={"restored": 3}) as made:
        fast.default_model = "gpt-5.1"
        fast.save()
        gone.delete()
        cast.model("new-model")
    line = Change.objects.get(revision=made.revision)
    page = read(boss.get(f"{LIST}{line.pk}/change/"))
    assert f"Revision {made.revision}" in page.text
    assert "Who ann" in page.text
    assert "Restored 3" in page.text
    assert "alias fast change default_model gpt-4.1 gpt-5.1 History" in page.text
    assert "project gone delete" in page.text
    assert "slug gone –" in page.text
    assert "model new-model create" in page.text
    links = page.values("a", "href")
    assert f"/admin/config/as-of/?as_of={made.revision}" in links
    assert f"/admin/iwrouting/alias/{fast.pk}/change/" in links
    assert f"/admin/iwrouting/project/{gone.pk}/change/" not in links
    assert page.faults == []


def test_page_of_a_change__with_very_many_rows__shows_the_first_and_leads_to_the_rest(
    boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iwrouting.admin.change_page.MOST_ROWS", 2)
    with by() as made:
        for number in range(5):
            cast.project(f"p{number}")
    page = read(boss.get(f"{LIST}revision/{made.revision}/", follow=True))
    assert "And 3 more rows" in page.text
    assert f"{LIST}export/csv/?q={made.revision}" in page.values("a", "href")


def test_events__tell_what_came_to_which_row_and_which_variables_changed(boss: Client) -> None:
    event(details=json.dumps({"name": "fast for atlas", "object_id": 12, "object_type": "override", "what": "expired"}))
    changed = {"OPENAI_MODEL_FAST": ["gpt-4.1", None], "OPENAI_MODEL_DEEP": ["", "gpt-5.1"]}
    line = event(ChangeKind.ENVIRONMENT, json.dumps({"changed": changed, "from": "a1", "to": "b2", "host": "web-1"}))
    page = read(boss.get(LIST))
    assert "schedule override fast for atlas expired" in page.text
    assert "?object=override:12" in page.values("a", "href")
    shown = 'OPENAI_MODEL_FAST: gpt-4.1 → – OPENAI_MODEL_DEEP: "" → gpt-5.1'
    assert f"environment {shown}" in page.text
    own = read(boss.get(f"{LIST}{line.pk}/change/"))
    assert "From a1" in own.text
    assert "Variables Variable Before After OPENAI_MODEL_FAST gpt-4.1 –" in own.text


def test_page_of_an_event__tells_its_details(boss: Client) -> None:
    line = event(ChangeKind.BREAK_GLASS, json.dumps({"overrides": ["override:12"], "host": "web-1", "on": True}))
    page = read(boss.get(f"{LIST}{line.pk}/change/"))
    assert "Break-glass" in page.text
    assert "Overrides override:12" in page.text
    assert "Host web-1" in page.text
    assert "Rows" not in page.text


def test_page_of_what_is_not_there__leads_back(boss: Client) -> None:
    assert "There is no change 7" in read(boss.get(f"{LIST}7/change/", follow=True)).text
    assert boss.get(f"{LIST}revision/4711/").status_code == 404


def test_nobody_can_write_here(boss: Client) -> None:
    cast.alias()
    line = Change.objects.get()
    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.get(f"{LIST}{line.pk}/delete/").status_code == 403
    page = read(boss.get(f"{LIST}{line.pk}/change/"))
    assert "_save" not in page.values("input", "name")
    boss.post(f"{LIST}{line.pk}/change/", {"reason": "Another story"})
    assert Change.objects.get().reason == line.reason
    assert HistoryRow.objects.count() == 1


def test_who_may_not_see_changes__is_told_which_permission_is_missing(as_user: LoggedIn) -> None:
    cast.alias()
    line = Change.objects.get()
    client = as_user(cast.person("nobody", "view_alias"))
    for url in (LIST, f"{LIST}{line.pk}/change/", f"{LIST}export/csv/", f"{LIST}revision/{line.revision}/"):
        answer = client.get(url)
        assert answer.status_code == 403
        assert b"iwrouting.view_change" in answer.content
    viewer = as_user(cast.person("viewer", "view_change"))
    page = read(viewer.get(f"{LIST}{line.pk}/change/"))
    assert not [href for href in page.values("a", "href") if "/alias/" in href or "restore" in href]
