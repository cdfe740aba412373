"""Each shape of usage costs what was worked out by hand, whole and streamed, and genai-prices agrees (G7, T3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers

from iwrouting.pricing import UNPRICED, Cost, cost
from iwrouting.types import CostState
from tests.prices.golden import LATE, TABLE, Entry, buffered, decided_at, name_of, streamed
from tests.prices.lists import lists, prices_of

PRICED = [entry for entry in TABLE if entry["pico"] is not None]
STANDARD = ("", "auto", "default")


def expected(entry: Entry) -> tuple[int | None, CostState]:
    return entry["pico"], CostState.UNPRICED if entry["pico"] is None else CostState.EXACT


def test_the_table__is_large_and_says_why_each_unpriced_shape_is() -> None:
    assert len(TABLE) >= 60
    assert len({entry["name"] for entry in TABLE}) == len(TABLE)
    assert all(("why" in entry) == (entry["pico"] is None) for entry in TABLE)


@pytest.mark.parametrize("entry", TABLE, ids=name_of)
def test_cost__of_a_whole_answer__is_the_golden_one(entry: Entry) -> None:
    found = cost(buffered(entry), prices_of(entry["model"]), decided_at(entry))
    assert (found.pico, found.state) == expected(entry)
    assert bool(found.price_version) == (found.pico is not None)
    assert found.price_version == entry.get("version", found.price_version)


@pytest.mark.parametrize("entry", [entry for entry in TABLE if entry["api"] != "embeddings"], ids=name_of)
def test_cost__of_a_stream__is_that_of_the_whole_answer(entry: Entry) -> None:
    prices, at = prices_of(entry["model"]), decided_at(entry)
    whole = cost(buffered(entry), prices, at)
    found = {where: cost(usage, prices, at) for where, usage in streamed(entry).items()}
    assert found == dict.fromkeys(found, whole)


@pytest.mark.parametrize("entry", PRICED, ids=name_of)
def test_cost__where_genai_prices_claims_to_know__is_what_it_says(entry: Entry) -> None:
    assert theirs(entry) == Decimal(entry["pico"]).scaleb(-12)


def theirs(entry: Entry) -> Decimal:
    """What genai-prices makes of the provider's own numbers, read here anew."""
    usage = entry["body"]["usage"]
    inside = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    tokens = {
        "input_tokens": usage.get("prompt_tokens", usage.get("input_tokens")),
        "output_tokens": usage.get("completion_tokens", usage.get("output_tokens", 0)),
        "cache_read_tokens": inside.get("cached_tokens") or 0,
        "cache_write_tokens": inside.get("cache_write_tokens") or 0,
    }
    tier = entry["body"].get("service_tier") or ""
    context = {} if tier in STANDARD else {"processing": tier} if tier == "batch" else {"service_tier": tier}
    known: Any = {"model_ref": entry["model"], "provider_id": "openai", "price_context": context}
    return calc_price(Usage(**tokens), **known, genai_request_timestamp=decided_at(entry)).total_price


def test_genai_prices__an_unknown_tier__is_silently_its_default_one_and_so_is_checked_by_us() -> None:
    odd: Entry = {"model": "gpt-4.1", "body": {"usage": {"prompt_tokens": 10, "completion_tokens": 10}}}
    tiered = {**odd, "body": {**odd["body"], "service_tier": "scale"}}
    assert theirs(tiered) == theirs(odd)
    assert cost(buffered({**tiered, "api": "chat"}), prices_of("gpt-4.1"), LATE) == UNPRICED


@pytest.mark.parametrize("model", sorted(lists().prices))
def test_every_price__at_every_date_and_threshold__is_what_genai_prices_says(model: str) -> None:
    provider = next(each for each in providers if each.id == "openai")
    for price in prices_of(model):
        tier = price.service_tier
        context = {"processing": tier} if tier == "batch" else {} if tier == "default" else {"service_tier": tier}
        cached = 0 if price.cached_pico is None else 3
        written = 0 if price.cache_write_pico is None else 5
        output = 0 if price.output_pico is None else 7
        tokens = price.above_input_tokens + 11
        usage = Usage(input_tokens=tokens, cache_read_tokens=cached, cache_write_tokens=written, output_tokens=output)
        at = price.valid_from + timedelta(seconds=1)
        found = provider.find_model(model)
        assert found is not None
        dollars = found.calc_price(usage, provider, genai_request_timestamp=at, price_context=context).total_price
        ours = (tokens - cached - written) * (price.input_pico or 0) + cached * (price.cached_pico or 0)
        ours += written * (price.cache_write_pico or 0) + output * (price.output_pico or 0)
        assert Decimal(ours).scaleb(-12) == dollars


def test_cost__split_over_two_chunks__is_not_pieced_together() -> None:
    entry: Entry = {"api": "chat", "body": {"usage": {"completion_tokens": 5}}}
    found = streamed(entry)["relayed in every chunk"]
    assert cost(found, prices_of("gpt-4.1"), LATE) == UNPRICED == Cost(None, CostState.UNPRICED)
