"""Every finding: when a change brings it, what it says, and that what was there before is not told again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iwrouting.resolver.faults import findings, refusals
from iwrouting.types import (
    ALWAYS,
    FUNCTION_TOOLS,
    Configuration,
    KeyFacts,
    ModelFacts,
    OverrideFacts,
    PriceFacts,
    ProjectFacts,
    UpstreamFacts,
)
from iwrouting.types.faults import Finding, ObjectType
from tests.pure.small import CHAT, alias, configured, override, with_alias, with_model
from tests.pure.worlds import DAY, NOW

PRICE = PriceFacts(1, 1, 1, "v")


def world(*overrides: object, **variables: str) -> Configuration:
    """A configuration without a finding, but for its overrides and variables."""
    config = configured(*overrides, **variables)  # type: ignore[arg-type] # overrides
    projects = {slug: ProjectFacts(slug) for slug in ("atlas", "borea")}
    return replace(config, projects=projects, prices=dict.fromkeys(config.models, (PRICE,)))


def brought(before: Configuration | None, after: Configuration) -> list[Finding]:
    return findings(before, after, NOW)


def only(before: Configuration | None, after: Configuration) -> Finding:
    (found,) = brought(before, after)
    return found


def test_sound_configuration__brings_none_even_as_the_first() -> None:
    assert brought(None, world()) == []


def test_finding_of_before__is_not_told_again() -> None:
    before = with_alias(world(), alias("code", "nobody-knows"))
    assert brought(before, before) == []
    assert [each.code for each in brought(world(), before)] == ["price_missing", "model_unverified"][::-1]
    edited = with_alias(before, replace(before.aliases["code"], purpose="told better"))
    assert brought(before, edited) == []


@pytest.mark.parametrize(
    ("days", "code", "words"),
    [
        (-1, "model_retired", "coder-1 was shut down on 2026-11-21, replacement coder-2 (default of the alias code)."),
        (9, "model_retiring", "coder-1 will be shut down on 2026-12-01, replacement coder-2 (default of the alias"),
    ],
)
def test_model_that_is_gone_or_going__is_told_where_it_is_named(days: int, code: str, words: str) -> None:
    facts = ModelFacts("coder-1", CHAT, shutdown_date=NOW.date() + days * DAY, replacement="coder-2")
    before = with_model(replace(world(), prices={**world().prices, "coder-1": (PRICE,)}), facts)
    found = only(before, with_alias(before, alias("code", "coder-1")))
    assert (found.code, found.row, found.field, found.subject) == (code, ("alias", "code"), "default_model", "coder-1")
    assert found.message.startswith(words)
    overridden = only(before, replace(before, overrides={("atlas", "code"): override("code", "coder-1", "atlas")}))
    assert (overridden.row, overridden.ref) == (("override", "code for atlas"), "override:7")


def test_unverified_model__is_told_with_the_next_step() -> None:
    after = with_alias(world(), alias("code", "nobody-knows"))
    found = {each.code: each for each in brought(world(), after)}
    assert found["model_unverified"].message == (
        "nobody-knows is not in the catalogue (default of the alias code). Check its spelling, or add it to the "
        "models; until then cautious rules apply."
    )


@pytest.mark.parametrize(
    ("prices", "code", "words"),
    [
        ((), "price_missing", "mid has no price in force: its calls are unpriced. Add one, or sync prices."),
        ((replace(PRICE, input_pico=None),), "price_missing", "mid has no price in force"),
        ((replace(PRICE, service_tier="flex"),), "price_missing", "mid has no price in force"),
        ((replace(PRICE, above_input_tokens=9),), "price_missing", "mid has no price in force"),
        ((PRICE, replace(PRICE, input_pico=None, valid_from=NOW)), "price_missing", "mid has no price in force"),
        ((replace(PRICE, valid_from=NOW + DAY), replace(PRICE, valid_from=NOW + 2 * DAY)), "price_future",
         "The first price of mid holds from 2026-11-23T12:00:00Z: calls before are unpriced."),
    ],
)  # fmt: skip
def test_model_in_use__without_a_price_in_force__is_told(prices: tuple[PriceFacts, ...], code: str, words: str) -> None:
    found = only(world(), replace(world(), prices={**world().prices, "mid": prices}))
    assert (found.code, found.row) == (code, ("model", "mid"))
    assert found.message.startswith(words)


def test_model_that_nobody_names__needs_no_price() -> None:
    before = replace(world(), prices={**world().prices, "mid": (replace(PRICE, valid_from=ALWAYS),)})
    assert brought(before, with_model(before, ModelFacts("spare", CHAT))) == []


@pytest.mark.parametrize(
    ("row", "variables", "words"),
    [
        (override("manager", "large"), {}, "large serves without it too (default)."),
        (override("manager", "mid"), {"MANAGER": "mid"}, "mid serves without it too (environment)."),
        (override("manager", "large", "atlas"), {}, "large serves without it too (default)."),
    ],
)
def test_override__that_changes_nothing_today__is_told(row: object, variables: dict[str, str], words: str) -> None:
    found = {each.code: each for each in brought(world(**variables), world(row, **variables))}
    assert found["override_same"].message == f"This override changes nothing today: {words}"


def test_override_of_a_project__is_compared_with_the_one_for_all() -> None:
    both = world(override("manager", "small"), override("manager", "small", "atlas"))
    assert [(each.code, each.name) for each in brought(world(), both)] == [("override_same", "manager for atlas")]
    other = world(override("manager", "small"), override("manager", "large", "atlas"))
    assert brought(world(), other) == []


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"starts_at": NOW + DAY}, {"project": "atlas", "model": "small"}]
)
def test_override__that_does_nothing_yet_or_something__is_not_told(changes: dict[str, object]) -> None:
    row = replace(override("manager", "large"), **changes)  # type: ignore[arg-type] # any field
    assert brought(world(), world(row)) == []


def test_override__that_pins_auto_to_the_model_it_has__changes_something() -> None:
    assert brought(world(), world(override("auto", "mid", infer=False))) == []
    assert only(world(), world(override("auto", "mid"))).code == "override_same"


def test_override__that_shadows_a_variable__is_told() -> None:
    found = only(world(MANAGER="mid"), world(override("manager", "small"), MANAGER="mid"))
    assert (found.code, found.row) == ("override_shadows_environment", ("override", "manager for all projects"))
    assert found.message == (
        "OPENAI_MODEL_MANAGER=mid of the environment has no effect where this override is in force."
    )


def test_override__that_has_ended_already__is_told() -> None:
    found = only(world(), world(override("manager", "small", expires_at=NOW)))
    assert (found.code, found.message) == (
        "override_expired", "It expired at 2026-11-22T12:00:00Z and has no effect: enter a later time, or delete it.",
    )  # fmt: skip


def test_variable__that_is_blank_or_unfit__is_told() -> None:
    blank = only(world(), world(MANAGER="  "))
    assert (blank.code, blank.row, blank.ref) == ("environment_blank", ("alias", "manager"), "OPENAI_MODEL_MANAGER")
    assert blank.message.startswith("OPENAI_MODEL_MANAGER is set, but blank: it counts as not set.")
    unfit = only(world(), world(MANAGER="vectors"))
    assert unfit.code == "environment_unfit"
    assert unfit.message.startswith("OPENAI_MODEL_MANAGER of the environment: vectors makes embeddings only")


def test_alias__that_hides_a_model__is_told() -> None:
    before = world()
    found = only(before, with_alias(before, alias("small", "large")))
    assert (found.code, found.name) == ("alias_shadows_model", "small")


def test_key__that_grants_what_does_not_exist__is_told() -> None:
    key = KeyFacts("0123456789", "00", frozenset(), "atlas", None, allowed_aliases=frozenset({"auto", "atuo"}))
    found = only(world(), replace(world(), keys={"00": key}))
    assert (found.code, found.row, found.subject) == ("grant_unknown", ("key", "0123456789"), "atuo")


STRONG = ModelFacts(
    "strong", CHAT, context_window=1_000, input_modalities=frozenset({"text", "image"}), hosted_tools=frozenset({"mcp"})
)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"refused_params": frozenset({FUNCTION_TOOLS})}, "chain_mixes_tools", "takes no function tools"),
        ({"hosted_tools": frozenset({"web_search"})}, "chain_mixes_hosted_tools", "lacks hosted tools"),
        ({"input_modalities": frozenset({"text"})}, "chain_mixes_vision", "reads no images"),
        ({"context_window": 999}, "chain_mixes_windows", "takes fewer tokens of input"),
        ({"context_window": 1_000, "max_input": 10}, "chain_mixes_windows", "takes fewer tokens of input"),
        ({"hosted_tools": None}, "", ""),
        ({"input_modalities": frozenset()}, "", ""),
        ({"context_window": None}, "", ""),
        ({"context_window": 2_000}, "", ""),
    ],
)
def test_chain__whose_rung_takes_less_than_its_primary__is_told(
    changes: dict[str, object], code: str, words: str
) -> None:
    weak = replace(STRONG, id="weak", **changes)  # type: ignore[arg-type] # any field
    before = with_model(with_model(world(), STRONG), weak)
    before = replace(before, prices={**before.prices, "strong": (PRICE,), "weak": (PRICE,)})
    found = brought(before, with_alias(before, alias("code", "strong", "weak")))
    assert [each.code for each in found] == ([code] if code else [])
    assert all(words in each.message and "weak" in each.message for each in found)
    assert brought(before, with_alias(before, alias("code", "weak", "strong")))[1:] == []


def test_override__before_weaker_rungs__is_told_for_its_own_project() -> None:
    weak = replace(STRONG, id="mid", context_window=10)
    before = with_model(with_model(world(), STRONG), weak)
    before = replace(before, prices={**before.prices, "strong": (PRICE,)})
    found = only(before, replace(before, overrides={("atlas", "manager"): override("manager", "strong", "atlas")}))
    assert (found.code, found.row, found.subject) == ("chain_mixes_windows", ("override", "manager for atlas"), "mid")
    mended: dict[tuple[str | None, str], OverrideFacts] = {
        ("atlas", name): override(name, "strong", "atlas") for name in ("manager", "auto")
    }
    codes = [(each.code, each.name) for each in brought(before, replace(before, overrides=mended))]
    assert ("chain_mixes_windows", "manager for atlas") not in codes


def test_responses_only_model__that_serves_chats__is_told_with_what_it_refuses() -> None:
    facts = ModelFacts("talker", frozenset({"responses"}), refused_params=frozenset({"top_logprobs", "logprobs"}))
    before = replace(with_model(world(), facts), prices={**world().prices, "talker": (PRICE,)})
    found = only(before, replace(before, overrides={(None, "manager"): override("manager", "talker")}))
    assert (found.code, found.row) == ("responses_only", ("override", "manager for all projects"))
    assert "lose what it refuses (logprobs, top_logprobs)" in found.message
    plain = with_model(before, replace(facts, refused_params=frozenset()))
    assert brought(plain, with_alias(plain, alias("code", "talker"))) == []


def test_kill_switch__tells_who_falls_back_to_what() -> None:
    before = with_alias(world(override("code", "large", "atlas")), alias("deep", "large"))
    after = with_model(before, replace(before.models["large"], enabled=False))
    assert refusals(before, after, {("model", "large")}, now=NOW) == []
    found = {each.code: each for each in brought(before, after)}
    assert set(found) == {"switched_off", "alias_unserved"}
    assert found["switched_off"].message == (
        "large is switched off: mid (auto) serves manager, code for atlas; no rung is left for deep."
    )
    assert found["alias_unserved"].message == (
        "No rung of deep can serve: its calls fail. Enable a model of its chain, or name another."
    )


def test_kill_switch__of_a_model_that_nobody_names__is_silent() -> None:
    before = with_model(world(), ModelFacts("spare", CHAT))
    assert brought(before, with_model(before, ModelFacts("spare", CHAT, enabled=False))) == []


def test_upstream__that_is_switched_off__tells_of_its_models() -> None:
    before = with_model(world(), ModelFacts("large", CHAT, upstream="away"))
    away = UpstreamFacts("away", "https://away.example/v1", "")
    before = replace(before, upstreams={**before.upstreams, "away": away})
    after = replace(before, upstreams={**before.upstreams, "away": replace(away, enabled=False)})
    assert refusals(before, after, {("upstream", "away")}, now=NOW) == []
    assert only(before, after).message == ("The upstream away of large is switched off: mid (auto) serves manager.")


def test_switched_off_model__that_is_named_by_a_variable_alone__is_told_as_such() -> None:
    before = with_model(world(MANAGER="spare"), ModelFacts("spare", CHAT))
    before = replace(before, prices={**before.prices, "spare": (PRICE,)})
    found = only(before, with_model(before, ModelFacts("spare", CHAT, enabled=False)))
    assert found.message == "spare is switched off: mid (auto) serves manager."


def test_acknowledgement__is_by_key_or_by_code() -> None:
    found = Finding("price_missing", ObjectType.MODEL, "mid", "words", "prices")
    assert found.key == "price_missing/model/mid/prices/"
    assert found.acknowledged_by([found.key])
    assert found.acknowledged_by({"price_missing"})
    assert not found.acknowledged_by(["model_retired", "price_missing/model/large/prices/"])
