"""rpt_cost_guidance_v1: fits, references and savings by hand, and the arithmetic held to pricing.py."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from iwrouting.models import Alias, Model, Price, Upstream
from iwrouting.pricing import MAX_PICO, cost
from iwrouting.reports.usage.rolling import roll
from iwrouting.types import ALWAYS, Usage
from tests.audit_tables.reading import select
from tests.audit_tables.rows import decision, outcome

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 3, 10, tzinfo=UTC)
TIERS = {"nano": "small", "nano-2": "small", "mini": "mid", "big": "strong"}
INPUT = {"nano": 100_000, "nano-2": 150_000, "mini": 400_000, "big": 1_250_000}


def price(model: str, at: datetime = ALWAYS, **more: Any) -> Price:
    base = INPUT.get(model, 100_000)
    named: dict[str, Any] = {"input_pico": base, "cached_pico": base // 10, "output_pico": 8 * base}
    return Price.objects.create(model_id=model, valid_from=at, version="v1", **named | more)


@pytest.fixture
def _models() -> None:
    for name, tier in TIERS.items():
        Model.objects.create(model_id=name, endpoints=["chat", "responses"], tier=tier)
        price(name)
    for name, kind, tier in (("summary", "role", "small"), ("manager", "role", "strong"), ("auto", "chat_mode", "mid")):
        Alias.objects.create(name=name, kind=kind, tier=tier, default_model="big")


def call(model: str = "big", alias: str = "summary", at: datetime = AT, **values: Any) -> None:
    """One call with its end; 1,000 tokens in, 100 of them cached, and 50 out, where nothing else is said."""
    about = {name: values.pop(name) for name in ("project", "inferred_mode", "is_test", "kind") if name in values}
    usage = {"prompt_tokens": 1_000, "cached_tokens": 100, "completion_tokens": 50, "reasoning_tokens": 0}
    ended = {"model_served": model, "cost_state": "exact", "cost_pico": 10**9, **usage}
    outcome(decision(at, alias=alias, **about), "ok", **ended | values)


def edit(model: str, **values: Any) -> None:
    row = Model.objects.get(model_id=model)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def rows(names: str, where: str = "true") -> list[tuple[Any, ...]]:
    sql = f"SELECT {names} FROM rpt_cost_guidance_v1 WHERE {where} ORDER BY day, alias, model_served"  # noqa: S608
    return [tuple(row.values()) for row in select(sql)]


@pytest.mark.usefixtures("_models")
def test_guidance__strong_model_on_a_small_task__says_what_the_cheapest_small_one_would_have_cost() -> None:
    call()
    call()
    there = 2 * (900 * 100_000 + 100 * 10_000 + 50 * 800_000)
    (row,) = select("SELECT * FROM rpt_cost_guidance_v1")
    assert row == {
        "day": "2026-11-03",
        "project": "atlas",
        "alias": "summary",
        "inferred_mode": "",
        "model_served": "big",
        "is_test": 0,
        "task_tier": "small",
        "model_tier": "strong",
        "fit": "stronger",
        "calls": 2,
        "unpriced": 0,
        "estimated": 0,
        "prompt_tokens": 2_000,
        "cached_tokens": 200,
        "cache_write_tokens": None,
        "completion_tokens": 100,
        "reasoning_tokens": 0,
        "cost_pico": 2 * 10**9,
        "cost_usd": pytest.approx(0.002),
        "reference_model": "nano",
        "cost_at_tier_pico": there,
        "cost_at_tier_usd": pytest.approx(there / 1e12),
        "saving_pico": 2 * 10**9 - there,
        "saving_usd": pytest.approx((2 * 10**9 - there) / 1e12),
        "is_estimated": 0,
    }


@pytest.mark.usefixtures("_models")
def test_guidance__fit__is_told_by_the_tiers_of_task_and_model() -> None:
    Alias.objects.create(name="plain", kind="role", default_model="big")
    Model.objects.create(model_id="plain", endpoints=["chat"])
    for alias, model in (("summary", "nano"), ("manager", "mini"), ("plain", "big"), ("summary", "plain"), ("x", "y")):
        call(model, alias)
    call("big", "auto", inferred_mode="summary")
    assert rows("alias, model_served, inferred_mode, task_tier, model_tier, fit, reference_model") == [
        ("auto", "big", "summary", "small", "strong", "stronger", "nano"),
        ("manager", "mini", "", "strong", "mid", "weaker", "big"),
        ("plain", "big", "", None, "strong", "unknown", None),
        ("summary", "nano", "", "small", "small", "fits", "nano"),
        ("summary", "plain", "", "small", None, "unknown", "nano"),
        ("x", "y", "", None, None, "unknown", None),
    ]


@pytest.mark.usefixtures("_models")
def test_guidance__groups__are_by_day_project_and_test_and_leave_out_what_names_no_task_or_model() -> None:
    call()
    call(project="boreas")
    call(is_test=True)
    call(at=AT + timedelta(hours=14))
    call(alias="", kind="")
    call(model="", cost_state="none", cost_pico=None)
    outcome(decision(AT, alias="summary", endpoint="resolve"), "resolved", model_served="big")
    assert sorted(rows("day, project, is_test, calls")) == [
        ("2026-11-03", "atlas", 0, 1),
        ("2026-11-03", "atlas", 1, 1),
        ("2026-11-03", "boreas", 0, 1),
        ("2026-11-04", "atlas", 0, 1),
    ]


@pytest.mark.usefixtures("_models")
@pytest.mark.parametrize(
    ("change", "reference"),
    [
        ({"enabled": False}, "nano-2"),
        ({"shutdown_date": date(2020, 1, 1)}, "nano-2"),
        ({"shutdown_date": date(2999, 1, 1)}, "nano"),
        ({"endpoints": ["embeddings"]}, "nano-2"),
        ({"endpoints": ["responses"]}, "nano"),
        ({"tier": "mid"}, "nano-2"),
    ],
)
def test_guidance__reference__is_enabled_living_and_serves_the_task(change: dict[str, Any], reference: str) -> None:
    edit("nano", **change)
    call()
    assert rows("reference_model") == [(reference,)]


@pytest.mark.usefixtures("_models")
def test_guidance__reference__is_behind_an_upstream_that_is_on() -> None:
    off = Upstream.objects.create(slug="off", base_url="https://off.example/v1", enabled=False)
    edit("nano", upstream=off)
    call()
    assert rows("reference_model") == [("nano-2",)]


@pytest.mark.usefixtures("_models")
def test_guidance__without_a_price_or_a_model_of_the_tier__is_null_and_never_zero() -> None:
    for name in ("nano", "nano-2"):
        edit(name, tier="mid")
    Model.objects.create(model_id="new", endpoints=["chat"], tier="small")
    call()
    price("new", AT + timedelta(days=1))
    unknown = "reference_model, cost_at_tier_pico, cost_at_tier_usd, saving_pico, saving_usd, is_estimated"
    assert rows(unknown) == [(None, None, None, None, None, 0)]
    Model.objects.get(model_id="new").delete()
    assert rows(f"calls, cost_pico, {unknown}") == [(1, 10**9, None, None, None, None, None, 0)]


@pytest.mark.usefixtures("_models")
def test_guidance__vectors__are_compared_with_vectors() -> None:
    for name, tier in (("small-3", "small"), ("large-3", "mid")):
        Model.objects.create(model_id=name, endpoints=["embeddings"], tier=tier)
        price(name, cached_pico=None, output_pico=None)
    Alias.objects.create(name="embedding", kind="embedding", tier="small", default_model="large-3")
    call("large-3", "embedding", cached_tokens=None, completion_tokens=None, reasoning_tokens=None)
    assert rows("fit, reference_model, cost_at_tier_pico") == [("stronger", "small-3", 1_000 * 100_000)]


@pytest.mark.usefixtures("_models")
@pytest.mark.parametrize(
    ("values", "estimated", "saving_known"),
    [
        ({}, 0, True),
        ({"cost_state": "estimated"}, 1, True),
        ({"cost_state": "unpriced", "cost_pico": None}, 1, False),
    ],
)
def test_guidance__that_is_not_exact__says_so(values: dict[str, Any], estimated: int, *, saving_known: bool) -> None:
    call(**values)
    ((told, saving),) = rows("is_estimated, saving_pico")
    assert (told, saving is not None) == (estimated, saving_known)


@pytest.mark.usefixtures("_models")
@pytest.mark.parametrize(
    ("above", "at", "estimated"),
    [(999, ALWAYS, 1), (1_000, ALWAYS, 0), (999, AT + timedelta(days=1), 0), (999, AT + timedelta(hours=1), 1)],
)
def test_guidance__where_a_call_may_have_passed_a_threshold__is_estimated(
    above: int, at: datetime, estimated: int
) -> None:
    price("nano", at, above_input_tokens=above)
    call()
    assert rows("reference_model, is_estimated") == [("nano", estimated)]


@pytest.mark.usefixtures("_models")
def test_guidance__price__is_the_one_in_force_that_day() -> None:
    midnight = AT.replace(hour=0)
    price("nano", midnight, input_pico=1, cached_pico=1, output_pico=1)
    price("nano", midnight + timedelta(days=1, hours=9), input_pico=2, cached_pico=2, output_pico=2)
    price("nano", AT, service_tier="flex", input_pico=0, cached_pico=0, output_pico=0)
    for days in (-1, 0, 1, 2):
        call(at=AT + timedelta(days=days))
    assert rows("cost_at_tier_pico, is_estimated") == [(131_000_000, 0), (1_050, 0), (2_100, 1), (2_100, 0)]


@pytest.mark.usefixtures("_models")
def test_guidance__more_than_a_column_holds__is_not_known() -> None:
    price("nano-2", AT.replace(hour=0), input_pico=10**12)
    price("nano", AT.replace(hour=0), input_pico=10**12)
    call(prompt_tokens=2**53 - 1)
    call(prompt_tokens=2**53 - 1)
    assert rows("reference_model, cost_at_tier_pico") == [(None, None)]


@pytest.mark.usefixtures("_models")
def test_guidance__over_cells_and_rows_that_came_later__is_what_it_is_over_rows() -> None:
    for hours in (0, 1, 13, 15, 40):
        call(at=AT + timedelta(hours=hours))
        call("nano-2", "auto", at=AT + timedelta(hours=hours), inferred_mode="summary", cache_write_tokens=7)
    found = rows("*")
    roll(lambda _line: None)
    assert rows("*") == found
    call(at=AT + timedelta(minutes=3))
    assert rows("day, alias, calls, prompt_tokens, cost_pico", "fit = 'stronger'") == [
        ("2026-11-03", "summary", 3 + 1, 4_000, 4 * 10**9),
        ("2026-11-04", "summary", 1, 1_000, 10**9),
        ("2026-11-05", "summary", 1, 1_000, 10**9),
    ]


def oracle(usage: Usage, prices: dict[str, Price]) -> tuple[str | None, int | None]:
    """The cheapest model and its cost, by pricing.py."""
    found = {name: cost(usage, [row.facts], AT).pico for name, row in prices.items()}
    known = sorted((pico, name) for name, pico in found.items() if pico is not None and pico <= MAX_PICO)
    return (known[0][1], known[0][0]) if known else (None, None)


def test_guidance__over_random_tokens_and_prices__is_the_cost_of_pricing() -> None:
    chance = random.Random(6)  # noqa: S311
    Alias.objects.create(name="summary", kind="role", tier="small", default_model="big")
    prices = {}
    for number in range(6):
        Model.objects.create(model_id=f"m{number}", endpoints=["chat"], tier="small")
        fields = ("input_pico", "cached_pico", "cache_write_pico", "output_pico")
        values: dict[str, Any] = {name: chance.choice([None, 0, 1, chance.randrange(10**8)]) for name in fields}
        prices[f"m{number}"] = price(f"m{number}", **values)
    expected = []
    for day in range(60):
        usage = Usage(
            prompt_tokens=chance.choice([None, 0, chance.randrange(10**6)]),
            cached_tokens=chance.choice([None, 0, chance.randrange(10**5)]),
            cache_write_tokens=chance.choice([None, 0, chance.randrange(10**5)]),
            completion_tokens=chance.choice([None, 0, chance.randrange(10**6)]),
            reasoning_tokens=chance.choice([None, 0, chance.randrange(10**5)]),
        )
        names = ("prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens")
        call(at=AT + timedelta(days=day), **{name: getattr(usage, name) for name in names})
        expected.append(oracle(usage, prices))
    assert rows("reference_model, cost_at_tier_pico") == expected
    assert len({name for name, _ in expected}) > 3
