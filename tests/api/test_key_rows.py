"""Keys, upstreams and prices by the management API: what is special about each."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iwrouting.models import ApiKey, HistoryRow, Price, Revision, Upstream
from iwrouting.models.keys import hash_key
from tests.api.document import faults
from tests.api.rows import LONG_AGO, WHY, Rows, may_edit_upstreams
from tests.api.stock import error_of, refused

DAY = timedelta(days=1)
UPSTREAM = {"slug": "eu", "base_url": "https://eu.example.com/v1", "secret_ref": "env:IW_UPSTREAM_EU"}


def made_key(rows: Rows, key: str = "", **fields: Any) -> dict[str, Any]:
    """A new key by the API."""
    found: dict[str, Any] = rows.told("POST", "keys", {"name": "made", "project": "atlas", **fields}, 201, key)
    return found


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_key__is_told_once_and_works_at_once(rows: Rows) -> None:
    answer = rows.ask("POST", "keys", {"name": "reports", "project": "p-1", "scopes": ["resolve"]})
    made = json.loads(answer.content)
    assert (answer.status_code, answer["cache-control"]) == (201, "no-store")
    assert made["key"].startswith(f"iw_{made['key_id']}_")
    assert rows.stock.get("/api/v1/aliases", made["key"]).status_code == 200
    assert made["created_by"] == f"iw_{rows.key[3:13]}"
    assert abs(when(made["expires_at"]) - datetime.now(UTC) - 365 * DAY) < DAY
    stored = ApiKey.objects.get(key_id=made["key_id"])
    assert stored.sha256 == hash_key(made["key"])
    assert "key" not in rows.read(f"keys/{made['key_id']}")
    history = HistoryRow.objects.get(revision=made["revision"])
    assert made["key"] not in history.content + history.changed


def test_a_key__without_more__may_resolve_and_call_and_null_never_expires(rows: Rows) -> None:
    assert made_key(rows)["scopes"] == ["call", "resolve"]
    assert made_key(rows, expires_at=None)["expires_at"] is None


@pytest.mark.parametrize(
    ("own", "asked", "field"),
    [
        ({}, {"scopes": ["call"]}, "scopes"),
        ({}, {"scopes": ["manage", "read_audit"]}, "scopes"),
        ({"allowed_aliases": ["fast"]}, {"scopes": ["manage"]}, "allowed_aliases"),
        ({"allowed_aliases": ["fast"]}, {"scopes": ["manage"], "allowed_aliases": ["manager"]}, "allowed_aliases"),
        ({"allowed_models": ["acme-mid"]}, {"scopes": ["manage"]}, "allowed_models"),
        ({"allowed_models": ["acme-mid"]}, {"scopes": ["manage"], "allowed_models": ["acme-strong"]}, "allowed_models"),
    ],
)
def test_a_key__hands_on_no_more_than_it_has(rows: Rows, own: Any, asked: dict[str, Any], field: str) -> None:
    narrow = rows.stock.key("manage", projects=["*"], **own)
    before = Revision.current()
    answer = rows.ask("POST", "keys", {"name": "x", "project": "atlas", **asked}, narrow)
    assert refused(answer) == (403, "not_granted", field)
    assert Revision.current() == before


def test_a_key__hands_on_what_it_has(rows: Rows) -> None:
    limits: dict[str, Any] = {"allowed_aliases": ["fast"], "allowed_models": ["acme-mid"]}
    narrow = rows.stock.key("manage", projects=["*"], **limits)
    made = made_key(rows, narrow, scopes=["manage"], **limits)
    assert {name: made[name] for name in limits} == limits


def test_a_stronger_key__is_not_changed_or_rotated_but_revoked(rows: Rows) -> None:
    narrow = rows.stock.key("manage", projects=["*"])
    strong = rows.key[3:13]
    answer = rows.ask("PATCH", f"keys/{strong}", {"name": "x"}, narrow, if_match="*")
    assert refused(answer) == (403, "not_granted", "scopes")
    assert refused(rows.ask("POST", f"keys/{strong}/rotate", {}, narrow)) == (403, "not_granted", "scopes")
    assert rows.told("DELETE", f"keys/{strong}", key=narrow, x_change_reason=WHY)["revoked_at"] is not None


def test_a_key_that_manages__ends_no_later_than_the_one_that_makes_it(rows: Rows) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + DAY
    own = rows.stock.key("manage", "call", projects=["*"], expires_at=soon)
    assert when(made_key(rows, own, scopes=["manage"])["expires_at"]) == soon
    assert when(made_key(rows, own, scopes=["call"])["expires_at"]) > soon + DAY
    for late in (None, (soon + DAY).isoformat()):
        said = {"name": "made", "project": "atlas", "scopes": ["manage"], "expires_at": late}
        assert refused(rows.ask("POST", "keys", said, own)) == (403, "not_granted", "expires_at")
    turned = rows.told("POST", f"keys/{made_key(rows, own, scopes=['manage'])['key_id']}/rotate", {}, 201, own)
    assert when(turned["expires_at"]) == soon


def test_a_key__changes_nothing_about_itself(rows: Rows) -> None:
    own = rows.key[3:13]
    answer = rows.ask("PATCH", f"keys/{own}", {"expires_at": None, "name": "mine"}, if_match="*")
    assert refused(answer) == (403, "own_key", None)
    assert rows.told("DELETE", f"keys/{own}", x_change_reason=WHY)["revoked_at"] is not None


def test_a_change_of_a_key__can_not_widen_it_beyond_the_callers(rows: Rows) -> None:
    narrow = rows.stock.key("manage", "resolve", projects=["*"])
    made = made_key(rows, narrow, scopes=["resolve"])
    path = f"keys/{made['key_id']}"
    answer = rows.ask("PATCH", path, {"scopes": ["resolve", "call"]}, narrow, if_match="*")
    assert refused(answer) == (403, "not_granted", "scopes")
    assert rows.write("PATCH", path, {"scopes": ["resolve", "manage"]}, key=narrow)["scopes"] == ["resolve", "manage"]


def test_a_rotated_key__goes_on_for_a_day_beside_the_new_one(rows: Rows) -> None:
    old = made_key(rows, scopes=["resolve"], projects=["other"], allowed_aliases=["fast"])
    answer = rows.ask("POST", f"keys/{old['key_id']}/rotate", {})
    new = json.loads(answer.content)
    assert (answer.status_code, answer["cache-control"]) == (201, "no-store")
    assert faults("POST", "/api/v1/keys/{name}/rotate", 201, new) == []
    same = ("name", "project", "projects", "scopes", "allowed_aliases", "allowed_models")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert answer["location"] == f"/api/v1/keys/{new['key_id']}"
    assert new["key_id"] != old["key_id"]
    ends = when(rows.read(f"keys/{old['key_id']}")["expires_at"])
    assert abs(ends - datetime.now(UTC) - DAY) < timedelta(minutes=5)
    for text in (old["key"], new["key"]):
        assert rows.stock.get("/api/v1/aliases", text).status_code == 200
    assert HistoryRow.objects.filter(revision=new["revision"]).count() == 2


def test_a_rotated_key__that_ends_sooner_ends_then(rows: Rows) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    old = made_key(rows, expires_at=soon.isoformat())
    rows.told("POST", f"keys/{old['key_id']}/rotate", {"expires_at": None}, 201)
    assert when(rows.read(f"keys/{old['key_id']}")["expires_at"]) == soon


def test_a_rotation__is_refused_for_a_revoked_key_and_for_unknown_fields(rows: Rows) -> None:
    old = made_key(rows)
    path = f"keys/{old['key_id']}"
    assert refused(rows.ask("POST", f"{path}/rotate", {"scopes": ["manage"]})) == (400, "invalid_request", "scopes")
    plan = rows.told("POST", f"{path}/rotate", {"dry_run": True})
    assert [row["operation"] for row in plan["rows"]] == ["change", "create"]
    assert old["expires_at"] == rows.read(path)["expires_at"]
    rows.told("DELETE", path, x_change_reason=WHY)
    assert refused(rows.ask("POST", f"{path}/rotate", {})) == (409, "revoked", "revoked_at")


def test_upstreams__are_changed_only_by_keys_that_the_deployment_names(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, path in (("POST", "upstreams"), ("PATCH", "upstreams/eu"), ("PUT", "upstreams/eu")):
        answer = rows.ask(method, path, UPSTREAM, if_match="*")
        assert refused(answer) == (403, "upstream_editors_only", None)
        assert rows.key[3:13] in error_of(answer)["message"]
    answer = rows.ask("DELETE", "upstreams/eu", x_change_reason=WHY)
    assert refused(answer) == (403, "upstream_editors_only", None)
    may_edit_upstreams(monkeypatch, rows.key)
    made = rows.told("POST", "upstreams", UPSTREAM, 201)
    assert faults("POST", "/api/v1/upstreams", 201, made) == []
    assert rows.write("PATCH", "upstreams/eu", {"idle_timeout_s": 90})["idle_timeout_s"] == 90
    assert rows.told("DELETE", "upstreams/eu", x_change_reason=WHY)["enabled"] is False


def test_an_upstream__with_another_address__loses_its_secret(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    may_edit_upstreams(monkeypatch, rows.key)
    rows.told("POST", "upstreams", UPSTREAM, 201)
    moved = rows.write("PATCH", "upstreams/eu", {"base_url": "https://other.example.com/v1"})
    assert moved["secret_ref"] == ""
    assert Upstream.objects.get(slug="eu").secret_ref == ""


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"base_url": "http://10.0.0.1/v1"}, "base_url"),
        ({"secret_ref": "env:PATH"}, "secret_ref"),
        ({"secret_ref": "sk-secret"}, "secret_ref"),
        ({"slug": "openai"}, "slug"),
        ({"idle_timeout_s": 0}, "idle_timeout_s"),
    ],
)
def test_an_upstream__is_checked_as_in_the_admin(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], field: str
) -> None:
    may_edit_upstreams(monkeypatch, rows.key)
    answer = rows.ask("POST", "upstreams", {**UPSTREAM, **said})
    assert refused(answer) == (400, "invalid_request", field)
    assert "sk-secret" not in answer.content.decode()


def test_a_price__is_dated_exact_and_an_operators(rows: Rows) -> None:
    since = (datetime.now(UTC) + DAY).replace(microsecond=0)
    body = {"model_id": "acme-mid", "valid_from": since.isoformat(), "input_usd": "0.000001", "output_usd": "12.5"}
    made = rows.told("POST", "prices", body, 201)
    assert faults("POST", "/api/v1/prices", 201, made) == []
    assert (made["input_usd"], made["output_usd"], made["cached_usd"]) == ("0.000001", "12.5", None)
    row = Price.objects.get(pk=made["id"])
    assert (row.input_pico, row.output_pico, row.is_manual) == (1, 12_500_000, True)
    assert row.version.startswith("edited ")
    assert refused(rows.ask("POST", "prices", body))[0] in (409, 422)
    assert rows.told("DELETE", f"prices/{made['id']}", x_change_reason=WHY)["id"] == made["id"]
    assert not Price.objects.filter(pk=made["id"]).exists()


def test_a_price__without_a_time__holds_from_now(rows: Rows) -> None:
    made = rows.told("POST", "prices", {"model_id": "acme-mid", "input_usd": "1", "output_usd": "2"}, 201)
    assert abs(when(made["valid_from"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_price__that_was_in_force__stays(rows: Rows) -> None:
    row = Price.objects.get(model_id="acme-mid")
    assert refused(rows.ask("DELETE", f"prices/{row.pk}", x_change_reason=WHY)) == (409, "in_use", None)
    assert rows.ask("PATCH", f"prices/{row.pk}", {"output_usd": "1"}, if_match="*").status_code == 405


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"valid_from": LONG_AGO.isoformat()}, "valid_from", "passed"),
        ({"input_usd": None}, "input_usd", "required"),
        ({"input_usd": 0.4}, "input_usd", "invalid"),
        ({"input_usd": "0.0000001"}, "input_usd", "invalid"),
        ({"input_usd": "-1"}, "input_usd", "invalid"),
        ({"input_usd": "1e3"}, "input_usd", "invalid"),
        ({"service_tier": "No Tier"}, "service_tier", "invalid"),
        ({"is_manual": False}, "is_manual", "unknown_field"),
    ],
)
def test_a_price__that_can_not_be__is_refused(rows: Rows, said: dict[str, Any], field: str, code: str) -> None:
    body = {"model_id": "acme-mid", "input_usd": "1", **said}
    answer = rows.ask("POST", "prices", body)
    assert refused(answer) == (400, "invalid_request", field)
    assert (field, code) in [(each["field"], each["code"]) for each in error_of(answer)["details"]]
