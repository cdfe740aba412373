"""`as_of` on resolve: what was true then, from history, by the resolver that answers now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from iwrouting.models import Alias, Change, Revision
from tests.live.databases import ALIAS
from tests.live.live import Live
from tests.live.world import Tenant
from tests.sandbox import raw

RESOLVE = "/api/v1/resolve"
SCOPES = ["resolve", "read_audit"]
OLD, NEW = "gpt-4.1", "gpt-5-mini"


def ask(live: Live, tenant: Tenant, **query: object) -> raw.Raw:
    return live.get(f"{RESOLVE}?{urlencode(query)}", tenant)


def then(live: Live, tenant: Tenant, **query: object) -> dict[str, Any]:
    got = ask(live, tenant, **query)
    assert got.status == 200, got.body
    found: dict[str, Any] = got.json
    return found


def head() -> int:
    return Revision.objects.using(ALIAS).get().number


def committed(revision: int) -> datetime:
    return Change.objects.using(ALIAS).get(revision=revision).at


def error_code(got: raw.Raw) -> tuple[int, str, str | None]:
    error = got.json["error"]
    return got.status, error["code"], error["param"]


def test_a_revision__is_answered_with_what_was_true_under_it(live: Live) -> None:
    tenant = live.tenant({"worker_code": OLD}, scopes=SCOPES)
    with_old = head()
    row = tenant.row.overrides.using(ALIAS).get()
    row.model = NEW
    row.save(using=ALIAS)
    with_new = head()
    row.delete(using=ALIAS)
    live.settle()
    for revision, model, state in ((with_old, OLD, "used"), (with_new, NEW, "used"), (head(), None, "not_set")):
        found = then(live, tenant, alias="worker_code", as_of=revision)
        step = found["ladder"][0]
        assert (step["source"], step["value"], step["state"]) == ("project_override", model, state)
        assert found["revision"] == found["as_of"]["revision"] == revision
        assert found["decision_id"] is None
    assert live.records() == []


def test_a_time__is_answered_under_the_last_revision_committed_by_then(live: Live) -> None:
    tenant = live.tenant({"worker_code": OLD}, scopes=SCOPES)
    first = head()
    row = tenant.row.overrides.using(ALIAS).get()
    row.model = NEW
    row.save(using=ALIAS)
    second, between = head(), committed(head()) - timedelta(microseconds=1)
    assert then(live, tenant, alias="worker_code", as_of=between.isoformat())["revision"] in range(first, second)
    found = then(live, tenant, alias="worker_code", as_of=committed(second).isoformat())
    assert (found["revision"], found["model"]) == (second, NEW)
    assert found["as_of"] == {"revision": second, "at": found["as_of"]["at"]}


def test_starts_and_ends_of_overrides__are_judged_by_the_time_asked_for(live: Live) -> None:
    now = datetime.now(UTC)
    window = {"model": NEW, "starts_at": now + timedelta(hours=1), "expires_at": now + timedelta(hours=2)}
    tenant = live.tenant({"worker_code": window}, scopes=SCOPES)
    live.settle()
    states = {
        hours: then(live, tenant, alias="worker_code", as_of=(now + timedelta(hours=hours)).isoformat())["ladder"][0]
        for hours in (0.5, 1.5, 2.5)
    }
    assert [step["state"] for step in states.values()] == ["scheduled", "used", "expired"]


def test_an_environment_of_then__stands_in_for_that_of_now(live: Live) -> None:
    tenant = live.tenant(scopes=SCOPES)
    stored = live.resolve("intent", tenant)
    found = then(live, tenant, alias="intent", as_of=head(), environment_id=stored["environment_id"])
    assert (found["environment_id"], found["source"]) == (stored["environment_id"], "environment")
    unknown = ask(live, tenant, alias="intent", as_of=head(), environment_id="0" * 16)
    assert error_code(unknown) == (404, "revision_not_found", None)


def test_an_alias_that_was_not_there_then__is_unknown(live: Live) -> None:
    tenant = live.tenant(scopes=SCOPES)
    before = head()
    row = Alias(name="as_of_new", kind="role", default_model=OLD)
    row.save(using=ALIAS)
    live.settle()
    assert then(live, tenant, alias="as_of_new", as_of=head())["model"] == OLD
    assert error_code(ask(live, tenant, alias="as_of_new", as_of=before)) == (404, "model_not_found", "model")
    row.delete(using=ALIAS)
    live.settle()


def test_several_aliases_of_then__come_by_post_as_a_dry_run_alone(live: Live) -> None:
    tenant = live.tenant({"worker_code": OLD}, scopes=SCOPES)
    body = {"aliases": ["worker_code", "fast"], "as_of": head(), "dry_run": True}
    answer = live.post(RESOLVE, body, tenant).json
    assert [each["as_of"]["revision"] for each in answer["resolutions"]] == [head()] * 2
    assert [each["decision_id"] for each in answer["resolutions"]] == [None] * 2
    assert live.records() == []
    refused = live.post(RESOLVE, {"alias": "fast", "as_of": head()}, tenant)
    assert error_code(refused) == (400, "invalid_request", "as_of")


def test_the_past__is_told_to_keys_that_may_read_it(live: Live) -> None:
    plain = live.tenant(scopes=["resolve", "call"])
    assert error_code(ask(live, plain, alias="fast", as_of=head())) == (403, "missing_scope", None)
    manager = live.tenant(scopes=["resolve", "manage"])
    assert ask(live, manager, alias="fast", as_of=head()).status == 200
    narrow = live.tenant(scopes=SCOPES, allowed_aliases=["deep"])
    assert error_code(ask(live, narrow, alias="fast", as_of=head())) == (404, "model_not_found", "model")


@pytest.mark.parametrize("as_of", ["yesterday", "2026-11-01", "2026-11-01T00:00:00", "-1", "4.0", "9" * 30])
def test_a_moment_that_is_none__is_refused_with_the_form(live: Live, as_of: str) -> None:
    tenant = live.tenant(scopes=SCOPES)
    got = ask(live, tenant, alias="fast", as_of=as_of)
    assert error_code(got) == (400, "invalid_request", "as_of")
    assert "2026-11-01T00:00:00Z" in got.json["error"]["message"]


def test_a_moment_out_of_reach__is_not_found_by_what_there_is(live: Live) -> None:
    tenant = live.tenant(scopes=SCOPES)
    got = ask(live, tenant, alias="fast", as_of=head() + 1000)
    assert error_code(got) == (404, "revision_not_found", None)
    assert f"to {head()}" in got.json["error"]["message"]
    alone = ask(live, tenant, alias="fast", environment_id="0" * 16)
    assert error_code(alone) == (400, "invalid_request", "environment_id")


def test_what_was_true_then__keeps_its_etag(live: Live) -> None:
    tenant = live.tenant(scopes=SCOPES)
    path = f"{RESOLVE}?alias=fast&as_of={head()}"
    first = live.get(path, tenant)
    assert live.get(path, tenant, if_none_match=first.headers["etag"]).status == 304
