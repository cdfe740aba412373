"""For which project a call counts, and what a key may reach: on every rung, by every door."""

from __future__ import annotations

import json

import pytest
from openai import NotFoundError

from tests.live.databases import ALIAS
from tests.live.live import Live
from tests.live.world import Tenant
from tests.sandbox import raw
from tests.sandbox.raw import Raw, hello

CHAT = "/v1/chat/completions"


def ask(live: Live, key: str, model: str = "fast", **headers: str) -> Raw:
    return live.post(CHAT, hello(model), None, authorization=f"Bearer {key}", **headers)


def project_of(live: Live) -> tuple[str, str]:
    decision = live.records()[-1].decision
    return decision.project, decision.project_external_id


@pytest.fixture
def other(live: Live) -> Tenant:
    """Another project, known to InfinityWindow by an id of its own."""
    return live.tenant({"fast": "gpt-4.1-nano"}, external_id=f"42/{live.run}")


def test_key_of_one_project__decides_alone(live: Live, other: Tenant) -> None:
    for headers in ({}, {"x_iw_project": other.slug}, {"x_iw_project": "nowhere"}, {"openai_project": other.slug}):
        got = ask(live, live.home.key, **headers)
        assert (got.status, got.headers["x-iw-model"]) == (200, "gpt-4.1-mini")
        assert project_of(live) == (live.home.slug, "")


def test_key_of_several_projects__takes_the_one_named(live: Live, other: Tenant) -> None:
    key = live.key(live.home.row, projects=[other.slug])
    for headers in (
        {"x_iw_project": other.slug},
        {"x_iw_project": str(other.row.external_id)},
        {"openai_project": other.slug},
        {"openai_project": str(other.row.external_id)},
        {"openai_project": live.home.slug, "x_iw_project": other.slug},
    ):
        got = ask(live, key, **headers)
        assert (got.status, got.headers["x-iw-model"], got.headers["x-iw-source"]) == (
            200,
            "gpt-4.1-nano",
            "project_override",
        )
        assert project_of(live) == (other.slug, other.row.external_id)
    for headers in ({}, {"openai_project": "proj_of_somebody"}):
        assert ask(live, key, **headers).headers["x-iw-model"] == "gpt-4.1-mini"
        assert project_of(live) == (live.home.slug, "")


def test_key_of_several_projects__may_not_act_for_another(live: Live, other: Tenant) -> None:
    third = live.tenant()
    key = live.key(live.home.row, projects=[other.slug])
    for name in (third.slug, "nowhere"):
        got = ask(live, key, x_iw_project=name)
        assert (got.status, got.error["code"], got.error["type"]) == (403, "project_not_granted", "permission_error")
        assert live.records()[-1].served() == ("refused", "", 403)
        assert project_of(live)[0] == live.home.slug
    assert ask(live, key, openai_project=third.slug).status == 200
    assert project_of(live) == (live.home.slug, "")
    assert len(live.sent()) == 1


def test_key_of_all_projects__takes_an_unknown_one_as_text_and_warns(live: Live, other: Tenant) -> None:
    key = live.key(live.home.row, projects=["*"])
    assert ask(live, key, x_iw_project=other.slug).headers["x-iw-source"] == "project_override"
    got = ask(live, key, x_iw_project="new/project:1")
    assert (got.status, got.headers["x-iw-source"]) == (200, "default")
    assert "unknown_project: new/project:1" in got.headers["x-iw-warning"]
    decision = live.records()[-1].decision
    assert (decision.project, decision.project_external_id) == ("new/project:1", "")
    assert any(text.startswith("unknown_project") for text in json.loads(decision.warnings))
    assert ask(live, key, x_iw_project="two words").error["param"] == "x-iw-project"
    assert ask(live, key).status == 200
    assert project_of(live) == (live.home.slug, "")


def test_disabled_project__is_refused(live: Live, other: Tenant) -> None:
    other.row.enabled = False
    other.row.save(using=ALIAS)
    live.settle()
    assert ask(live, other.key).error["code"] == "project_disabled"
    assert live.records()[-1].outcome.error_code == "project_disabled"
    assert live.get("/v1/models", other).error["code"] == "project_disabled"
    wide = live.key(live.home.row, projects=["*"])
    assert ask(live, wide, x_iw_project=other.slug).error["code"] == "project_disabled"
    assert ask(live, wide).status == 200


def test_alias_that_is_not_granted__does_not_exist(live: Live) -> None:
    tenant = live.tenant(allowed_aliases=["fast", "embedding"])
    client = live.client(tenant)
    assert live.chat("fast", client=client).answer
    with pytest.raises(NotFoundError) as caught:
        live.chat("manager", client=client)
    assert "Did you mean 'manager'" not in caught.value.message
    names = [model.id for model in client.models.list()]
    assert "fast" in names
    assert "manager" not in names
    got = live.post("/api/v1/resolve", {"alias": "manager"}, tenant)
    assert (got.status, got.error["code"]) == (404, "model_not_found")
    with pytest.raises(NotFoundError):
        client.models.retrieve("manager")


def test_model_that_is_not_granted__does_not_exist(live: Live) -> None:
    tenant = live.tenant(allowed_models=["gpt-4.1-mini"])
    client = live.client(tenant)
    assert live.chat("gpt-4.1-mini", client=client).answer
    with pytest.raises(NotFoundError) as caught:
        live.chat("gpt-4.1", client=client)
    assert caught.value.code == "model_not_found"
    names = [model.id for model in client.models.list()]
    assert ("gpt-4.1-mini" in names, "gpt-4.1" in names) == (True, False)


def test_model_that_is_not_granted__is_reached_on_no_rung(live: Live) -> None:
    tenant = live.tenant(allowed_models=["gpt-5.1", "gpt-4.1-mini"])
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": "model_gone"}])
    called = live.chat("manager", client=live.client(tenant))
    assert called.record.tried == [
        (1, "call", 0, 1, "gpt-5.1", 404, "model_not_found"),
        (2, "skip", 1, 0, "gpt-4.1", None, "not_allowed"),
        (3, "call", 2, 1, "gpt-4.1-mini", 200, ""),
    ]
    live.sandbox.plan([{"fault": "server_error"}])
    raw_answer = live.post(CHAT, hello("manager", stream=True), tenant)
    assert raw_answer.status == 502
    assert {line["model"] for line in live.sent()} == {"gpt-5.1", "gpt-4.1-mini"}


def test_key_without_any_rung_of_an_alias__is_told_that_it_does_not_exist(live: Live) -> None:
    tenant = live.tenant(allowed_models=["text-embedding-3-small"])
    with pytest.raises(NotFoundError) as caught:
        live.chat("manager", client=live.client(tenant))
    assert caught.value.code == "model_not_found"
    assert live.the_record().served() == ("refused", "", 404)
    assert live.embed("one", client=live.client(tenant)).answer
    assert {line["model"] for line in live.sent()} == {"text-embedding-3-small"}


def test_inferred_mode__reaches_no_model_that_is_not_granted(live: Live) -> None:
    tenant = live.tenant(allowed_models=["gpt-4.1"])
    called = live.chat("auto", "Hello", client=live.client(tenant))
    assert (called.headers["x-iw-mode"], called.headers["x-iw-model"]) == ("fast", "gpt-4.1")
    assert [(a.model, a.skip_reason) for a in called.record.attempts] == [
        ("gpt-4.1-mini", "not_allowed"),
        ("gpt-4.1", ""),
    ]


def test_unknown_project__is_a_404_where_the_deployment_wants_it(live: Live) -> None:
    strict = live.world.other_service("strict", IW_UNKNOWN_PROJECT="refuse", IW_ALLOW_PRIVATE_UPSTREAMS="0")
    key = live.key(live.home.row, projects=["*"])
    live.introduce(key, strict.url)
    headers = {"authorization": f"Bearer {key}", "x-iw-project": "nowhere"}
    got = raw.post(strict.url, CHAT, hello("fast"), 5, **headers)
    assert (got.status, got.error["code"], got.error["param"]) == (404, "project_not_found", "x-iw-project")
