"""Changes of the configuration reach the running service within two seconds; a broken one never does."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from openai import NotFoundError

from iwrouting.models import Alias, ApiKey, Model
from tests.harness.changes import account
from tests.live.databases import ALIAS, statement
from tests.live.ledger import eventually
from tests.live.live import Live
from tests.sandbox import raw

WITHIN_S = 2.0


def within(condition: Callable[[], bool], what: str) -> None:
    eventually(condition, what, WITHIN_S)


def served(live: Live, alias: str) -> str:
    return live.chat(alias).headers["x-iw-model"]


@pytest.mark.usefixtures("own_home")
def test_override__set_changed_and_cleared__is_followed(live: Live) -> None:
    before = served(live, "worker_doc")
    revision = live.service.get("/readyz")[1]["revision"]
    row = live.override("worker_doc", "gpt-4.1", live.home.row)
    within(lambda: served(live, "worker_doc") == "gpt-4.1", "the override")
    row.model = "gpt-4.1-nano"
    row.save(using=ALIAS)
    within(lambda: served(live, "worker_doc") == "gpt-4.1-nano", "the change")
    row.delete(using=ALIAS)
    within(lambda: served(live, "worker_doc") == before, "the end of the override")
    assert live.service.get("/readyz")[1]["revision"] >= revision + 3
    stored = [record.decision for record in live.records()]
    by_revision = {decision.revision: decision.model_resolved for decision in stored}
    assert len(by_revision) >= 4
    assert all(by_revision[decision.revision] == decision.model_resolved for decision in stored)


def test_default__changed__is_followed(live: Live, blueprint: Alias) -> None:
    blueprint.default_model = "gpt-4.1-nano"
    blueprint.save(using=ALIAS)
    within(lambda: served(live, "blueprint") == "gpt-4.1-nano", "the new default")


def test_chain__changed__is_followed(live: Live, blueprint: Alias) -> None:
    live.sandbox.plan([{"match": {"model": "gpt-4.1-mini"}, "fault": "model_gone"}])
    blueprint.chain = ["gpt-4.1-nano"]
    blueprint.save(using=ALIAS)
    within(lambda: served(live, "blueprint") == "gpt-4.1-nano", "the new chain")


def test_kill_switch__takes_a_model_out_and_back(live: Live, nano: Model) -> None:
    assert served(live, "budget") == "gpt-4.1-nano"
    nano.enabled = False
    nano.save(using=ALIAS)
    within(lambda: served(live, "budget") == "gpt-4.1", "the kill switch")
    called = live.chat("budget")
    assert called.record.tried == [
        (1, "skip", 0, 0, "gpt-4.1-nano", None, "model_disabled"),
        (2, "call", 1, 1, "gpt-4.1", 200, ""),
    ]
    assert "model_disabled: gpt-4.1-nano" in called.headers["x-iw-warning"]
    with pytest.raises(NotFoundError):
        live.chat("gpt-4.1-nano")
    assert "gpt-4.1-nano" not in [model.id for model in live.client().models.list()]
    nano.enabled = True
    nano.save(using=ALIAS)
    within(lambda: served(live, "budget") == "gpt-4.1-nano", "the way back")


@pytest.mark.usefixtures("own_home")
def test_key__revoked__is_refused_within_the_time(live: Live) -> None:
    assert live.chat("fast").answer
    row = ApiKey.objects.using(ALIAS).get(key_id=live.home.key[3:13])
    row.revoked_at = datetime.now(UTC)
    row.save(using=ALIAS)
    within(lambda: live.get("/v1/models").status == 401, "the revocation")


def test_broken_configuration__is_not_taken_and_the_former_one_serves(live: Live, blueprint: Alias) -> None:
    assert live.chat("blueprint").answer
    revision = live.settle()
    blueprint.default_model = ""
    blueprint.save(using=ALIAS)
    state = eventually(lambda: degraded(live), "the alarm", WITHIN_S)
    assert "alias blueprint: It has no default model" in state["snapshot"]["fault"]
    assert state["snapshot"]["fault"].endswith("[default_missing]")
    assert state["revision"] == revision
    called = live.chat("blueprint")
    assert (called.headers["x-iw-model"], called.record.decision.revision) == ("gpt-4.1-mini", revision)
    newcomer = live.tenant(introduce=False)
    got = live.get("/v1/models", newcomer)
    assert (got.status, got.error["code"]) == (503, "key_unchecked")
    blueprint.default_model = "gpt-4.1-mini"
    blueprint.save(using=ALIAS)
    within(lambda: live.service.get("/readyz")[1]["status"] == "ready", "the end of the alarm")
    assert live.get("/v1/models", newcomer).status == 200


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("alias", "name = 'blueprint'", "kind", "bogus"),
        ("alias", "name = 'blueprint'", "chain", '"fast"'),
        ("model", "model_id = 'gpt-4.1-nano'", "sampling", "x"),
        ("model", "model_id = 'gpt-4.1-nano'", "endpoints", "7"),
    ],
)
def test_malformed_row__is_not_taken_and_the_poller_goes_on(
    live: Live, table: str, row: str, column: str, value: str
) -> None:
    assert live.chat("blueprint").answer
    revision = live.settle()
    with spoiled(table, row, column, value):
        state = eventually(lambda: degraded(live), "the alarm", WITHIN_S)
        assert f"{row.split(chr(39))[1]}: {column}" in state["snapshot"]["fault"]
        assert state["revision"] == revision
        assert live.chat("blueprint").record.decision.revision == revision
        newcomer = live.tenant(introduce=False)
        got = live.get("/v1/models", newcomer)
        assert (got.status, got.error["code"]) == (503, "key_unchecked")
    within(lambda: live.service.get("/readyz")[1]["status"] == "ready", "the end of the alarm")
    assert live.get("/v1/models", newcomer).status == 200


def test_start_with_a_malformed_row__waits_for_it_to_be_mended(live: Live) -> None:
    key = {"authorization": f"Bearer {live.home.key}"}
    live.settle()
    try:
        with spoiled("alias", "name = 'blueprint'", "kind", "bogus"):
            late = live.world.other_service("late", ready=False, IW_JOURNAL_DIR=str(live.world.folder / "late"))
            status, state = late.get("/readyz")
            assert (status, state["status"], state["revision"]) == (503, "unavailable", 0)
            assert "alias blueprint: kind 'bogus' is not one of" in state["faults"][0]
            assert raw.post(late.url, "/v1/chat/completions", raw.hello("fast"), 5, **key).status == 503
            assert raw.get(late.url, "/v1/models", **key).status == 503
            assert raw.get(late.url, "/api/v1/aliases", host="127.0.0.1", **key).status == 503
        within(lambda: late.status("/readyz") == 200, "the way back")
        assert raw.get(late.url, "/v1/models", **key).status == 200
        assert len(re.findall("Traceback|restart", late.words)) == 0
    finally:
        live.world.started.pop("late").stop()


@contextmanager
def spoiled(table: str, row: str, column: str, value: str) -> Iterator[None]:
    """A value put into a row by SQL under a new revision, and taken back at the end."""
    [before] = statement(f"SELECT {column} FROM iwrouting_{table} WHERE {row}")  # noqa: S608 - names of our own

    def put(text: str) -> None:
        with transaction.atomic(using=ALIAS):
            statement(f"UPDATE iwrouting_{table} SET {column} = %s WHERE {row}", text)  # noqa: S608 - as above
            account(ALIAS)

    put(value)
    try:
        yield
    finally:
        put(before[column] if isinstance(before[column], str) else json.dumps(before[column]))


def degraded(live: Live) -> dict[str, Any]:
    status, state = live.service.get("/readyz")
    assert status == 200
    return dict(state) if state["status"] == "degraded" else {}


@pytest.mark.usefixtures("own_home")
def test_edits_under_load__every_decision_follows_one_revision(live: Live) -> None:
    row = live.override("worker_test", "gpt-4.1", live.home.row)
    models: dict[int, set[str]] = {}
    until = time.monotonic() + 1.5
    count = 0
    while time.monotonic() < until:
        row.model = ("gpt-4.1", "gpt-4.1-nano")[count % 2]
        row.save(using=ALIAS)
        answer = live.resolve("worker_test")
        models.setdefault(answer["revision"], set()).add(answer["model"])
        count += 1
    assert all(len(found) == 1 for found in models.values())
    row.delete(using=ALIAS)


@pytest.fixture
def blueprint(live: Live) -> Iterator[Alias]:
    """The role `blueprint`, put back afterwards."""
    yield Alias.objects.using(ALIAS).get(name="blueprint")
    row = Alias.objects.using(ALIAS).get(name="blueprint")
    row.default_model, row.chain = "gpt-4.1-mini", ["auto", "fast"]
    row.save(using=ALIAS)
    live.settle()


@pytest.fixture
def nano(live: Live) -> Iterator[Model]:
    """The model gpt-4.1-nano, enabled again afterwards."""
    yield Model.objects.using(ALIAS).get(model_id="gpt-4.1-nano")
    row = Model.objects.using(ALIAS).get(model_id="gpt-4.1-nano")
    row.enabled = True
    row.save(using=ALIAS)
    live.settle()
