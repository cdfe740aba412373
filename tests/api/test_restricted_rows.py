"""What keys for some projects, some aliases or some models may manage."""

from __future__ import annotations

from typing import Any

import pytest

from iwrouting.models import Override, Revision
from tests.api.rows import WHY, Rows, override_id
from tests.api.stock import error_of, refused

NOT_GRANTED = (403, "project_not_granted", None)


@pytest.fixture
def narrow(rows: Rows) -> str:
    """A key for the project atlas alone."""
    return rows.stock.key("manage", "resolve", project="atlas")


def test_a_key_for_some_projects__manages_their_overrides(rows: Rows, narrow: str) -> None:
    for project in ("atlas", "p-1"):
        made = rows.told("POST", "overrides", {"alias": "fast", "project": project, "model": "acme-mid"}, 201, narrow)
        path = f"overrides/{made['id']}"
        assert rows.write("PATCH", path, {"model": "acme-strong"}, key=narrow)["model"] == "acme-strong"
        rows.told("DELETE", path, key=narrow, x_change_reason=WHY)


def test_a_key_for_some_projects__sees_no_override_of_others(rows: Rows, narrow: str) -> None:
    theirs = rows.told("POST", "overrides", {"alias": "fast", "project": "other", "model": "acme-mid"}, 201)
    shared = rows.told("POST", "overrides", {"alias": "fast", "model": "acme-strong"}, 201)
    listed = rows.read("overrides", narrow)
    assert [row["project"] for row in listed["results"]] == ["atlas"]
    assert listed["count"] == 1
    for row in (theirs, shared):
        path = f"overrides/{row['id']}"
        assert refused(rows.ask("GET", path, key=narrow)) == (404, "not_found", None)
        answer = rows.ask("PATCH", path, {"model": "acme-strong"}, narrow, if_match="*")
        assert refused(answer) == (404, "not_found", None)
        answer = rows.ask("DELETE", path, key=narrow, x_change_reason=WHY)
        assert refused(answer) == (404, "not_found", None)
    assert [row.model for row in Override.objects.filter(alias__name="fast").order_by("pk")] == [
        "acme-mid",
        "acme-strong",
    ]


@pytest.mark.parametrize("project", ["other", "p-2", "none", None, 5])
def test_an_override_of_others__is_refused_alike_whether_they_exist(rows: Rows, narrow: str, project: object) -> None:
    before = Revision.current()
    answer = rows.ask("POST", "overrides", {"alias": "fast", "project": project, "model": "acme-mid"}, narrow)
    assert refused(answer) == NOT_GRANTED
    assert refused(rows.ask("POST", "overrides", {"alias": "fast", "model": "acme-mid"}, narrow)) == NOT_GRANTED
    assert Revision.current() == before


def test_a_key_for_some_projects__manages_its_own_project(rows: Rows, narrow: str) -> None:
    assert [row["slug"] for row in rows.read("projects", narrow)["results"]] == ["atlas"]
    assert rows.write("PATCH", "projects/atlas", {"owner": "Us"}, key=narrow)["owner"] == "Us"
    for method in ("GET", "PATCH", "DELETE"):
        there, nowhere = (
            rows.ask(
                method, f"projects/{name}", {} if method == "PATCH" else None, narrow, x_change_reason=WHY, if_match="*"
            )
            for name in ("other", "none")
        )
        assert refused(there) == refused(nowhere) == NOT_GRANTED
        assert error_of(there)["message"].replace("other", "none") == error_of(nowhere)["message"]
    assert refused(rows.ask("POST", "projects", {"slug": "maps"}, narrow)) == NOT_GRANTED


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "aliases", {"name": "x", "kind": "role", "default_model": "acme-mid"}),
        ("PATCH", "aliases/fast", {"purpose": "x"}),
        ("DELETE", "aliases/fast", None),
        ("GET", "models", None),
        ("GET", "models/acme-mid", None),
        ("POST", "models", {"model_id": "x", "endpoints": ["chat"]}),
        ("DELETE", "models/acme-mid", None),
        ("GET", "prices", None),
        ("POST", "prices", {"model_id": "acme-mid", "input_usd": "1"}),
        ("GET", "upstreams", None),
        ("POST", "upstreams", {}),
        ("GET", "keys", None),
        ("POST", "keys", {"name": "x", "project": "atlas"}),
        ("POST", "keys/0123456789/rotate", {}),
        ("DELETE", "keys/0123456789", None),
    ],
)
def test_what_concerns_everybody__takes_a_key_for_all_projects(
    rows: Rows, narrow: str, method: str, path: str, body: Any
) -> None:
    before = Revision.current()
    answer = rows.ask(method, path, body, narrow, if_match="*", x_change_reason=WHY)
    assert refused(answer) == NOT_GRANTED
    assert Revision.current() == before


def test_a_key_for_some_aliases__manages_these(rows: Rows) -> None:
    key = rows.stock.key("manage", projects=["*"], allowed_aliases=["fast"])
    assert rows.read("aliases/fast", key)["name"] == "fast"
    assert refused(rows.ask("GET", "aliases/manager", key=key)) == (404, "not_found", None)
    assert rows.read("overrides", key)["count"] == 0
    body = {"alias": "manager", "project": "other", "model": "acme-mid"}
    assert refused(rows.ask("POST", "overrides", body, key)) == (403, "not_granted", None)
    body = {"name": "reviewer", "kind": "role", "default_model": "acme-mid"}
    assert refused(rows.ask("POST", "aliases", body, key)) == (403, "not_granted", None)
    past = rows.read(f"revisions/{Revision.current()}", key)["configuration"]
    assert ([row["name"] for row in past["aliases"]], past["overrides"]) == (["fast"], [])


def test_a_key_for_some_models__names_these(rows: Rows) -> None:
    key = rows.stock.key("manage", projects=["*"], allowed_models=["acme-mid"])
    assert [row["model_id"] for row in rows.read("models", key)["results"]] == ["acme-mid"]
    assert [row["model_id"] for row in rows.read("prices", key)["results"]] == ["acme-mid"]
    number = override_id(alias__name="manager")
    answer = rows.ask("PATCH", f"overrides/{number}", {"model": "acme-small"}, key, if_match="*")
    assert refused(answer) == (403, "not_granted", None)
    seen = {"model": "acme-mid", "acknowledge": ["override_same"]}
    assert rows.write("PATCH", f"overrides/{number}", seen, key=key)["model"] == "acme-mid"
    answer = rows.ask("PATCH", "aliases/manager", {"chain": ["acme-strong"]}, key, if_match="*")
    assert refused(answer) == (403, "not_granted", None)
    body = {"model_id": "acme-mid", "input_usd": "1"}
    assert rows.ask("POST", "prices", body, key).status_code == 201
    assert refused(rows.ask("POST", "prices", {**body, "model_id": "acme-small"}, key)) == (403, "not_granted", None)


def test_an_override_beyond_the_keys_models__can_be_archived(rows: Rows) -> None:
    key = rows.stock.key("manage", projects=["*"], allowed_models=["acme-mid"])
    number = override_id(alias__name="manager")
    rows.told("DELETE", f"overrides/{number}", key=key, x_change_reason=WHY)
