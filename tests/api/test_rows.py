"""Every kind of rows through the management API: made, listed, read, changed, replaced, archived."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iwrouting.models import Alias, ApiKey, Change, HistoryRow, Model, Override, Project, Revision
from iwrouting.snapshot import store
from tests.api.document import faults
from tests.api.rows import WHY, Rows, override_id
from tests.api.stock import error_of, refused

BODIES: dict[str, dict[str, Any]] = {
    "aliases": {"name": "reviewer", "kind": "role", "default_model": "acme-mid", "chain": ["fast"]},
    "overrides": {"alias": "fast", "project": "atlas", "model": "acme-mid", "expires_at": "2027-02-01T00:00:00Z"},
    "projects": {"slug": "maps", "external_id": "p-9", "name": "Maps"},
    "models": {"model_id": "acme/new", "endpoints": ["chat"], "context_window": 8000},
    "keys": {"name": "reports", "project": "atlas", "scopes": ["resolve"]},
}
CHANGES: dict[str, dict[str, Any]] = {
    "aliases": {"purpose": "Reviews"},
    "overrides": {"model": "acme-strong"},
    "projects": {"owner": "Maps team"},
    "models": {"tier": "mid"},
    "keys": {"name": "reports of atlas"},
}
NAMED = {"aliases": "name", "overrides": "id", "projects": "slug", "models": "model_id", "keys": "key_id"}
PARAMETER = {"projects": "external_id"}


def make(rows: Rows, kind: str) -> tuple[str, dict[str, Any]]:
    """A new row: its path, and the answer."""
    answer = rows.ask("POST", kind, BODIES[kind])
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = json.loads(answer.content)
    assert answer["etag"] == f'"{body["revision"]}"'
    assert faults("POST", f"/api/v1/{kind}", 201, body) == []
    return answer["location"].removeprefix("/api/v1/"), body


def last_change() -> Change:
    return Change.objects.order_by("-revision")[0]


@pytest.mark.parametrize("kind", BODIES)
def test_a_row__when_made__is_read_back_listed_and_remembered(rows: Rows, kind: str) -> None:
    path, made = make(rows, kind)
    made.pop("key", None)
    assert path == f"{kind}/{made[NAMED[kind]]}"
    assert made["revision"] == Revision.current() == store.current.revision
    answer = rows.ask("GET", path)
    assert json.loads(answer.content) == made
    assert answer["etag"] == f'"{made["revision"]}"'
    if kind != "aliases":
        assert made in rows.read(kind)["results"]
    line = last_change()
    assert (line.author, line.via, line.reason) == (f"iw_{rows.key[3:13]}", "API", WHY)
    assert HistoryRow.objects.get(revision=made["revision"]).operation == "create"


@pytest.mark.parametrize("kind", BODIES)
def test_a_change__of_what_was_read__is_a_revision(rows: Rows, kind: str) -> None:
    path, made = make(rows, kind)
    changed = rows.write("PATCH", path, CHANGES[kind])
    made.pop("key", None)
    assert changed == {
        **made,
        **CHANGES[kind],
        "revision": made["revision"] + 1,
        "updated_at": changed["updated_at"],
    }
    parameter = PARAMETER.get(kind, "name")
    assert faults("PATCH", f"/api/v1/{kind}/{{{parameter}}}", 200, changed) == []
    assert list(json.loads(HistoryRow.objects.get(revision=changed["revision"]).changed)) == list(CHANGES[kind])
    assert store.current.revision == changed["revision"]


@pytest.mark.parametrize("kind", BODIES)
def test_a_change__that_says_what_is_so__raises_no_revision(rows: Rows, kind: str) -> None:
    path, made = make(rows, kind)
    same = {name: made[name] for name in BODIES[kind]}
    again = rows.write("PATCH", path, same)
    assert again["revision"] == made["revision"] == Revision.current()


@pytest.mark.parametrize("kind", ["aliases", "overrides", "models"])
def test_a_replacement__makes_what_it_leaves_out_what_it_is_on_a_new_row(rows: Rows, kind: str) -> None:
    path, made = make(rows, kind)
    rows.write("PATCH", path, CHANGES[kind])
    replaced = rows.write("PUT", path, BODIES[kind])
    assert replaced == {**made, "revision": replaced["revision"], "updated_at": replaced["updated_at"]}


def test_a_replacement__without_what_a_row_must_have__is_refused(rows: Rows) -> None:
    path, _ = make(rows, "aliases")
    answer = rows.ask("PUT", path, {"purpose": "x"}, if_match="*")
    assert refused(answer) == (400, "invalid_request", "name")
    assert [detail["field"] for detail in error_of(answer)["details"]] == ["name", "kind", "default_model"]


def test_an_alias__when_archived__is_gone_and_kept_by_history(rows: Rows) -> None:
    path, made = make(rows, "aliases")
    gone = rows.told("DELETE", path, x_change_reason=WHY)
    assert gone == {**made, "revision": made["revision"] + 1}
    assert refused(rows.ask("GET", path)) == (404, "not_found", None)
    assert not Alias.objects.filter(name="reviewer").exists()
    assert HistoryRow.objects.get(revision=gone["revision"]).operation == "delete"


def test_an_alias__with_overrides__stays_until_they_are_archived(rows: Rows) -> None:
    number = override_id(alias__name="manager")
    answer = rows.ask("DELETE", "aliases/manager", x_change_reason=WHY)
    assert refused(answer) == (409, "in_use", None)
    assert f"{number} (atlas)" in error_of(answer)["message"]
    rows.told("DELETE", f"overrides/{number}", x_change_reason=WHY)
    rows.told("DELETE", "aliases/manager", x_change_reason=WHY)


def test_an_alias__in_a_chain__stays(rows: Rows) -> None:
    answer = rows.ask("DELETE", "aliases/fast", x_change_reason=WHY)
    assert refused(answer) == (422, "change_refused", None)
    assert error_of(answer)["details"][0]["code"] == "in_use"
    assert Alias.objects.filter(name="fast").exists()


@pytest.mark.parametrize(("path", "model"), [("projects/other", Project), ("models/acme-strong", Model)])
def test_what_others_name__when_archived__is_disabled_once(rows: Rows, path: str, model: Any) -> None:
    gone = rows.told("DELETE", f"{path}?acknowledge=switched_off", x_change_reason=WHY)
    assert gone["enabled"] is False
    again = rows.told("DELETE", path, x_change_reason=WHY)
    assert again["revision"] == gone["revision"] == Revision.current()
    assert rows.write("PATCH", path, {"enabled": True})["enabled"] is True


def test_a_key__when_archived__is_revoked_for_good(rows: Rows) -> None:
    path, made = make(rows, "keys")
    gone = rows.told("DELETE", path, x_change_reason=WHY)
    assert gone["revoked_at"] is not None
    assert refused(rows.stock.get("/api/v1/aliases", made["key"])) == (401, "revoked_api_key", None)
    answer = rows.ask("PATCH", path, {"name": "x"}, if_match="*")
    assert refused(answer) == (409, "revoked", "revoked_at")
    assert rows.told("DELETE", path, x_change_reason=WHY)["revision"] == gone["revision"]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("aliases", "name", "critic"),
        ("aliases", "kind", "chat_mode"),
        ("overrides", "alias", "manager"),
        ("overrides", "project", "other"),
        ("overrides", "project", None),
        ("projects", "slug", "charts"),
        ("models", "model_id", "acme/newer"),
        ("keys", "project", "other"),
    ],
)
def test_what_the_audit_names__stays(rows: Rows, kind: str, field: str, value: object) -> None:
    path, _ = make(rows, kind)
    assert refused(rows.ask("PATCH", path, {field: value}, if_match="*")) == (409, "fixed", field)


@pytest.mark.parametrize(("name", "listed"), [("alias", "aliases"), ("project", "projects")])
def test_a_name__that_is_nothing__is_told_with_the_list_of_what_there_is(rows: Rows, name: str, listed: str) -> None:
    body = {"alias": "fast", "project": "atlas", "model": "acme-mid", name: "none"}
    said = error_of(rows.ask("POST", "overrides", body))["message"]
    assert said == f"{name}: There is no {name} 'none': GET /api/v1/{listed} lists what there is."


@pytest.mark.parametrize(
    ("kind", "body", "field", "code"),
    [
        ("aliases", {"name": "x", "kind": "role", "default_model": 5}, "default_model", "invalid"),
        ("aliases", {"name": "X", "kind": "role", "default_model": "m"}, "name", "invalid"),
        ("aliases", {"name": "x", "kind": "mode", "default_model": "m"}, "kind", "invalid_choice"),
        ("aliases", {"name": "x", "kind": "role", "default_model": "m", "infer": "yes"}, "infer", "invalid"),
        ("aliases", {"name": "x", "kind": "role", "default_model": "m", "chain": "fast"}, "chain", "invalid"),
        ("aliases", {"name": "x", "kind": "role", "default_model": "m", "chain": [1]}, "chain.0", "invalid"),
        ("aliases", {"name": "x", "kind": "role", "default_model": "m", "deadline_s": True}, "deadline_s", "invalid"),
        ("aliases", {"name": "x", "kind": "role", "default_model": "m", "id": 3}, "id", "unknown_field"),
        ("overrides", {"alias": "none", "model": "acme-mid"}, "alias", "does_not_exist"),
        ("overrides", {"alias": "fast", "project": "none", "model": "acme-mid"}, "project", "does_not_exist"),
        ("overrides", {"alias": "fast", "model": "m", "expires_at": "2027-01-01"}, "expires_at", "invalid"),
        ("overrides", {"alias": "fast", "model": "m", "expires_at": 1}, "expires_at", "invalid"),
        ("projects", {"slug": "a b"}, "slug", "invalid"),
        ("projects", {"slug": "a", "max_run_tokens": 0}, "max_run_tokens", "min_value"),
        ("projects", {"slug": "a", "revision": 1}, "revision", "unknown_field"),
        ("models", {"model_id": "a"}, "endpoints", "required"),
        ("models", {"model_id": "a", "endpoints": ["speech"]}, "endpoints", "invalid"),
        ("models", {"model_id": "a", "endpoints": ["chat"], "upstream": "none"}, "upstream", "does_not_exist"),
        ("models", {"model_id": "a", "endpoints": ["chat"], "shutdown_date": "soon"}, "shutdown_date", "invalid"),
        ("keys", {"name": "x", "project": "atlas", "scopes": ["admin"]}, "scopes", "invalid"),
        ("keys", {"name": "x", "project": "atlas", "projects": ["none"]}, "projects", "invalid"),
        ("keys", {"name": "x", "project": "atlas", "sha256": "0" * 64}, "sha256", "unknown_field"),
        ("keys", {"name": "x", "project": "atlas", "key_id": "0" * 10}, "key_id", "unknown_field"),
    ],
)
def test_a_body__that_is_wrong__is_refused_by_its_field(
    rows: Rows, kind: str, body: dict[str, Any], field: str, code: str
) -> None:
    before = Revision.current()
    answer = rows.ask("POST", kind, body)
    assert answer.status_code in (400, 403), answer.content
    details = error_of(answer).get("details", [])
    assert (field, code) in [(detail["field"], detail["code"]) for detail in details], answer.content
    assert Revision.current() == before


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("aliases", {"name": "fast", "kind": "role", "default_model": "acme-mid"}, "name"),
        ("overrides", {"alias": "manager", "project": "atlas", "model": "acme-mid"}, "alias"),
        ("projects", {"slug": "atlas"}, "slug"),
        ("projects", {"slug": "maps", "external_id": "p-1"}, "external_id"),
        ("models", {"model_id": "acme-mid", "endpoints": ["chat"]}, "model_id"),
    ],
)
def test_what_is_there__can_not_be_made_again(rows: Rows, kind: str, body: dict[str, Any], field: str) -> None:
    answer = rows.ask("POST", kind, body)
    assert refused(answer) == (409, "already_exists", field)
    assert answer["x-should-retry"] == "false"


def test_a_second_override_of_one_place__is_refused_with_the_number_of_the_first(rows: Rows) -> None:
    answer = rows.ask("POST", "overrides", {"alias": "manager", "project": "p-1", "model": "acme-mid"})
    assert f"override {override_id(alias__name='manager')} of manager" in error_of(answer)["message"]


def test_a_global_override__stands_beside_those_of_projects(rows: Rows) -> None:
    made = rows.told("POST", "overrides", {"alias": "manager", "project": None, "model": "acme-small"}, 201)
    assert made["project"] is None
    assert rows.read("overrides?is_global=true")["results"] == [made]
    assert rows.ask("POST", "overrides", {"alias": "manager", "model": "acme-mid"}).status_code == 409


def test_what_is_not_there__is_not_found(rows: Rows) -> None:
    for path in ("aliases/none", "overrides/99", "overrides/x", "overrides/" + "9" * 30, "models/none", "keys/none"):
        for method in ("GET", "PATCH", "DELETE"):
            answer = rows.ask(method, path, {} if method == "PATCH" else None, x_change_reason=WHY, if_match="*")
            assert refused(answer) == (404, "not_found", None), path
    assert refused(rows.ask("GET", "projects/none")) == (404, "project_not_found", "external_id")


def test_a_project__is_read_and_changed_by_slug_and_by_external_id(rows: Rows) -> None:
    assert rows.read("projects/atlas") == rows.read("projects/p-1")
    assert rows.write("PATCH", "projects/p-1", {"max_run_tokens": 1000})["slug"] == "atlas"
    assert rows.write("PATCH", "projects/atlas", {"external_id": "p-3"})["external_id"] == "p-3"
    assert refused(rows.ask("GET", "projects/p-1")) == (404, "project_not_found", "external_id")


def test_head__answers_as_get_without_the_body(rows: Rows) -> None:
    for path in ("overrides", "aliases/fast", "changes", "revisions/1"):
        answer = rows.ask("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_no_answer__holds_a_hash(rows: Rows) -> None:
    hashes = list(ApiKey.objects.values_list("sha256", flat=True))
    number = Change.objects.get(revision=Revision.current()).pk
    for path in ("keys", f"keys/{rows.key[3:13]}", "revisions", f"revisions/{Revision.current()}", f"changes/{number}"):
        text = rows.ask("GET", path).content.decode()
        assert "sha256" not in text
        assert not any(each in text for each in hashes)
    assert Override.objects.count() == 1
