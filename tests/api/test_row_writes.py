"""What every write says beside the row: why, on top of what, with what seen, tried or done."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import pytest
from django.db import OperationalError, connection

from iwrouting.models import Alias, Change, Model, Override, Revision
from iwrouting.models.busy import BUSY
from tests.api.document import faults
from tests.api.rows import WHY, Rows, may_edit_upstreams, override_id
from tests.api.stock import error_of, refused

ALIAS = {"name": "reviewer", "kind": "role", "default_model": "acme-mid"}


@pytest.mark.parametrize("reason", [None, "", "x", "    x   ", "r" * 301, 5])
def test_a_write__without_a_reason__is_refused(rows: Rows, reason: object) -> None:
    body = ALIAS if reason is None else {**ALIAS, "change_reason": reason}
    answer = rows.stock.ask("POST", "/api/v1/aliases", rows.key, body)
    assert refused(answer) == (400, "reason_required", "change_reason")
    assert not Alias.objects.filter(name="reviewer").exists()
    answer = rows.stock.ask("DELETE", "/api/v1/aliases/manager", rows.key)
    assert refused(answer) == (400, "reason_required", "change_reason")


def test_a_reason__stands_in_the_header_or_in_the_body_which_wins(rows: Rows) -> None:
    path = "/api/v1/aliases/manager"
    for said, header, kept in (
        ({}, "From the header", "From the header"),
        ({"change_reason": "From it"}, "x" * 9, "From it"),
    ):
        body = {"purpose": kept, **said}
        answer = rows.stock.ask("PATCH", path, rows.key, body, if_match="*", x_change_reason=header)
        assert answer.status_code == 200
        assert Change.objects.order_by("-revision")[0].reason == kept


def test_a_reason_in_the_header__may_be_utf_8(rows: Rows) -> None:
    said = "Größeres Modell".encode().decode("latin-1")
    rows.stock.ask("PATCH", "/api/v1/aliases/manager", rows.key, {"purpose": "x"}, if_match="*", x_change_reason=said)
    assert Change.objects.order_by("-revision")[0].reason == "Größeres Modell"


def test_a_fault_of_the_row_as_a_whole__names_no_field(rows: Rows) -> None:
    times = {"starts_at": "2027-02-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z"}
    answer = rows.ask("POST", "overrides", {"alias": "fast", "project": "atlas", "model": "acme-mid", **times})
    assert refused(answer) == (400, "invalid_request", None)
    assert error_of(answer)["message"] == "It must start before it expires."


def test_a_change__without_if_match__is_refused(rows: Rows) -> None:
    for method in ("PATCH", "PUT"):
        answer = rows.ask(method, "aliases/manager", {"purpose": "x"})
        assert refused(answer) == (428, "match_required", "if-match")


def test_a_change__with_an_if_match_that_is_no_etag__is_told_what_one_is(rows: Rows) -> None:
    revision = rows.ask("GET", "aliases/manager")["etag"].strip('"')
    answer = rows.ask("PATCH", "aliases/manager", {"purpose": "x"}, if_match=revision)
    assert refused(answer) == (412, "stale", "if-match")
    assert f"'{revision}' is no ETag of a row: send it as it was read, with its quotes" in error_of(answer)["message"]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_a_write__on_top_of_what_somebody_changed__is_refused_with_both_values(rows: Rows, method: str) -> None:
    path = f"overrides/{override_id(alias__name='manager')}"
    mine = rows.ask("GET", path)["etag"]
    rows.write("PATCH", path, {"model": "acme-small", "reason": "Cheaper"})
    before = Revision.current()
    body = None if method == "DELETE" else {"alias": "manager", "project": "atlas", "model": "acme-mid"}
    answer = rows.ask(method, path, body, if_match=mine, x_change_reason=WHY)
    assert refused(answer) == (412, "stale", "if-match")
    details = {each["field"]: each for each in error_of(answer)["details"]}
    assert set(details) == {"model", "reason"}
    assert (details["model"]["read"], details["model"]["stored"]) == ("acme-strong", "acme-small")
    assert details["model"].get("sent") == (None if method == "DELETE" else "acme-mid")
    assert Revision.current() == before


@pytest.mark.parametrize(
    ("tag", "status"), [("{}", 200), ("W/{}", 200), ('"1", {}', 200), ("*", 200), ('"x"', 412), ("41", 412)]
)
def test_if_match__takes_etags_lists_of_them_and_anything(rows: Rows, tag: str, status: int) -> None:
    etag = rows.ask("GET", "aliases/manager")["etag"]
    assert rows.ask("PATCH", "aliases/manager", {"purpose": "x"}, if_match=tag.format(etag)).status_code == status


def test_an_etag__is_of_the_row__and_not_of_the_configuration(rows: Rows) -> None:
    etag = rows.ask("GET", "aliases/manager")["etag"]
    rows.write("PATCH", "aliases/fast", {"purpose": "Short answers"})
    assert rows.ask("PATCH", "aliases/manager", {"purpose": "x"}, if_match=etag).status_code == 200


def test_findings__are_listed_once_and_acknowledged_by_code_or_key(rows: Rows) -> None:
    body: dict[str, Any] = {"alias": "fast", "project": "atlas", "model": "acme-unknown"}
    answer = rows.ask("POST", "overrides", body)
    assert refused(answer) == (409, "not_acknowledged", "acknowledge")
    assert answer["x-should-retry"] == "false"
    assert not Override.objects.filter(alias__name="fast").exists()
    details = error_of(answer)["details"]
    codes = {each["code"] for each in details}
    assert {"field", "code", "message", "object_type", "name", "key"} == set(details[0])
    made = rows.told("POST", "overrides", {**body, "acknowledge": sorted(codes)}, 201)
    kept = json.loads(Change.objects.get(revision=made["revision"]).details)["findings"]
    assert {each["code"] for each in kept} == codes
    assert all(each["acknowledged"] for each in kept)
    keys = [each["key"].replace("atlas", "other") for each in details]
    assert rows.ask("POST", "overrides", {**body, "project": "other", "acknowledge": keys}).status_code == 201


@pytest.mark.parametrize("seen", ["unverified", [1], None, ["x"] * 201])
def test_an_acknowledgement__that_is_no_list_of_codes__is_refused(rows: Rows, seen: object) -> None:
    answer = rows.ask("POST", "aliases", {**ALIAS, "acknowledge": seen})
    assert refused(answer) == (400, "invalid_request", "acknowledge")


def test_faults__refuse_a_change_with_their_rows(rows: Rows) -> None:
    answer = rows.ask("PATCH", "aliases/manager", {"chain": ["nobody"]}, if_match="*")
    assert answer.status_code in (400, 422)
    assert any(each["field"] == "chain" for each in error_of(answer)["details"])
    assert Alias.objects.get(name="manager").chain == ["fast"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "aliases", ALIAS),
        ("PATCH", "models/acme-mid", {"context_window": 5000}),
        ("PUT", "models/acme-mid", {"model_id": "acme-mid", "endpoints": ["chat"]}),
        ("DELETE", "projects/other?dry_run=true", None),
        ("POST", "keys", {"name": "x", "project": "atlas"}),
        ("POST", "projects", {"slug": "maps"}),
    ],
)
def test_a_dry_run__says_what_it_would_do_and_does_nothing(rows: Rows, method: str, path: str, body: Any) -> None:
    before, lines = Revision.current(), Change.objects.count()
    body = None if body is None else {**body, "dry_run": True}
    answer = rows.ask(method, path, body, if_match="" if method == "POST" else "*", x_change_reason=WHY)
    assert answer.status_code == 200, answer.content
    plan = json.loads(answer.content)
    assert (plan["dry_run"], plan["revision"]) == (True, before)
    assert [row["operation"] for row in plan["rows"]] == ["create" if method == "POST" else "change"]
    assert (Revision.current(), Change.objects.count()) == (before, lines)
    assert Model.objects.get(model_id="acme-mid").context_window == 100_000
    assert "sha256" not in answer.content.decode()
    assert faults("POST", "/api/v1/aliases", 200, plan) == []
    assert faults("PATCH", "/api/v1/aliases/{name}", 200, plan) == []


def test_a_dry_run__tells_findings_that_nobody_need_have_seen(rows: Rows) -> None:
    body = {"alias": "fast", "project": "atlas", "model": "acme-unknown", "dry_run": True}
    plan = rows.told("POST", "overrides", body)
    assert plan["findings"]
    assert plan["rows"][0]["changed"]["model"] == [None, "acme-unknown"]


def test_a_dry_run__is_refused_for_what_would_refuse_the_change(rows: Rows) -> None:
    assert rows.ask("POST", "aliases", {**ALIAS, "name": "fast", "dry_run": True}).status_code == 409
    assert refused(rows.ask("POST", "aliases", {**ALIAS, "dry_run": "yes"})) == (400, "invalid_request", "dry_run")
    answer = rows.ask("DELETE", "projects/other?dry_run=yes", x_change_reason=WHY)
    assert refused(answer) == (400, "invalid_request", "dry_run")


def test_delete__takes_no_body(rows: Rows) -> None:
    answer = rows.ask("DELETE", "projects/other", {}, x_change_reason=WHY)
    assert refused(answer) == (400, "invalid_request", None)


def test_while_a_change_by_sql_waits__nothing_is_changed(rows: Rows) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iwrouting_alias SET purpose = 'by SQL' WHERE name = 'fast'")
    for method, path, body in (
        ("POST", "aliases", ALIAS),
        ("PATCH", "aliases/manager", {"purpose": "x"}),
        ("PUT", "projects/p-1", {"name": "Atlas"}),
        ("DELETE", "aliases/manager", None),
    ):
        answer = rows.ask(method, path, body, if_match="*", x_change_reason=WHY)
        assert refused(answer) == (409, "changed_by_sql", None)
        assert "config_adopt" in error_of(answer)["message"]


def test_put_of_a_project__takes_a_reason_and_heeds_if_match(rows: Rows) -> None:
    rows.stock.put("/api/v1/projects/p-1", rows.key, {"name": "Atlas"})
    assert Change.objects.order_by("-revision")[0].reason == "PUT of the project p-1"
    rows.stock.put("/api/v1/projects/p-1", rows.key, {"name": "Atlas 2", "change_reason": "It has a new name"})
    assert Change.objects.order_by("-revision")[0].reason == "It has a new name"
    rows.stock.put("/api/v1/projects/p-1", rows.key, {"owner": "A"}, x_change_reason="Said in the header")
    assert Change.objects.order_by("-revision")[0].reason == "Said in the header"
    assert refused(rows.stock.put("/api/v1/projects/p-1", rows.key, {"owner": "B"}, if_match='"1"')) == (
        412,
        "stale",
        "if-match",
    )
    answer = rows.stock.put("/api/v1/projects/p-77", rows.key, {}, if_match='"1"')
    assert refused(answer) == (412, "stale", "if-match")
    etag = rows.stock.get("/api/v1/projects/p-1", rows.key)["etag"]
    assert rows.stock.put("/api/v1/projects/p-1", rows.key, {"owner": "B"}, if_match=etag).status_code == 200


def test_a_write__while_another_transaction_holds_what_it_needs__does_not_wait_for_ever(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_edit_upstreams(monkeypatch, rows.key)
    monkeypatch.setattr("iwrouting.api.management.resources.writing.WAIT_S", 0.1)
    other = connection.copy()
    if connection.vendor == "postgresql":
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE iwrouting_upstream IN EXCLUSIVE MODE; SET statement_timeout = '20s'")
    else:  # a test on SQLite is the one writer
        monkeypatch.setattr(Revision, "lock", _locked)
    try:
        answer = rows.ask("POST", "upstreams", {"slug": "far", "base_url": "https://far.example/v1"})
    finally:
        other.close()
    assert refused(answer) == (503, "database_unavailable", None)
    assert answer["retry-after"] == "1"
    assert BUSY in answer.content.decode()


def _locked(_using: str) -> NoReturn:
    raise OperationalError("database is locked")
