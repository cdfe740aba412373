"""The reporting views and the management API tell what the calls did, through the same running service."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.databases import statement
from tests.live.ledger import Record, view
from tests.live.live import Live
from tests.sandbox import raw
from tests.sandbox.raw import hello

CHAT = "/v1/chat/completions"


def fallen_back(live: Live) -> Record:
    live.sandbox.plan([{"match": {"model": "gpt-5.1"}, "fault": "server_error"}])
    return live.chat("manager").record


def test_attempts_view__has_a_row_for_each_attempt(live: Live) -> None:
    record = fallen_back(live)
    rows = sorted(view("rpt_attempts_v1", str(record.decision.id)), key=lambda row: int(row["seq"]))
    for row, attempt in zip(rows, record.attempts, strict=True):
        for column in ("seq", "kind", "rung", "model", "upstream", "status", "error_code", "bytes_sent"):
            assert row[column] == getattr(attempt, column), column
        assert (row["project"], row["alias"], row["try"]) == (live.home.slug, "manager", attempt.try_number)


def test_fallbacks_view__tells_from_what_to_what_and_why(live: Live) -> None:
    record = fallen_back(live)
    [row] = view("rpt_fallbacks_v1", str(record.decision.id))
    assert (row["model_from"], row["model_to"], row["reason"]) == ("gpt-5.1", "gpt-4.1", "500")
    assert (row["rung_from"], row["rung_to"], bool(row["is_served"])) == (0, 1, True)


@pytest.mark.usefixtures("own_home")
def test_usage_view__sums_the_project_exactly(live: Live) -> None:
    calls = [live.chat("fast"), live.stream("fast"), live.embed(["one", "two"])]
    live.resolve("manager")
    live.post(CHAT, hello("no-such-name"))
    rows = statement("SELECT * FROM rpt_usage_daily_v1 WHERE project = %s", live.home.slug)
    outcomes = [call.record.outcome for call in calls]
    assert sum(int(row["cost_pico"] or 0) for row in rows) == sum(outcome.cost_pico or 0 for outcome in outcomes)
    assert sum(int(row["prompt_tokens"] or 0) for row in rows) == sum(
        outcome.prompt_tokens or 0 for outcome in outcomes
    )


def test_decision__is_read_by_a_key_of_its_project_alone(live: Live) -> None:
    record = fallen_back(live)
    path = f"/api/v1/decisions/{record.decision.id}"
    auditor = live.key(live.home.row, scopes=["read_audit"])
    got = live.get(path, None, authorization=f"Bearer {auditor}")
    assert got.status == 200
    answer: dict[str, Any] = got.json
    assert [attempt["seq"] for attempt in answer["attempts"]] == [1, 2, 3]
    assert [step["source"] for step in answer["ladder"]] == list(record.ladder)
    assert answer["outcome"]["result"] == "ok_after_fallback"
    stranger = live.tenant(scopes=["read_audit"])
    assert live.get(path, stranger).status == 404
    assert live.get(path).error["code"] == "missing_scope"


def test_project_made_by_the_backend__can_be_named_at_once(live: Live) -> None:
    key = live.key(live.home.row, scopes=["manage", "call", "resolve"], projects=["*"])
    header = {"authorization": f"Bearer {key}", "host": "127.0.0.1", "content-type": "application/json"}
    path = f"/api/v1/projects/ext-{live.run}"
    for status in (201, 200):
        got = raw.send(
            live.base_url, raw.request_bytes(path, {"slug": f"s-{live.run}", "name": "New"}, "PUT", **header)
        )
        assert got.status == status, got.body
    live.settle()
    got = live.post(CHAT, hello("fast"), None, x_iw_project=f"ext-{live.run}", **header)
    assert "x-iw-warning" not in got.headers or "unknown_project" not in got.headers["x-iw-warning"]
    decision = live.the_record().decision
    assert (decision.project, decision.project_external_id) == (f"s-{live.run}", f"ext-{live.run}")


def test_aliases__are_listed_as_they_resolve(live: Live) -> None:
    tenant = live.tenant({"manager": "gpt-4.1"})
    got = live.get("/api/v1/aliases", tenant)
    assert got.status == 200, got.body
    assert live.resolve("manager", tenant)["model"] == "gpt-4.1"


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/api/v1/nothing", "/api/v1/resolve/", "/v1/%2e%2e/admin", "/v1/models/%00", "/v1/models/%ff"],
)
def test_path_of_the_api_that_does_not_exist__has_the_one_error_body(live: Live, path: str) -> None:
    got = live.get(path)
    assert got.status == 404
    assert {"message", "type", "param", "code"} == set(got.error)
    assert got.headers["x-request-id"]
