"""The packaged price lists as our rows: exact, dated, tiered; what our rows can't hold is told and left out."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import data
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from iwrouting import catalogue
from iwrouting.management.price_lists import read_price_lists
from iwrouting.types import ALWAYS, PriceFacts
from tests.prices.lists import lists, prices_of

VERSION = "genai-prices 0.2.3"
CUT = datetime(2026, 8, 21, tzinfo=UTC)
TIERED = datetime(2026, 10, 12, tzinfo=UTC)

Know = Callable[..., Any]


def test_lists__every_model_of_the_catalogue__is_known() -> None:
    assert set(lists().prices) == set(catalogue.models())
    assert (lists().unknown, lists().version) == ({}, VERSION)


def test_lists__base_prices__are_those_of_the_catalogue() -> None:
    for name, model in catalogue.models().items():
        now = [price for price in prices_of(name) if price.key == ("default", 0)][-1]
        ours = model.prices[0]
        assert (now.input_pico, now.cached_pico, now.output_pico) == (
            ours.input_pico,
            ours.cached_pico,
            ours.output_pico,
        )


def test_lists__a_dated_change__is_a_row_of_its_own() -> None:
    base = [price for price in prices_of("gpt-5.6-sol") if price.key == ("default", 0)]
    assert base == [
        PriceFacts(5_000_000, 500_000, 30_000_000, VERSION, 6_250_000, ALWAYS),
        PriceFacts(4_000_000, 400_000, 20_000_000, VERSION, 5_000_000, CUT),
    ]


def test_lists__tiers_and_thresholds__are_rows_of_their_own() -> None:
    luna = {price.key: price for price in prices_of("gpt-6-luna")}
    tiers = ("default", "priority", "fast", "flex", "batch")
    assert set(luna) == {(tier, above) for tier in tiers for above in (0, 272_000)}
    assert luna["flex", 272_000] == PriceFacts(
        100_000, 10_000, 375_000, VERSION, 125_000, TIERED, "flex", 272_000
    )  # fmt: skip
    assert {price.key for price in prices_of("text-embedding-3-small")} == {("default", 0)}


def test_lists__another_name_of_a_model__says_whose_price_it_is() -> None:
    assert lists().known_as["gpt-5.1-codex"] == "gpt-5.1"
    assert read_price_lists(["gpt-4.1-2025-04-14"]).known_as == {"gpt-4.1-2025-04-14": "gpt-4.1"}


def test_lists__read__without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("asked for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert read_price_lists(["gpt-4.1"]).prices["gpt-4.1"]


@pytest.fixture
def know(monkeypatch: pytest.MonkeyPatch) -> Know:
    """Makes `gpt-x` the package's one model, with these prices, and gives what is read of it."""

    def read(prices: Any, *variants: PriceVariant) -> tuple[tuple[PriceFacts, ...], str]:
        made = ModelInfo(id="gpt-x", match=ClauseEquals("gpt-x"), prices=prices, price_variants=list(variants))
        provider = next(each for each in data.providers if each.id == "openai")
        monkeypatch.setattr(provider, "models", [made])
        monkeypatch.setattr(provider, "find_model", lambda ref, **_: made if ref == "gpt-x" else None)
        found = read_price_lists(["gpt-x"])
        return found.prices.get("gpt-x", ()), found.unknown.get("gpt-x", "")

    return read


ONE = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2))


@pytest.mark.parametrize(
    ("prices", "variants", "reason"),
    [
        (ModelPrice(input_mtok=Decimal("0.0000001")), [], "finer than a pico-dollar a token"),
        (ModelPrice(input_mtok=Decimal(1), input_image_mtok=Decimal(2)), [], "not priced by tokens of text alone"),
        (ModelPrice(audio_hours=Decimal(1)), [], "(audio_hours)"),
        (
            [ConditionalPrice(prices=ONE), ConditionalPrice(TimeOfDateConstraint(time(1), time(2)), prices=ONE)],
            [],
            "depends on the hour of the day",
        ),
        (ONE, [PriceVariant({"region": "eu"}, ONE)], "depends on region"),
        (ONE, [PriceVariant({"service_tier": "flex", "region": "eu"}, ONE)], "depends on region, service_tier"),
    ],
)
def test_lists__what_our_rows_can_not_hold__is_told_and_left_out(
    know: Know, prices: Any, variants: list[PriceVariant], reason: str
) -> None:
    rows, told = know(prices, *variants)
    assert rows == ()
    assert reason in told


def test_lists__a_threshold_that_begins_or_ends_with_a_date__is_said_on_both_sides(know: Know) -> None:
    day = date(2026, 5, 1)
    tiered = ModelPrice(input_mtok=TieredPrices(Decimal(1), [Tier(100, Decimal(3))]), output_mtok=Decimal(2))
    rows, _ = know([ConditionalPrice(prices=tiered), ConditionalPrice(StartDateConstraint(day), prices=ONE)])
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    assert [(row.above_input_tokens, row.valid_from, row.input_pico) for row in rows] == [
        (0, ALWAYS, 1_000_000),
        (100, ALWAYS, 3_000_000),
        (100, begin, 1_000_000),
    ]
    rows, _ = know([ConditionalPrice(prices=ONE), ConditionalPrice(StartDateConstraint(day), prices=tiered)])
    assert [(row.above_input_tokens, row.valid_from, row.input_pico) for row in rows] == [
        (0, ALWAYS, 1_000_000),
        (100, begin, 3_000_000),
    ]


def test_lists__free__is_zero_and_not_unknown(know: Know) -> None:
    rows, _ = know(ModelPrice(input_mtok=Decimal(0), output_mtok=Decimal("0.0")))
    assert [(row.input_pico, row.cached_pico, row.output_pico) for row in rows] == [(0, None, 0)]
