"""The views against rows whose result is computed by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.audit_tables.reading import columns, select
from tests.audit_tables.story import CODEX, MAIN, MINI, NANO, id_of, tell

pytestmark = pytest.mark.django_db

PROMISED = """
decision_id created_at project alias kind inferred_mode source model_asked model_resolved model_served upstream
endpoint is_stream is_test result error_code attempts fallbacks prompt_tokens cached_tokens completion_tokens
reasoning_tokens tokens_source cost_pico cost_usd cost_state latency_ms first_byte_ms overhead_ms revision run_id
request_id key_id
"""


@pytest.fixture(autouse=True)
def told(db: None) -> None:
    tell()


def decisions(*names: str) -> dict[int, tuple[Any, ...]]:
    """These columns of every decision, by its number in the story."""
    rows = select("SELECT * FROM rpt_decisions_v1")
    assert len(rows) == 12
    return {int(row["decision_id"][-12:]): tuple(row[name] for name in names) for row in rows}


def test_decisions__columns__begin_as_promised() -> None:
    promised = PROMISED.split()
    assert columns("rpt_decisions_v1")[: len(promised)] == promised


def test_decisions__plain_call__has_every_value() -> None:
    (row,) = select(f"SELECT * FROM rpt_decisions_v1 WHERE request_id = 'req-1' AND decision_id = '{id_of(1)}'")  # noqa: S608
    asked = [id_of(1), "2026-11-03 10:01:00", "atlas", "manager", "role", "", "default", "manager", MAIN]
    served = [MAIN, "openai", "chat", 1, 0, "ok", "", 1, 0, 100, 40, 20, 5, "provider"]
    cost = [123_456_789_012, pytest.approx(0.123456789012, abs=1e-15), "exact"]
    assert [row[name] for name in PROMISED.split()] == [
        *asked,
        *served,
        *cost,
        812,
        100,
        1,
        7,
        "run-1",
        "req-1",
        "k1",
    ]
    further = {name: row[name] for name in ("origin", "status", "finish_reason", "warnings", "price_version")}
    assert further == {"origin": "server", "status": 200, "finish_reason": "stop", "warnings": 2, "price_version": "p1"}
    assert UUID(str(row["decision_key"])) == UUID(id_of(1))


def test_decisions__results_attempts_and_fallbacks() -> None:
    assert decisions("result", "origin", "attempts", "fallbacks") == {
        1: ("ok", "server", 1, 0),
        2: ("ok_after_fallback", "server", 2, 1),
        3: ("ok_after_fallback", "server", 3, 2),
        4: ("error", "server", 2, 1),
        5: (None, None, 1, 1),
        6: ("ok", "server", 1, 0),
        7: ("interrupted", "sweeper", 1, 0),
        8: ("resolved", "server", 0, 0),
        9: ("refused", "server", 0, 0),
        10: ("ok", "server", 1, 0),
        11: ("ok", "server", 1, 0),
        12: ("ok", "server", 1, 0),
    }


def test_decisions__served_model_and_upstream__fall_back_to_the_decided_upstream() -> None:
    found = decisions("model_resolved", "model_served", "upstream")
    assert found[2] == (CODEX, MAIN, "azure")
    assert found[4] == (MAIN, "", "openai")
    assert found[5] == (MAIN, None, "openai")


def test_decisions__costs__are_never_a_silent_zero() -> None:
    found = decisions("cost_pico", "cost_usd", "cost_state", "tokens_source")
    assert found[3] == (None, None, "unpriced", "")
    assert found[5] == (None, None, None, None)
    assert found[6] == (5, pytest.approx(5e-12, abs=1e-20), "estimated", "bytes")
    assert found[9] == (None, None, "none", "")


def test_attempts__call_and_skip__have_their_values() -> None:
    names = ("seq", "kind", "rung", "try", "batch", "model", "skip_reason", "status", "retry_after_ms", "duration_ms")
    rows = select(f"SELECT * FROM rpt_attempts_v1 WHERE decision_id = '{id_of(3)}' ORDER BY seq")  # noqa: S608
    assert [tuple(row[name] for name in names) for row in rows] == [
        (1, "call", 0, 1, None, CODEX, "", 500, None, 200),
        (2, "call", 0, 2, None, CODEX, "", 500, 250, 300),
        (3, "skip", 1, 1, None, MINI, "model_disabled", None, None, None),
        (4, "call", 2, 1, None, NANO, "", 200, None, 1500),
    ]


def test_attempts__one_that_answered__has_its_measures_and_its_decision() -> None:
    (row,) = select(f"SELECT * FROM rpt_attempts_v1 WHERE decision_id = '{id_of(1)}'")  # noqa: S608 - of the story
    asked = {
        "created_at": "2026-11-03 10:01:00",
        "project": "atlas",
        "alias": "manager",
        "rung_alias": "",
        "is_test": 0,
    }
    sent = {"sent_at": "2026-11-03 10:01:00.001000", "first_byte_ms": 99, "duration_ms": 811, "changes": 1}
    sizes = {"bytes_sent": 300, "bytes_received": 4000, "chunks": 12, "upstream_request_id": "up-1"}
    assert {name: row[name] for name in asked | sent | sizes} == asked | sent | sizes


def test_fallbacks__one_row_a_rung_gone_on_to() -> None:
    rows = select("SELECT * FROM rpt_fallbacks_v1 ORDER BY decision_id, rung_to")
    names = ("model_from", "model_to", "reason", "rung_from", "rung_to", "is_served", "result")
    assert [(row["decision_id"], *(row[name] for name in names)) for row in rows] == [
        (id_of(2), CODEX, MAIN, "model_not_found", 0, 2, 1, "ok_after_fallback"),
        (id_of(3), CODEX, MINI, "500", 0, 1, 0, "ok_after_fallback"),
        (id_of(3), MINI, NANO, "model_disabled", 1, 2, 1, "ok_after_fallback"),
        (id_of(4), MAIN, MINI, "rate_limit_exceeded", 0, 1, 0, "error"),
        (id_of(5), MAIN, MINI, "breaker_open", 0, 1, None, None),
    ]


def test_fallbacks__number_of_rows__is_the_decisions_own_count() -> None:
    counted = select("SELECT decision_id, count(*) AS n FROM rpt_fallbacks_v1 GROUP BY decision_id")
    told = {number: count for number, (count,) in decisions("fallbacks").items() if count}
    assert {int(row["decision_id"][-12:]): row["n"] for row in counted} == told


def test_usage_daily__sums__by_day_project_alias_model_source_and_test() -> None:
    rows = select("SELECT * FROM rpt_usage_daily_v1")
    group = ("day", "project", "alias", "model_served", "source", "is_test")
    counts = ("calls", "errors", "fallbacks", "unpriced", "estimated", "refused", "calls_with_fallback")
    sums = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "cost_pico")
    found = {
        tuple(row[name] for name in group): [[row[name] for name in part] for part in (counts, sums)] for row in rows
    }
    day = "2026-11-03"
    nothing = [None] * 5
    assert found == {
        (day, "atlas", "manager", MAIN, "default", 0): [[2, 0, 0, 0, 1, 0, 0], [110, 40, 21, 5, 123_456_789_017]],
        (day, "atlas", "manager", "", "default", 0): [[2, 2, 1, 2, 0, 0, 1], nothing],
        (day, "atlas", "code", MAIN, "project_override", 0): [[1, 0, 1, 0, 0, 0, 1], [200, None, 100, None, 2 * 10**9]],
        (day, "borealis", "code", NANO, "default", 0): [[1, 0, 2, 1, 0, 0, 1], [300, None, 30, None, None]],
        (day, "borealis", "manager", "", "default", 0): [[1, 0, 0, 0, 0, 1, 0], nothing],
        (day, "atlas", "manager", MAIN, "default", 1): [[1, 0, 0, 0, 0, 0, 0], [1, None, 1, None, 7]],
        (day, "atlas", "", MAIN, "explicit", 0): [[1, 0, 0, 0, 0, 0, 0], [1, None, 1, None, 1]],
        ("2026-11-04", "atlas", "", MAIN, "explicit", 0): [[1, 0, 0, 0, 0, 0, 0], [1, None, 1, None, 1]],
    }
    costs = {row["cost_pico"]: row["cost_usd"] for row in rows}
    assert costs[123_456_789_017] == pytest.approx(0.123456789017, abs=1e-15)
    assert costs[None] is None
