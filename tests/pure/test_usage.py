"""Usage as reported: read with suspicion, added without loss."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.pricing import UNPRICED, cost
from iwrouting.types import PriceFacts, Usage
from iwrouting.upstream.usage import MAX_COUNT, add_usage, read_usage

FULL = {
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 9,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 2, "audio_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 7, "rejected_prediction_tokens": 0},
    },
    "service_tier": "default",
}


def test_read_usage__full_report__keeps_every_class_and_the_raw_numbers() -> None:
    assert read_usage(FULL) == Usage(20, 16, 2, 9, 7, "default", FULL["usage"])  # type: ignore[arg-type] # a mapping


def test_read_usage__text_and_rubbish_inside__is_not_kept() -> None:
    usage = {
        "prompt_tokens": 1,
        "note": "a prompt",
        "cost": 0.5,
        "flag": True,
        "list": [1],
        "deep": {"a": {"b": 1}, "n": 2},
    }
    found = read_usage({"usage": {**usage, "x" * 99: 3}})
    assert found is not None
    assert found.reported == {"prompt_tokens": 1, "deep": {"n": 2}, "x" * 64: 3}


@pytest.mark.parametrize("body", [None, [], "usage", {}, {"usage": None}, {"usage": []}, {"usage": 5}, {"usage": "x"}])
def test_read_usage__without_an_object__is_none(body: object) -> None:
    assert read_usage(body) is None


@pytest.mark.parametrize("count", [None, -1, 1.0, "1", True, MAX_COUNT, 2**31 - 1, 2**32 - 1, 10**40, [], {}])
def test_read_usage__implausible_count__is_not_reported(count: object) -> None:
    assert read_usage({"usage": {"prompt_tokens": count}, "service_tier": count}) == Usage(
        service_tier=count if isinstance(count, str) else "", reported={"prompt_tokens": {}} if count == {} else {}
    )
    details = {"cached_tokens": count}
    found = read_usage({"usage": {"prompt_tokens_details": details}})
    assert found is not None
    assert found.cached_tokens is None


def test_read_usage__thousands_of_fields__are_bounded() -> None:
    many = {f"field_{n}": n for n in range(5_000)}
    found = read_usage({"usage": {"prompt_tokens_details": many, **many}})
    assert found is not None
    assert (len(found.reported), len(found.reported["prompt_tokens_details"])) == (32, 16)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens_details", "cached_tokens"]), inner
    ),
    max_leaves=8,
)


@given(JSON)
def test_read_usage__any_json__is_numbers_or_nothing(value: object) -> None:
    found = read_usage({"usage": value, "service_tier": value})
    assert (found is None) == (not isinstance(value, dict))
    if found is not None:
        inner = [v for each in found.reported.values() for v in (each.values() if isinstance(each, dict) else [each])]
        assert all(type(number) is int and number >= 0 for number in inner)


def part(prompt: int | None, **rest: Any) -> Usage:
    reported = {} if prompt is None else {"prompt_tokens": prompt, "total_tokens": prompt}
    return Usage(prompt_tokens=prompt, reported=reported, **rest)


def test_add_usage__batches__are_summed() -> None:
    total = {"prompt_tokens": 12, "total_tokens": 12, "batches": 2}
    assert add_usage([part(5), part(7)]) == Usage(prompt_tokens=12, reported=total)


def test_add_usage__no_batch_or_an_unknown_one__is_unknown() -> None:
    assert add_usage([]) is None
    found = add_usage([part(5), part(None)])
    assert found is not None
    assert found.prompt_tokens is None


def test_add_usage__details_of_one_batch__are_not_lost() -> None:
    first = read_usage(FULL)
    assert first is not None
    found = add_usage([first, part(5, completion_tokens=1, service_tier="default")])
    assert found is not None
    assert found == Usage(
        25, 16, 2, 10, 7, "default",
        {
            "prompt_tokens": 25,
            "completion_tokens": 9,
            "total_tokens": 34,
            "prompt_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 2, "audio_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 7, "rejected_prediction_tokens": 0},
            "batches": 2,
        },
    )  # fmt: skip


@pytest.mark.parametrize("tiers", [("flex", "flex"), ("default", "flex"), ("", "priority")])
def test_add_usage__another_tier_in_one_batch__leaves_the_sum_unpriced(tiers: tuple[str, str]) -> None:
    found = add_usage([part(5, service_tier=tier) for tier in tiers])
    assert cost(found, [PriceFacts(1, None, None, "v")], datetime.now(UTC)) == UNPRICED


def test_add_usage__fields_of_two_shapes__do_no_harm() -> None:
    shapes: list[dict[str, Any]] = [{"a": 1}, {"a": {"b": 2}}, {"a": {"b": 3}}, {"a": 4}]
    found = add_usage([Usage(prompt_tokens=1, reported=shape) for shape in shapes])
    assert found is not None
    assert found.reported == {"a": {"b": 5}, "batches": 4}
