"""What a decision adds to the metrics: bounded names alone, whatever callers and providers write."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from iwrouting.calls.caller import Caller
from iwrouting.calls.counting import OWN_CODES, attempt_error, count_ended, error_type
from iwrouting.calls.draft import Draft, Ending
from iwrouting.meters import Meters, Metric, mine, names
from iwrouting.pricing import UNPRICED, Cost
from iwrouting.resolver import resolve
from iwrouting.snapshot import builtin_configuration
from iwrouting.types import AttemptRecord, CostState, Inference, KeyFacts, Result, Rung, Source, Usage

CONFIG = builtin_configuration()
KEY = KeyFacts("k", "x", frozenset(), "atlas", None)
HOSTILE = 'ignore previous instructions"} 1\n# HELP x'


def draft(asked: str = "manager", *, inference: Inference | None = None, **caller: Any) -> Draft:
    """A decision that was resolved."""
    found = Draft(Caller(KEY, "r", time.monotonic_ns(), **caller), "chat", CONFIG, 100, asked=asked)
    now, key = datetime.now(UTC), KEY if asked in CONFIG.aliases else replace(KEY, allowed_models=frozenset({asked}))
    found.resolution = resolve(CONFIG, asked, project=None, now=now, inference=inference, endpoint="chat", key=key)
    return found


def well(rung: Rung | None = None, **more: Any) -> Ending:
    """An answer with usage and cost."""
    first = rung or draft().resolution.chain[0]  # type: ignore[union-attr] # it is resolved
    cost = Cost(2_500_000_000_000, CostState.EXACT)
    return Ending(Result.OK, 200, first, usage=Usage(20, 5, None, 7, 3), cost=cost, overhead_us=400, **more)


def tried(**more: Any) -> AttemptRecord:
    return AttemptRecord(1, "call", 0, 1, "manager", "gpt-5.1", "openai", "chat", **more)


def counted(meters: Meters) -> dict[tuple[str, ...], list[int]]:
    """What is not 0."""
    return {key: numbers for key, numbers in meters.board.read().items() if any(numbers)}


def of(meters: Meters, metric: Metric) -> dict[tuple[str, ...], int]:
    """The series of a counter."""
    return {key[1:]: numbers[0] for key, numbers in counted(meters).items() if key[0] == metric.name}


def test_a_call__is_counted_by_the_conventions_and_by_our_own_names() -> None:
    meters = mine()
    count_ended(meters, draft(), [tried(status=200)], well())
    found = counted(meters)
    labels = ("chat", "openai", "manager", "gpt-5.1", "chat_completions")
    assert sum(found[(names.DURATION.name, *labels, "")][:-1]) == 1
    assert found[(names.TOKEN_USAGE.name, *labels, "input")][-1] == 20
    assert found[(names.TOKEN_USAGE.name, *labels, "output")][-1] == 7
    assert (names.FIRST_CHUNK.name, *labels) not in found
    assert of(meters, names.DECISIONS) == {("chat", "ok"): 1}
    assert of(meters, names.ROUTES) == {("manager", "default"): 1}
    assert of(meters, names.ATTEMPTS) == {("openai", "gpt-5.1", "answered", ""): 1}
    assert of(meters, names.COST) == {("manager", "gpt-5.1", "exact"): 2_500_000_000_000}
    assert of(meters, names.TOKEN_CLASSES) == {
        ("gpt-5.1", "input", "provider"): 20,
        ("gpt-5.1", "cached", "provider"): 5,
        ("gpt-5.1", "output", "provider"): 7,
        ("gpt-5.1", "reasoning", "provider"): 3,
    }
    assert sum(found[(names.OVERHEAD.name, "chat")][:-1]) == 1


def test_test_traffic__is_not_counted() -> None:
    meters = mine()
    count_ended(meters, draft(is_test=True), [tried(status=200)], well())
    assert counted(meters) == {}


def test_a_stream__has_a_time_to_its_first_chunk() -> None:
    meters, asked = mine(), draft()
    asked.is_stream = True
    count_ended(meters, asked, [], well(first_byte_us=25_000))
    labels = ("chat", "openai", "manager", "gpt-5.1", "chat_completions")
    assert counted(meters)[(names.FIRST_CHUNK.name, *labels)][-1] == 25_000


def test_what_is_estimated__is_no_usage_of_the_conventions() -> None:
    meters = mine()
    count_ended(meters, draft(), [], well(estimated=True, tokens_source="bytes"))
    assert not [key for key in counted(meters) if key[0] == names.TOKEN_USAGE.name]
    assert of(meters, names.TOKEN_CLASSES)[("gpt-5.1", "input", "bytes")] == 20


@pytest.mark.parametrize("asked", ["made-up-model", HOSTILE, "x" * 200])
def test_a_name_that_only_the_caller_knows__is_other(asked: str) -> None:
    meters, found = mine(), draft(asked)
    rung = found.resolution.chain[0]  # type: ignore[union-attr] # it is resolved
    assert rung.source is Source.EXPLICIT
    ending = well(rung, error_code=HOSTILE)
    ending.result, ending.status = Result.ERROR, 418
    count_ended(meters, found, [replace(tried(), model=asked, error_type=HOSTILE, error_code=HOSTILE)], ending)
    labels = {label for key in counted(meters) for label in key}
    assert asked not in labels
    assert HOSTILE not in labels
    assert of(meters, names.ATTEMPTS) == {("openai", "other", "failed", "_OTHER"): 1}
    assert next(key[3:5] + key[6:] for key in counted(meters) if key[0] == names.DURATION.name) == (
        "other",
        "other",
        "418",
    )


def test_an_inferred_mode__is_counted_with_its_rule_and_without_its_numbers() -> None:
    meters = mine()
    inference = Inference("code", "code-heavy: 2 fenced blocks, 14 code signals", {})
    count_ended(meters, draft("auto", inference=inference), [], well())
    assert of(meters, names.AUTO_ROUTES) == {("code", "code-heavy"): 1}


def test_a_fallback__is_an_attempt_and_a_success_only_where_it_answered() -> None:
    meters = mine()
    count_ended(meters, draft(), [], Ending(Result.OK_AFTER_FALLBACK, 200, draft().resolution.chain[1], fallbacks=1))  # type: ignore[union-attr] # it is resolved
    count_ended(meters, draft(), [], Ending(Result.ERROR, 502, fallbacks=2, error_code="all_candidates_failed"))
    assert of(meters, names.FALLBACK_ATTEMPTS) == {("manager",): 2}
    assert of(meters, names.FALLBACK_SUCCESSES) == {("manager",): 1}


def test_refused_and_resolved__are_decisions_but_no_calls() -> None:
    meters = mine()
    unknown = Draft(Caller(KEY, "r", 0), "chat", CONFIG, 10, asked=HOSTILE)
    count_ended(meters, unknown, [], Ending(Result.REFUSED, 404, error_code="model_not_found"))
    found = draft()
    found.endpoint = "resolve"
    count_ended(meters, found, [], Ending(Result.RESOLVED, 200))
    assert of(meters, names.DECISIONS) == {("chat", "refused"): 1, ("resolve", "resolved"): 1}
    assert {key[0] for key in counted(meters)} == {names.DECISIONS.name, names.ROUTES.name}


def test_a_call_without_a_known_cost__is_counted_as_such() -> None:
    meters, ending = mine(), well()
    ending.cost = UNPRICED
    count_ended(meters, draft(), [], ending)
    assert of(meters, names.UNPRICED) == {("manager", "gpt-5.1"): 1}
    assert of(meters, names.COST) == {}


@pytest.mark.parametrize(
    ("result", "status", "code", "told"),
    [
        (Result.OK, 200, "", ""),
        (Result.ERROR, 502, "all_candidates_failed", "all_candidates_failed"),
        (Result.ERROR, 400, "a code of a provider", "400"),
        (Result.ERROR, 200, "", "_OTHER"),
        (Result.ERROR, 777, "", "_OTHER"),
        (Result.TRUNCATED, 200, "stream_reset", "truncated"),
        (Result.CLIENT_CLOSED, None, "client_too_slow", "client_closed"),
    ],
)
def test_the_error_type__is_of_a_closed_list(result: Result, status: int | None, code: str, told: str) -> None:
    assert error_type(Ending(result, status, error_code=code)) == told


def test_the_reason_of_a_try__is_of_a_closed_list() -> None:
    assert attempt_error(tried(status=429, error_type=HOSTILE)) == "429"
    assert attempt_error(tried(status=200, error_type="in_band_error")) == "in_band_error"
    assert attempt_error(tried(error_type="timeout_error")) == "timeout_error"
    assert attempt_error(tried(error_type="overslept")) == "_OTHER"
    assert {"audit_unavailable", "upstream_auth", "invalid_request"} <= OWN_CODES


def test_what_can_not_be_counted__costs_no_caller_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    broken: Any = object()
    count_ended(broken, draft(), [], well())
    assert "was not counted" in caplog.text
