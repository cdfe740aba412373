"""The change list, the revisions, and decisions resolved again, by the management API."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from iwrouting.models import Alias, Change, Revision, change
from iwrouting.types import ChangeKind, Via
from tests.api.document import faults
from tests.api.rows import Rows, override_id
from tests.api.stock import refused
from tests.api.test_decisions import store_one


def walk(rows: Rows, path: str, way: str = "next") -> list[list[str]]:
    """The ids of every page from an address on."""
    found = []
    address: str | None = path
    while address:
        page = rows.read(address.removeprefix("/api/v1/"))
        found.append([line["id"] for line in page["results"]])
        address = page[way]
    return found


def test_the_change_list__goes_by_cursor_both_ways_while_lines_come(rows: Rows) -> None:
    for number in range(10):
        rows.write("PATCH", "aliases/fast", {"purpose": f"Line {number}"})
    every = [str(pk) for pk in Change.objects.order_by("-at", "-pk").values_list("pk", flat=True)]
    pages = walk(rows, "changes?page_size=5")
    assert [line for page in pages for line in page] == every
    assert {len(page) for page in pages[:-1]} == {5}
    first = rows.read("changes?page_size=5")
    assert faults("GET", "/api/v1/changes", 200, first) == []
    assert first["previous"] is None
    rows.write("PATCH", "aliases/fast", {"purpose": "A new line"})
    second = rows.read(first["next"].removeprefix("/api/v1/"))
    assert [line["id"] for line in second["results"]] == pages[1]
    back = rows.read(second["previous"].removeprefix("/api/v1/"))
    assert [line["id"] for line in back["results"]] == pages[0]
    newest = rows.read(back["previous"].removeprefix("/api/v1/"))
    assert len(newest["results"]) == 1
    assert newest["previous"] is None


def test_a_change__tells_its_rows_field_by_field(rows: Rows) -> None:
    number = override_id(alias__name="manager")
    changed = rows.write("PATCH", f"overrides/{number}", {"model": "acme-small"})
    [line] = rows.read("changes?page_size=1")["results"]
    assert (line["revision"], line["author"], line["via"], line["row_count"]) == (
        changed["revision"],
        f"iw_{rows.key[3:13]}",
        "API",
        1,
    )
    found = rows.read(f"changes/{line['id']}")
    assert faults("GET", "/api/v1/changes/{name}", 200, found) == []
    assert found["rows"] == [
        {
            "object_type": "override",
            "name": "manager for atlas",
            "operation": "change",
            "changed": {"model": ["acme-strong", "acme-small"]},
        }
    ]


def test_filters__narrow_the_list(rows: Rows) -> None:
    rows.write("PATCH", "aliases/fast", {"purpose": "Short"})
    newest = Revision.current()
    author = f"iw_{rows.key[3:13]}"
    later = quote((Change.objects.get(revision=newest).at + timedelta(microseconds=1)).isoformat())
    for query, revisions in (
        (f"author={author}", [newest]),
        ("via=API&kind=configuration", [newest]),
        ("object_type=alias&name=fast&via=API", [newest]),
        (f"revision__gte={newest - 1}", [newest, newest - 1]),
        ("revision__lte=2", [2, 1]),
        ("revision__gte=2&revision__lt=3", [2]),
        (f"at__gte={later}", []),
        ("kind=environment", []),
    ):
        assert [line["revision"] for line in rows.read(f"changes?{query}")["results"]] == revisions, query


def test_the_change_list__comes_as_lines_and_as_a_sheet_without_a_formula(rows: Rows) -> None:
    rows.write("PATCH", "aliases/fast", {"purpose": "=1+1"})
    [line] = rows.ask("GET", "changes?page_size=1&format=jsonl").content.splitlines()
    found = json.loads(line)
    assert found["rows"][0]["changed"]["purpose"][1] == "=1+1"
    answer = rows.ask("GET", "changes?page_size=1&format=csv")
    [sheet] = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (sheet["name"], sheet["field"], sheet["after"]) == ("fast", "purpose", "'=1+1")
    assert answer["link"].endswith('rel="next"')


def test_a_file_of_changes_about_one_row__has_that_row_alone(rows: Rows) -> None:
    with change(author="ann", via=Via.CLI, reason="Two rows at once"):
        for name in ("fast", "manager"):
            row = Alias.objects.get(name=name)
            row.purpose = "Both"
            row.save()
    for query, names in (("", ["fast", "manager"]), ("&object_type=alias&name=fast", ["fast"])):
        [told] = rows.ask("GET", f"changes?page_size=1&format=jsonl{query}").content.splitlines()
        assert sorted(row["name"] for row in json.loads(told)["rows"]) == names


def test_the_change_list_of_a_key_for_some_projects__has_its_own_rows_alone_in_every_format(rows: Rows) -> None:
    rows.write("PATCH", "projects/atlas", {"owner": "Ann"})
    rows.write("PATCH", "projects/other", {"owner": "Bob"})
    own = rows.stock.key("manage")
    for form in ("jsonl", "csv"):
        text = rows.stock.get(f"/api/v1/changes?format={form}", own).content.decode()
        assert ("Ann" in text, "Bob" in text) == (True, False)


def test_the_change_list__tells_how_many_where_it_is_asked(rows: Rows) -> None:
    page = rows.read("changes?count=estimate")
    assert (page["count"], page["count_is_exact"]) == (Change.objects.count(), True)
    assert faults("GET", "/api/v1/changes", 200, page) == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("who=me", "who"),
        ("page=2", "page"),
        ("cursor=abc", "cursor"),
        ("cursor=b2xkZXJ8MjAyNi0xMS0yMnwx", "cursor"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("at__gte=yesterday", "at__gte"),
        ("at__gte=2026-11-01T00:00:00", "at__gte"),
        ("revision__gte=x", "revision__gte"),
        ("via=cli", "via"),
        ("count=all", "count"),
        ("format=html", "format"),
        ("kind=changes", "kind"),
        ("object_type=overide", "object_type"),
    ],
)
def test_a_parameter__that_is_none__is_refused(rows: Rows, query: str, param: str) -> None:
    assert refused(rows.ask("GET", f"changes?{query}")) == (400, "invalid_request", param)


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("overrides?projekt=atlas", "projekt"),
        ("overrides?enabled=yes", "enabled"),
        ("overrides?page=0", "page"),
        ("overrides?page=" + "9" * 12, "page"),
        ("models?cursor=x", "cursor"),
        ("aliases/fast?x=1", "x"),
        ("keys?created_at__gte=1", "created_at__gte"),
    ],
)
def test_lists_of_rows__take_their_own_parameters_alone(rows: Rows, path: str, param: str) -> None:
    assert refused(rows.ask("GET", path)) == (400, "invalid_request", param)


def test_lists_of_rows__are_paged_and_filtered(rows: Rows) -> None:
    first = rows.read("models?page_size=2&enabled=true")
    assert faults("GET", "/api/v1/models", 200, first) == []
    assert (len(first["results"]), first["count"], first["previous"]) == (2, 3, None)
    second = rows.read(first["next"].removeprefix("/api/v1/"))
    assert [row["model_id"] for row in second["results"]] == ["acme-strong"]
    assert second["next"] is None
    assert rows.read(second["previous"].removeprefix("/api/v1/")) == first
    assert rows.read("models?page=7")["results"] == []
    later = quote((datetime.now(UTC) + timedelta(days=1)).isoformat())
    assert rows.read(f"overrides?updated_at__gte={later}")["count"] == 0
    assert rows.read(f"overrides?alias=manager&project=atlas&updated_at__lt={later}")["count"] == 1


def test_a_line_without_a_revision__stands_among_the_changes_and_not_among_the_revisions(rows: Rows) -> None:
    line = Change.objects.create(
        at=datetime.now(UTC),
        kind=ChangeKind.SCHEDULE,
        author="iwrouting",
        via=Via.SERVICE,
        reason="It began",
        event="x",
    )
    found = rows.read(f"changes/{line.pk}")
    assert (found["revision"], found["rows"], found["kind"]) == (None, [], "schedule")
    assert rows.read("changes")["results"][0]["id"] == str(line.pk)
    assert rows.read("revisions")["results"][0]["revision"] == Revision.current()


def test_a_revision__is_the_configuration_as_of_it_row_by_row(rows: Rows) -> None:
    number = override_id(alias__name="manager")
    before = rows.read(f"overrides/{number}")
    then = Revision.current()
    at = Change.objects.get(revision=then).at
    rows.write("PATCH", f"overrides/{number}", {"model": "acme-small"})
    rows.told("DELETE", f"overrides/{number}", x_change_reason="It is over")
    found = rows.read(f"revisions/{then}")
    assert faults("GET", "/api/v1/revisions/{name}", 200, found) == []
    del before["created_at"], before["updated_at"]
    assert found["configuration"]["overrides"] == [before]
    assert {kind: len(each) for kind, each in found["configuration"].items()} == {
        "aliases": 2,
        "overrides": 1,
        "projects": 2,
        "models": 3,
        "upstreams": 0,
        "prices": 3,
        "keys": 1,
    }
    assert rows.read(f"revisions/{quote(at.isoformat())}") == found
    assert rows.read(f"revisions/{Revision.current()}")["configuration"]["overrides"] == []
    empty = rows.read("revisions/0")
    assert (empty["at"], empty["configuration"]["aliases"]) == (None, [])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", (400, "invalid_request", "revision")),
        ("2026-11-01", (400, "invalid_request", "revision")),
        ("999", (404, "revision_not_found", None)),
        ("9" * 18, (404, "revision_not_found", None)),
    ],
)
def test_a_revision__that_is_none__is_refused(rows: Rows, name: str, expected: tuple[int, str, str | None]) -> None:
    assert refused(rows.ask("GET", f"revisions/{name}")) == expected


@pytest.mark.parametrize("name", ["0", "x", "9" * 18, "9" * 30])
def test_a_change__that_is_none__is_not_found(rows: Rows, name: str) -> None:
    assert refused(rows.ask("GET", f"changes/{name}")) == (404, "not_found", None)


def test_a_decision__resolved_again__tells_then_and_now(rows: Rows) -> None:
    stored = store_one(
        project="atlas", model_asked="manager", alias="manager", revision=Revision.current(), key_id=rows.key[3:13]
    )
    rows.write("PATCH", f"overrides/{override_id(alias__name='manager')}", {"model": "acme-small"})
    found = rows.read(f"decisions/{stored.pk}/again")
    assert faults("GET", "/api/v1/decisions/{decision_id}/again", 200, found) == []
    assert found["decision_id"] == str(stored.pk)
    assert found["now"]["answer"]["model"] == "acme-small"
    assert found["now"]["revision"] == Revision.current()
    assert "model" in found["now"]["differences"]


def test_a_decision__of_another_project__is_not_found_again(rows: Rows) -> None:
    stored = store_one(project="other")
    narrow = rows.stock.key("read_audit", project="atlas")
    assert refused(rows.ask("GET", f"decisions/{stored.pk}/again", key=narrow)) == (404, "decision_not_found", None)
    assert refused(rows.ask("GET", "decisions/x/again")) == (400, "invalid_request", "decision_id")


def test_a_key_for_some_projects__sees_the_changes_of_its_rows(rows: Rows) -> None:
    key = rows.stock.key("manage", project="atlas")
    rows.told("POST", "overrides", {"alias": "fast", "project": "other", "model": "acme-mid"}, 201)
    rows.told("POST", "overrides", {"alias": "fast", "project": None, "model": "acme-strong"}, 201)
    mine = rows.told("POST", "overrides", {"alias": "fast", "project": "atlas", "model": "acme-mid"}, 201)
    lines = rows.read("changes?page_size=200", key)["results"]
    assert {line["revision"] for line in lines} >= {mine["revision"]}
    for line in lines:
        found = rows.read(f"changes/{line['id']}", key)
        assert {row["name"] for row in found["rows"]} <= {"atlas", "manager for atlas", "fast for atlas"}
        assert found["details"] == {}
    other = Change.objects.get(revision=mine["revision"] - 1)
    assert refused(rows.ask("GET", f"changes/{other.pk}", key=key)) == (404, "not_found", None)
    past = rows.read(f"revisions/{Revision.current()}", key)["configuration"]
    assert sorted(past) == ["aliases", "overrides", "projects"]
    assert [row["slug"] for row in past["projects"]] == ["atlas"]
    assert {row["project"] for row in past["overrides"]} == {"atlas"}


def test_a_key_with_lists__sees_the_changes_of_what_it_may_name(rows: Rows) -> None:
    key = rows.stock.key("manage", projects=["*"], allowed_aliases=["fast"], allowed_models=["acme-small"])
    rows.write("PATCH", "aliases/manager", {"purpose": "Not for this key"})
    mine = rows.write("PATCH", "aliases/fast", {"purpose": "For this key"})
    lines = rows.read("changes?page_size=200", key)["results"]
    assert {line["revision"] for line in lines} >= {mine["revision"]}
    names = {row["name"] for line in lines for row in rows.read(f"changes/{line['id']}", key)["rows"]}
    assert {"fast", "acme-small"} < names
    assert not {name for name in names if name.startswith(("manager", "acme-mid", "acme-strong"))}
    other = Change.objects.get(revision=mine["revision"] - 1)
    assert refused(rows.ask("GET", f"changes/{other.pk}", key=key)) == (404, "not_found", None)
