"""A POST under an `Idempotency-Key`: what it made is made once in 24 hours, and what failed may be tried again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from iwrouting.models import Alias, ApiKey, Change, Override, Revision
from tests.admin.html import read
from tests.api.document import faults
from tests.api.rows import WHY, Rows, override_id
from tests.api.stock import error_of, refused

ALIAS = {"name": "reviewer", "kind": "role", "default_model": "acme-mid"}
KEY = {"name": "made", "project": "atlas", "scopes": ["resolve"]}
DAY = timedelta(hours=24)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + 2 * DAY
LIST = "/admin/iwrouting/change/"
USED = (422, "idempotency_key_reused", "idempotency-key")
ANSWERED = (409, "already_answered", "idempotency-key")


def post(rows: Rows, path: str, body: Any, name: str = "try-1", key: str = "") -> HttpResponse:
    """A POST under a name of its own."""
    return rows.ask("POST", path, body, key, idempotency_key=name)


def made(answer: HttpResponse) -> Any:
    """The row of an answer that must have made one."""
    assert answer.status_code == 201, answer.content
    return json.loads(answer.content)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("aliases", ALIAS),
        ("overrides", {"alias": "fast", "project": "atlas", "model": "acme-mid"}),
        ("projects", {"slug": "maps"}),
        ("models", {"model_id": "acme/new", "endpoints": ["chat"], "acknowledge": ["price_missing"]}),
        ("prices", {"model_id": "acme-mid", "input_usd": "0.5", "output_usd": "2"}),
        ("keys", KEY),
    ],
)
def test_the_same_post__again__makes_nothing_and_tells_what_it_made(rows: Rows, path: str, body: Any) -> None:
    first = post(rows, path, body)
    row, before = made(first), Revision.current()
    again = post(rows, path, dict(reversed(body.items())))
    assert refused(again) == ANSWERED
    assert (again["location"], again["x-should-retry"]) == (first["location"], "false")
    assert faults("POST", f"/api/v1/{path}", 409, json.loads(again.content)) == []
    [told] = error_of(again)["details"]
    assert (told["location"], told["revision"]) == (first["location"], row["revision"])
    assert Revision.current() == before
    assert rows.ask("GET", again["location"].removeprefix("/api/v1/")).status_code == 200


def test_a_key_made_once__is_not_told_again__and_the_answer_says_how_to_go_on(rows: Rows) -> None:
    row = made(post(rows, "keys", KEY))
    again = post(rows, "keys", KEY)
    assert row["key"] not in again.content.decode()
    assert f"POST /api/v1/keys/{row['key_id']}/rotate" in error_of(again)["message"]
    assert ApiKey.objects.filter(name="made").count() == 1
    path = f"keys/{row['key_id']}/rotate"
    new = made(post(rows, path, {}, "rotate-1"))
    twice = post(rows, path, {}, "rotate-1")
    assert refused(twice) == ANSWERED
    assert twice["location"] == f"/api/v1/keys/{new['key_id']}"
    assert faults("POST", "/api/v1/keys/{name}/rotate", 409, json.loads(twice.content)) == []
    assert ApiKey.objects.filter(name="made").count() == 2


def test_the_same_name__with_another_body_or_path__is_refused(rows: Rows) -> None:
    row = made(post(rows, "keys", KEY))
    for path, body in (
        ("keys", {**KEY, "scopes": ["resolve", "call"]}),
        ("keys", {**KEY, "change_reason": "Another reason"}),
        ("aliases", KEY),
        (f"keys/{row['key_id']}/rotate", {}),
    ):
        answer = post(rows, path, body)
        assert refused(answer) == USED
        assert "location" not in answer
    assert Revision.current() == row["revision"]


def test_a_name__is_the_keys_own(rows: Rows) -> None:
    other = rows.stock.key(projects=["*"])
    ids = {made(post(rows, "keys", KEY, key=key))["key_id"] for key in (rows.key, other)}
    assert len(ids) == 2


def test_a_name__is_free_again_after_24_hours(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    def at(moment: datetime) -> HttpResponse:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return post(rows, "prices", {"model_id": "acme-mid", "input_usd": "0.5", "output_usd": "2"})

    second = timedelta(seconds=1)
    midnight = NOON + DAY / 2
    for start in (NOON, midnight + 2 * DAY, midnight + 5 * DAY - second):
        row = made(at(start))
        assert refused(at(start + second)) == ANSWERED
        assert refused(at(start + DAY - second)) == ANSWERED
        assert made(at(start + DAY))["id"] != row["id"]
        assert refused(at(start + 2 * DAY - second)) == ANSWERED


def test_what_was_refused__may_be_tried_again_under_the_same_name(rows: Rows) -> None:
    body = {"alias": "fast", "project": "atlas", "model": "acme-unknown"}
    lines = Change.objects.count()
    assert refused(post(rows, "overrides", body)) == (409, "not_acknowledged", "acknowledge")
    assert post(rows, "overrides", {**body, "model": 5}).status_code == 400
    assert Change.objects.count() == lines
    made(post(rows, "overrides", {**body, "acknowledge": ["model_unverified", "price_missing", "unverified"]}))
    assert Override.objects.filter(alias__name="fast").count() == 1


def test_what_failed__may_be_tried_again_under_the_same_name(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    with monkeypatch.context() as broken:
        broken.setattr("iwrouting.models.changing.history_rows", fails)
        assert post(rows, "aliases", ALIAS).status_code == 500
    made(post(rows, "aliases", ALIAS))
    assert Alias.objects.filter(name="reviewer").count() == 1


def test_a_dry_run__takes_no_name_and_heeds_none(rows: Rows) -> None:
    tried = {**ALIAS, "dry_run": True}
    assert post(rows, "aliases", tried).status_code == 200
    made(post(rows, "aliases", ALIAS))
    assert post(rows, "aliases", {**tried, "name": "another"}).status_code == 200


@pytest.mark.parametrize("name", ["", "x" * 129, '"quoted"', "two words", "a,b", "ü", "line\n"])
def test_a_name__of_another_form__is_refused(rows: Rows, name: str) -> None:
    before = Revision.current()
    assert refused(post(rows, "aliases", ALIAS, name)) == (400, "invalid_request", "idempotency-key")
    assert Revision.current() == before


def test_a_name__of_every_allowed_character_and_the_full_length__is_taken(rows: Rows) -> None:
    name = "aZ9._:/-".ljust(128, "x")
    made(post(rows, "aliases", ALIAS, name))
    assert refused(post(rows, "aliases", ALIAS, name)) == ANSWERED
    assert post(rows, "projects", {"slug": "maps"}, name.upper()).status_code == 201


def test_a_row_that_is_gone_since__is_not_made_again(rows: Rows) -> None:
    first = post(rows, "overrides", {"alias": "fast", "model": "acme-mid"})
    path = f"overrides/{override_id(alias__name='fast')}"
    rows.told("DELETE", path, x_change_reason=WHY)
    assert refused(post(rows, "overrides", {"alias": "fast", "model": "acme-mid"})) == ANSWERED
    assert first["location"] == f"/api/v1/{path}"
    assert not Override.objects.filter(alias__name="fast").exists()


def test_the_change__knows_its_attempt_and_not_the_body(rows: Rows) -> None:
    made(post(rows, "aliases", {**ALIAS, "purpose": "Reviews what was changed"}))
    line = rows.read("changes?page_size=1")["results"][0]
    assert (line["kind"], line["row_count"], line["reason"]) == ("configuration", 1, WHY)
    told = rows.read(f"changes/{line['id']}")["details"]
    assert set(told) == {"idempotency"}
    assert {name: told["idempotency"][name] for name in ("key", "location")} == {
        "key": "try-1",
        "location": "/api/v1/aliases/reviewer",
    }
    assert set(told["idempotency"]) == {"key", "location", "request_sha256"}
    assert "Reviews what" not in Change.objects.get(pk=line["id"]).details


def test_the_pages_of_the_change_list__show_it_like_any_other(rows: Rows, admin_client: Client) -> None:
    row = made(post(rows, "aliases", ALIAS))
    listed = read(admin_client.get(LIST))
    assert f"iw_{rows.key[3:13]} API alias reviewer create" in listed.text
    assert (listed.faults, "try-1" in listed.text) == ([], False)
    line = Change.objects.get(revision=row["revision"])
    shown = read(admin_client.get(f"{LIST}{line.pk}/change/"))
    assert (shown.faults, "key: try-1; location: /api/v1/aliases/reviewer" in shown.text) == ([], True)


def test_a_post_without_a_name__keeps_nothing_but_the_change(rows: Rows) -> None:
    row = rows.told("POST", "aliases", ALIAS, 201)
    line = Change.objects.get(revision=row["revision"])
    assert (line.event, line.details) == (None, "{}")
    assert refused(rows.ask("POST", "aliases", ALIAS)) == (409, "already_exists", "name")
