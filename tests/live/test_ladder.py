"""Every source and every state of the ladder: as the resolve API tells it, as it is stored, as the call is served."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iwrouting.models import Override
from tests.live.databases import ALIAS
from tests.live.ledger import record, view
from tests.live.live import Live
from tests.live.world import Tenant
from tests.sandbox import raw
from tests.sandbox.raw import hello

PROJECT, GLOBAL, ENVIRONMENT, DEFAULT = "project_override", "override", "environment", "default"
OTHER = "gpt-4.1-nano"
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def told(live: Live, alias: str, tenant: Tenant | None = None) -> dict[str, tuple[str, str | None]]:
    """State and value by source, after checking that the answer, the stored decision and a call agree."""
    answer = live.resolve(alias, tenant)
    stored = record(answer["decision_id"])
    ladder = {step["source"]: step for step in answer["ladder"]}
    assert list(ladder) == [PROJECT, GLOBAL, ENVIRONMENT, DEFAULT]
    assert stored.ladder == ladder
    assert (stored.decision.model_resolved, stored.decision.source) == (answer["model"], answer["source"])
    assert [source for source, step in ladder.items() if step["state"] == "used"] == [answer["source"]]
    assert ladder[answer["source"]]["value"] == answer["model"]
    called = live.chat(alias, client=live.client(tenant))
    assert (called.headers["x-iw-source"], called.headers["x-iw-model"]) == (answer["source"], answer["model"])
    assert called.record.ladder == ladder
    return {source: (step["state"], step["value"]) for source, step in ladder.items()}


def test_nothing_set__takes_the_default(live: Live) -> None:
    assert told(live, "worker_doc") == {
        PROJECT: ("not_set", None),
        GLOBAL: ("not_set", None),
        ENVIRONMENT: ("not_set", None),
        DEFAULT: ("used", "gpt-4.1-mini"),
    }


def test_variable__wins_over_the_default(live: Live) -> None:
    found = told(live, "intent")
    assert (found[ENVIRONMENT], found[DEFAULT]) == (("used", "gpt-4.1-mini"), ("shadowed", "gpt-4.1-nano"))


def test_blank_variable__counts_as_unset(live: Live) -> None:
    found = told(live, "snapshot")
    assert (found[ENVIRONMENT], found[DEFAULT]) == (("blank", None), ("used", "gpt-4.1-mini"))


def test_project_override__wins_over_everything(live: Live, everywhere: Override) -> None:
    found = told(live, "intent", live.tenant({"intent": "gpt-4.1"}))
    assert found == {
        PROJECT: ("used", "gpt-4.1"),
        GLOBAL: ("shadowed", OTHER),
        ENVIRONMENT: ("shadowed", "gpt-4.1-mini"),
        DEFAULT: ("shadowed", "gpt-4.1-nano"),
    }


def test_global_override__wins_over_environment_and_default(live: Live, everywhere: Override) -> None:
    found = told(live, "intent", live.tenant())
    assert found == {
        PROJECT: ("not_set", None),
        GLOBAL: ("used", OTHER),
        ENVIRONMENT: ("shadowed", "gpt-4.1-mini"),
        DEFAULT: ("shadowed", "gpt-4.1-nano"),
    }


OUT_OF_FORCE: dict[str, dict[str, Any]] = {
    "disabled": {"enabled": False},
    "scheduled": {"starts_at": now() + HOUR},
    "expired": {"expires_at": now() - HOUR},
    "blank": {"model": " "},
}


@pytest.mark.parametrize("state", OUT_OF_FORCE)
def test_project_override_out_of_force__is_passed_over_with_its_state(live: Live, state: str) -> None:
    given = {"model": "gpt-4.1", **OUT_OF_FORCE[state]}
    found = told(live, "worker_doc", live.tenant({"worker_doc": given}))
    assert found[PROJECT] == (state, None if state == "blank" else "gpt-4.1")
    assert found[DEFAULT] == ("used", "gpt-4.1-mini")


@pytest.mark.parametrize("state", OUT_OF_FORCE)
def test_global_override_out_of_force__is_passed_over_with_its_state(live: Live, state: str) -> None:
    row = live.override("worker_test", {"model": "gpt-4.1", **OUT_OF_FORCE[state]}, None)
    try:
        found = told(live, "worker_test", live.tenant())
    finally:
        row.delete(using=ALIAS)
    assert found[GLOBAL] == (state, None if state == "blank" else "gpt-4.1")
    assert found[DEFAULT] == ("used", "gpt-4.1-mini")


def test_override_with_a_window__is_in_force_inside_it(live: Live) -> None:
    given = {"model": "gpt-4.1", "starts_at": now() - HOUR, "expires_at": now() + HOUR}
    assert told(live, "worker_doc", live.tenant({"worker_doc": given}))[PROJECT] == ("used", "gpt-4.1")


def test_override_that_runs_out__ends_by_the_clock_alone(live: Live) -> None:
    ends = now() + timedelta(seconds=1.5)
    tenant = live.tenant({"worker_doc": {"model": "gpt-4.1", "expires_at": ends}})
    answer = live.resolve("worker_doc", tenant)
    assert (answer["source"], answer["ttl_s"]) == (PROJECT, 1)
    time.sleep(max(0.0, (ends - now()).total_seconds()))
    later = live.resolve("worker_doc", tenant)
    assert (later["source"], later["revision"]) == (DEFAULT, answer["revision"])
    assert later["ladder"][0]["state"] == "expired"


def test_model_outside_the_catalogue__is_used_and_marked(live: Live) -> None:
    answer = live.resolve("worker_doc", live.tenant({"worker_doc": "gpt-of-tomorrow"}))
    assert answer["model"] == "gpt-of-tomorrow"
    assert any(text.startswith("model_unverified: gpt-of-tomorrow") for text in answer["warnings"])


def test_explicit_model__has_a_ladder_of_its_own(live: Live) -> None:
    answer = live.resolve("gpt-4.1")
    assert (answer["source"], answer["alias"], answer["model"]) == ("explicit", None, "gpt-4.1")
    assert [(step["source"], step["state"]) for step in answer["ladder"]] == [("explicit", "used")]
    assert live.chat("gpt-4.1").headers["x-iw-source"] == "explicit"


@pytest.mark.parametrize(("name", "alias"), [("role:manager", "manager"), ("mode:deep", "deep")])
def test_prefixed_name__is_shown_as_the_alias_that_a_call_takes_it_for(live: Live, name: str, alias: str) -> None:
    assert live.client().models.retrieve(name) == live.client().models.retrieve(alias)
    assert live.get(f"/v1/models/{name}").json["id"] == alias
    assert live.chat(name).headers["x-iw-alias"] == alias
    assert live.get(f"/v1/models/{name.replace(alias, 'intent' if alias == 'deep' else 'fast')}").status == 404


def test_resolve_of_several__answers_in_order_and_stores_each(live: Live) -> None:
    got = live.post("/api/v1/resolve", {"aliases": ["manager", "gpt-4.1", "embedding", "auto"]})
    answers = got.json["resolutions"]
    assert [answer["model"] for answer in answers] == ["gpt-5.1", "gpt-4.1", "text-embedding-3-small", "gpt-4.1"]
    stored = [record(answer["decision_id"]) for answer in answers]
    assert {(each.outcome.result, each.outcome.calls, each.outcome.cost_state) for each in stored} == {
        ("resolved", 0, "none")
    }
    assert {each.decision.endpoint for each in stored} == {"resolve"}
    [row] = view("rpt_decisions_v1", answers[0]["decision_id"])
    assert (row["result"], row["cost_usd"], row["attempts"]) == ("resolved", None, 0)


def test_resolve_of_several_with_an_unknown_one__records_that_alone_as_refused(live: Live) -> None:
    got = live.post("/api/v1/resolve", {"aliases": ["manager", "manger", "fast"]})
    assert (got.status, got.error["code"]) == (404, "model_not_found")
    assert "'manager'" in got.error["message"]
    found = live.the_record()
    assert str(found.decision.id) == got.headers["x-iw-decision-id"]
    assert (found.decision.model_asked, found.outcome.result) == ("manger", "refused")


def test_dry_run_and_get__store_nothing(live: Live) -> None:
    recorded = live.resolve("manager")
    dry = live.resolve("manager", dry_run=True)
    got = live.get("/api/v1/resolve?alias=manager")
    for answer in (dry, got.json):
        assert answer["decision_id"] is None
        assert {**answer, "decision_id": 0, "ttl_s": 0} == {**recorded, "decision_id": 0, "ttl_s": 0}
    again = live.get("/api/v1/resolve?alias=manager", None, if_none_match=got.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert len(live.records()) == 1
    assert live.sent() == []


def test_resolve__has_the_headers_of_its_decision(live: Live) -> None:
    tenant = live.tenant({"deep": "gpt-of-tomorrow"})
    recorded = live.post("/api/v1/resolve", {"alias": "deep"}, tenant)
    wanted = {
        "x-iw-decision-id": recorded.json["decision_id"],
        "x-iw-revision": str(recorded.json["revision"]),
        "x-iw-source": PROJECT,
        "x-iw-alias": "deep",
        "x-iw-warning": "; ".join(recorded.json["warnings"]),
    }
    assert decision_headers(recorded) == wanted
    assert "model_unverified" in wanted["x-iw-warning"]
    del wanted["x-iw-decision-id"]
    assert decision_headers(live.post("/api/v1/resolve", {"alias": "deep", "dry_run": True}, tenant)) == wanted
    got = live.get("/api/v1/resolve?alias=deep", tenant)
    assert decision_headers(got) == wanted
    again = live.get("/api/v1/resolve?alias=deep", tenant, if_none_match=got.headers["etag"])
    assert (again.status, decision_headers(again)) == (304, wanted)


def test_resolve_of_auto__tells_its_mode_in_a_header(live: Live) -> None:
    got = live.post("/api/v1/resolve", {"alias": "auto", "features": {"words": 2}})
    assert got.headers["x-iw-mode"] == got.json["inferred_mode"] == "fast"


def decision_headers(got: raw.Raw) -> dict[str, str]:
    """What an answer's headers tell of its decision."""
    return {name: value for name, value in got.headers.items() if name.startswith("x-iw-")}


def test_named_project__is_resolved_for(live: Live) -> None:
    tenant = live.tenant({"manager": "gpt-4.1"}, external_id=f"ext-{live.run}")
    wide = live.key(live.home.row, projects=["*"])
    headers = {"authorization": f"Bearer {wide}"}
    for name in (tenant.slug, f"ext-{live.run}"):
        got = live.post("/api/v1/resolve", {"alias": "manager", "project": name}, None, **headers)
        assert got.json["source"] == PROJECT
        assert live.get(f"/api/v1/resolve?alias=manager&project={name}", None, **headers).json["source"] == PROJECT
        called = live.post("/v1/chat/completions", hello("manager"), None, x_iw_project=name, **headers)
        assert called.headers["x-iw-source"] == PROJECT


@pytest.fixture
def everywhere(live: Live) -> Iterator[Override]:
    """A global override of the role `intent`, gone afterwards."""
    row = live.override("intent", OTHER, None)
    yield row
    row.delete(using=ALIAS)
    live.settle()
