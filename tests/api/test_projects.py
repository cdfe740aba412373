"""`PUT` and `GET /api/v1/projects/{external_id}`: made once, the same however often it is said."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.http import HttpResponse

from iwrouting.models import Project, Revision, change
from iwrouting.snapshot import store
from iwrouting.types import Via
from tests.api.stock import Stock, error_of, refused

BODY = {"slug": "maps", "name": "Maps", "owner": "Maps team", "enabled": False}


@pytest.fixture
def key(stock: Stock) -> str:
    """A key for all projects."""
    return stock.key("manage", projects=["*"])


def path(external_id: str) -> str:
    return f"/api/v1/projects/{quote(external_id, safe='')}"


def body_of(answer: HttpResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_a_new_project_is_made(stock: Stock, key: str) -> None:
    before = Revision.current()
    made = body_of(stock.put(path("p-1"), key, BODY), 201)
    row = Project.objects.get(external_id="p-1")
    assert {name: made[name] for name in BODY} == BODY
    assert {name: getattr(row, name) for name in BODY} == BODY
    assert made["external_id"] == "p-1"
    assert made["revision"] == Revision.current() == before + 1
    assert made["created_at"].endswith("Z")
    assert len(made["created_at"]) == len("2026-11-22T20:00:00.123Z")


def test_a_new_project_is_known_to_the_next_request(stock: Stock, key: str) -> None:
    stock.put(path("p-1"), key, BODY)
    assert store.current.projects_by_external_id["p-1"] == "maps"


def test_an_empty_body_makes_a_project_with_defaults(stock: Stock, key: str) -> None:
    made = body_of(stock.put(path("Team/Maps:7"), key), 201)
    assert (made["slug"], made["name"], made["owner"], made["enabled"]) == ("team-maps-7", "", "", True)


def test_the_same_again_changes_nothing(stock: Stock, key: str) -> None:
    first = body_of(stock.put(path("p-1"), key, BODY), 201)
    again = body_of(stock.put(path("p-1"), key, BODY), 200)
    assert again == first
    assert Revision.current() == first["revision"]


def test_what_is_left_out_keeps_its_value(stock: Stock, key: str) -> None:
    stock.put(path("p-1"), key, BODY)
    changed = body_of(stock.put(path("p-1"), key, {"enabled": True}), 200)
    assert (changed["enabled"], changed["name"], changed["slug"]) == (True, "Maps", "maps")
    assert changed["revision"] == Revision.current()


def test_put__somebody_changes_it_before_the_answer__tells_the_revision_of_its_own_change(
    stock: Stock, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock.put(path("p-1"), key, BODY)
    before, look = Revision.current(), store.check

    def look_late() -> None:
        monkeypatch.setattr(store, "check", look)
        with change(author="other", via=Via.ADMIN, reason="before the answer"):
            row = Project.objects.get(external_id="p-1")
            row.owner = "Other"
            row.save()
        look()

    monkeypatch.setattr(store, "check", look_late)
    changed = body_of(stock.put(path("p-1"), key, {"name": "Atlas"}), 200)
    assert Revision.current() == before + 2
    assert (changed["name"], changed["owner"], changed["revision"]) == ("Atlas", "Maps team", before + 1)
    assert stock.put(path("p-1"), key, {"owner": "Mine"}, if_match=f'"{before + 1}"').status_code == 412


def test_it_is_read_back(stock: Stock, key: str) -> None:
    made = body_of(stock.put(path("p-1"), key, BODY), 201)
    assert body_of(stock.get(path("p-1"), key), 200) == made


def test_one_that_is_not_there_is_not_found(stock: Stock, key: str) -> None:
    assert refused(stock.get(path("p-1"), key)) == (404, "project_not_found", "external_id")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"nme": "x"}, "nme", "unknown_field"),
        ({"external_id": "p-2"}, "external_id", "unknown_field"),
        ({"enabled": "yes"}, "enabled", "invalid"),
        ({"enabled": None}, "enabled", "null"),
        ({"slug": "a b"}, "slug", "invalid"),
        ({"slug": ""}, "slug", "blank"),
        ({"slug": "s" * 65}, "slug", "max_length"),
        ({"name": "n" * 201}, "name", "max_length"),
        ({"name": ["n"]}, "name", "invalid"),
        ({"owner": "o\0"}, "owner", "null_characters_not_allowed"),
    ],
)
def test_a_wrong_field_is_named(stock: Stock, key: str, body: dict[str, Any], field: str, code: str) -> None:
    answer = stock.put(path("p-1"), key, body)
    assert refused(answer) == (400, "invalid_request", field)
    [detail] = error_of(answer)["details"]
    assert (detail["field"], detail["code"]) == (field, code)
    assert error_of(answer)["message"] == f"{field}: {detail['message']}"
    assert not Project.objects.filter(external_id="p-1").exists()


def test_every_wrong_field_stands_in_the_details(stock: Stock, key: str) -> None:
    answer = stock.put(path("p-1"), key, {"slug": "a b", "enabled": 1})
    assert [detail["field"] for detail in error_of(answer)["details"]] == ["slug", "enabled"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("external_id", ["a b", "ü", "x" * 129, "p?1", "p\t"])
def test_a_text_that_can_be_no_external_id_is_refused(stock: Stock, key: str, method: str, external_id: str) -> None:
    answer = stock.ask(method, path(external_id), key)
    assert refused(answer) == (400, "invalid_request", "external_id")


def test_an_external_id_of_which_no_slug_can_be_made_asks_for_one(stock: Stock, key: str) -> None:
    assert refused(stock.put(path("..."), key)) == (400, "invalid_request", "slug")
    assert body_of(stock.put(path("..."), key, {"slug": "dots"}), 201)["slug"] == "dots"


@pytest.mark.parametrize("taken", ["slug", "external id"])
def test_a_slug_that_means_another_project_is_refused_by_name(stock: Stock, key: str, taken: str) -> None:
    stock.project(*(("maps", "p-9") if taken == "slug" else ("other", "maps")))
    answer = stock.put(path("p-1"), key, BODY)
    assert refused(answer) == (409, "slug_taken", "slug")
    assert "'maps'" in error_of(answer)["message"]
    assert answer["x-should-retry"] == "false"


def test_a_slug_that_differs_by_letter_case_alone_is_refused_by_name(stock: Stock, key: str) -> None:
    stock.project("Maps")
    answer = stock.put(path("p-1"), key, BODY)
    assert refused(answer) == (409, "slug_taken", "slug")
    assert "letter case of 'Maps'" in error_of(answer)["message"]


def test_a_default_slug_that_is_taken_is_refused_by_name(stock: Stock, key: str) -> None:
    stock.put(path("p.1"), key)
    answer = stock.put(path("P-1"), key)
    assert refused(answer) == (409, "slug_taken", "slug")
    assert body_of(stock.put(path("P-1"), key, {"slug": "p-one"}), 201)["slug"] == "p-one"


def test_an_external_id_that_is_another_projects_slug_is_refused(stock: Stock, key: str) -> None:
    stock.project("maps")
    answer = stock.put(path("maps"), key, {"slug": "other"})
    assert refused(answer) == (409, "external_id_taken", "external_id")


def test_a_slug_stays(stock: Stock, key: str) -> None:
    stock.put(path("p-1"), key, BODY)
    answer = stock.put(path("p-1"), key, {"slug": "charts"})
    assert refused(answer) == (409, "slug_fixed", "slug")
    assert "'maps'" in error_of(answer)["message"]


@pytest.fixture
def restricted(stock: Stock) -> str:
    """A key for the project atlas, whose external id is p-a, alone; p-o is another project."""
    stock.project("atlas", "p-a")
    stock.project("other", "p-o")
    return stock.key("manage", project="atlas")


def test_a_restricted_key_changes_its_own_project(stock: Stock, restricted: str) -> None:
    assert body_of(stock.put(path("p-a"), restricted, {"name": "Atlas"}), 200)["name"] == "Atlas"
    assert body_of(stock.get(path("p-a"), restricted), 200)["name"] == "Atlas"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_restricted_key_learns_nothing_of_others(stock: Stock, restricted: str, method: str) -> None:
    there, nowhere = (stock.ask(method, path(name), restricted, {}) for name in ("p-o", "p-x"))
    assert refused(there) == refused(nowhere) == (403, "project_not_granted", None)
    assert error_of(there)["message"].replace("p-o", "p-x") == error_of(nowhere)["message"]
    assert "keys_create --projects '*'" in error_of(there)["message"]
    assert not Project.objects.filter(external_id="p-x").exists()
