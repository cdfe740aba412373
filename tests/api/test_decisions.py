"""`GET /api/v1/decisions/{id}`: what the audit holds, for the projects of the key alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iwrouting.models import Decision
from tests.api.stock import Stock, error_of, refused
from tests.audit_tables import rows

AT = datetime(2026, 11, 22, 20, 0, 0, 123_000, tzinfo=UTC)
LADDER = [{"source": "default", "value": "gpt-4.1", "state": "used", "ref": "alias:manager"}]
CHAIN = [
    {"rung": 0, "alias": "manager", "model": "gpt-4.1", "source": "default", "upstream": "openai", "skip": None},
    {"rung": 1, "alias": "auto", "model": "gpt-4.1", "source": "default", "upstream": "openai", "skip": "duplicate"},
]


def store_one(**values: Any) -> Decision:
    """A decision with a skipped and a served rung, and its outcome."""
    named = {
        "tags": '["nightly"]',
        "features": '{"chars":2}',
        "ladder": json.dumps(LADDER),
        "chain": json.dumps(CHAIN),
        "warnings": '["w"]',
        "estimate_tokens": 53,
    }
    row = rows.decision(AT, **named | values)
    rows.attempt(row, 2, 1, model="gpt-4.1", status=200, sent_at=AT, first_byte_us=798_200, end_us=807_900)
    rows.attempt(row, 1, 0, kind="skip", try_number=0, model="gpt-5.1", skip_reason="model_disabled", alias="deep")
    rows.outcome(
        row,
        "ok_after_fallback",
        status=200,
        model_served="gpt-4.1",
        calls=1,
        fallbacks=1,
        usage='{"prompt_tokens":1000}',
        prompt_tokens=1000,
        cost_pico=4_200_000_001,
        cost_state="exact",
        latency_us=811_600,
    )
    return row


def read(stock: Stock, row: Decision, key: str = "") -> dict[str, Any]:
    """The answer for a decision."""
    answer = stock.get(f"/api/v1/decisions/{row.id}", key or stock.key("read_audit"))
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_the_decision_stands_as_stored(stock: Stock) -> None:
    row = store_one()
    found = read(stock, row)
    assert found["decision_id"] == str(row.id)
    assert found["created_at"] == "2026-11-22T20:00:00.123Z"
    assert (found["project"], found["alias"], found["kind"], found["source"]) == ("atlas", "manager", "role", "default")
    assert (found["tags"], found["features"], found["warnings"]) == (["nightly"], {"chars": 2}, ["w"])
    assert (found["ladder"], found["chain"]) == (LADDER, CHAIN)
    assert (found["revision"], found["estimate_tokens"], found["estimate_source"]) == (7, 53, "bytes")


def test_attempts_stand_in_their_order(stock: Stock) -> None:
    skip, call = read(stock, store_one())["attempts"]
    assert (skip["seq"], skip["kind"], skip["try"], skip["skip_reason"]) == (1, "skip", 0, "model_disabled")
    assert (skip["sent_at"], skip["status"], skip["duration_ms"]) == (None, None, None)
    assert (call["seq"], call["kind"], call["try"], call["skip_reason"]) == (2, "call", 1, None)
    assert (call["sent_at"], call["first_byte_ms"], call["duration_ms"]) == ("2026-11-22T20:00:00.123Z", 798.2, 807.9)


def test_the_outcome_has_exact_money(stock: Stock) -> None:
    outcome = read(stock, store_one())["outcome"]
    assert (outcome["result"], outcome["origin"], outcome["status"]) == ("ok_after_fallback", "server", 200)
    assert (outcome["cost_pico"], outcome["cost_usd"]) == (4_200_000_001, "0.004200000001")
    assert (outcome["latency_ms"], outcome["usage"]) == (811.6, {"prompt_tokens": 1000})
    assert outcome["ended_at"] == "2026-11-22T20:00:01.123Z"


def test_what_is_blank_is_null(stock: Stock) -> None:
    row = rows.decision(AT, alias="", kind="", source="", model_resolved="", upstream="")
    found = read(stock, row)
    assert [found[name] for name in ("alias", "kind", "source", "model_resolved", "run_id", "inferred_mode")] == [
        None
    ] * 6


def test_an_open_decision_has_no_outcome_yet(stock: Stock) -> None:
    found = read(stock, rows.decision(AT))
    assert (found["attempts"], found["outcome"]) == ([], None)


@pytest.mark.parametrize("order", [("server", "sweeper"), ("sweeper", "server")])
def test_the_servers_outcome_goes_before_the_sweepers(stock: Stock, order: tuple[str, str]) -> None:
    row = rows.decision(AT)
    results = {"server": "ok", "sweeper": "interrupted"}
    for origin in order:
        rows.outcome(row, results[origin], origin=origin)
    assert read(stock, row)["outcome"]["result"] == "ok"


def test_the_sweepers_outcome_counts_where_there_is_no_other(stock: Stock) -> None:
    row = rows.decision(AT)
    rows.outcome(row, "interrupted", origin="sweeper")
    assert read(stock, row)["outcome"]["origin"] == "sweeper"


def test_an_unpriced_cost_is_null_and_not_zero(stock: Stock) -> None:
    row = rows.decision(AT)
    rows.outcome(row, "ok", cost_pico=None, cost_state="unpriced")
    outcome = read(stock, row)["outcome"]
    assert (outcome["cost_pico"], outcome["cost_usd"], outcome["cost_state"]) == (None, None, "unpriced")


def test_an_id_may_be_dashed_or_not(stock: Stock) -> None:
    row = store_one()
    key = stock.key("read_audit")
    for text in (str(row.id), row.id.hex, str(row.id).upper()):
        answer = stock.get(f"/api/v1/decisions/{text}", key)
        assert json.loads(answer.content)["decision_id"] == str(row.id)


@pytest.mark.parametrize(
    "text", ["1", "zzz", "{019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11}", "0" * 31, "urn:uuid:" + "0" * 32]
)
def test_a_text_that_is_no_id_is_refused_with_the_way_out(stock: Stock, text: str) -> None:
    answer = stock.get(f"/api/v1/decisions/{text}", stock.key("read_audit"))
    assert refused(answer) == (400, "invalid_request", "decision_id")
    assert text in error_of(answer)["message"]
    assert "x-iw-decision-id" in error_of(answer)["message"]


@pytest.mark.parametrize(
    "text",
    [
        "019aad1e-4c7b-7000-8a3b-5f0c9d2e7b11",
        "c56a4180-65aa-42ec-a945-5fd21dec0538",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_an_id_without_a_decision_is_not_found(stock: Stock, text: str) -> None:
    answer = stock.get(f"/api/v1/decisions/{text}", stock.key("read_audit"))
    assert refused(answer) == (404, "decision_not_found", None)


@pytest.mark.parametrize(
    ("granted", "status"), [([], 404), (["other"], 200), (["*"], 200)], ids=["own alone", "named", "all"]
)
def test_a_key_reads_its_own_projects_alone(stock: Stock, granted: list[str], status: int) -> None:
    stock.project("other")
    row = store_one(project="other")
    key = stock.key("read_audit", projects=granted)
    assert stock.get(f"/api/v1/decisions/{row.id}", key).status_code == status


def test_another_projects_decision_looks_like_none(stock: Stock) -> None:
    hidden = store_one(project="other")
    key = stock.key("read_audit")
    there, nowhere = (stock.get(f"/api/v1/decisions/{each}", key) for each in (hidden.id, rows.uuid7(AT)))
    texts = [error_of(each)["message"].split("'")[2] for each in (there, nowhere)]
    assert refused(there) == refused(nowhere)
    assert texts[0] == texts[1]


def test_it_takes_three_queries_each_within_the_time_of_the_id(stock: Stock) -> None:
    row = store_one()
    key = stock.key("read_audit")
    with CaptureQueriesContext(
        connection,
    ) as made:
        read(stock, row, key)
    assert len(made) == 3
    assert all('"decision_at" = ' in query["sql"] for query in made)


def test_the_scope_is_read_audit(stock: Stock) -> None:
    answer = stock.get(f"/api/v1/decisions/{store_one().id}", stock.key("resolve", "call", "manage"))
    assert refused(answer) == (403, "missing_scope", None)


def test_an_unknown_parameter_is_refused(stock: Stock) -> None:
    answer = stock.get(f"/api/v1/decisions/{store_one().id}?attempts=1", stock.key())
    assert refused(answer) == (400, "invalid_request", "attempts")
