"""Every structural fault: when it holds, what it says, and what refuses a change (faults.md F1-F4, F7, F9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from iwrouting.resolver.faults import findings, refusals, structural_faults
from iwrouting.types import Configuration, KeyFacts, Kind, ModelFacts, PriceFacts, ProjectFacts, UpstreamFacts
from iwrouting.types.faults import Fault
from tests.pure.small import CHAT, alias, configured, override, with_alias, with_model
from tests.pure.worlds import DAY, NOW

EMBEDS = frozenset({"embeddings"})
ATLAS = {"atlas": ProjectFacts("atlas")}


def codes(config: Configuration) -> list[tuple[str, str, str, str]]:
    return [(each.code, each.name, each.field, each.subject) for each in structural_faults(config, NOW)]


def only(config: Configuration) -> Fault:
    (found,) = structural_faults(config, NOW)
    return found


def refused(before: Configuration | None, after: Configuration, *touched: tuple[str, str]) -> list[str]:
    return [fault.code for fault in refusals(before, after, touched, now=NOW)]


def found(before: Configuration | None, after: Configuration) -> list[tuple[str, str]]:
    return [(each.code, each.name) for each in findings(before, after, NOW)]


def switched_off(config: Configuration, model: str) -> Configuration:
    return with_model(config, replace(config.models[model], enabled=False))


def test_sound_configuration__has_no_fault() -> None:
    config = replace(configured(override("manager", "small"), override("manager", "mid", "atlas")), projects=ATLAS)
    assert structural_faults(config, NOW) == []


def test_auto_and_fast__that_name_each_other__are_no_cycle() -> None:
    config = configured()
    assert (config.aliases["auto"].chain, config.aliases["fast"].chain) == (("fast",), ("auto",))
    assert structural_faults(config, NOW) == []


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        (alias("code", "coder", "auto", "code", "fast"), "chain_cycle",
         "The chain of code names code itself (code -> auto -> code): a cycle. Remove it."),
        (alias("code", "coder", "auto", "fast", "auto"), "chain_repeats",
         "The chain of code names auto twice (code -> auto -> fast -> auto). Remove one."),
        (alias("code", "coder", "auto", "fast", "small", "mid", "large", "manager"), "chain_too_long",
         "The chain of code has 6 rungs (code -> auto -> fast -> small -> mid -> large -> manager): at most 5 follow "
         "the primary. Remove 1."),
        (alias("code", "coder", "atuo"), "rung_unknown",
         "atuo is neither an alias nor a model of the catalogue (code -> atuo). Did you mean auto?"),
        (alias("code", "coder", "mode:auto"), "rung_unknown",
         "mode:auto is neither an alias nor a model of the catalogue (code -> mode:auto). Did you mean auto?"),
        (alias("code", "coder", "xyzzy"), "rung_unknown",
         "xyzzy is neither an alias nor a model of the catalogue (code -> xyzzy). Add the model, or name another "
         "rung."),
        (alias("code", "coder", "embedding"), "wrong_kind",
         "embedding is an embedding alias and can't answer a chat (code -> embedding). Remove it."),
        (alias("code", "coder", "vectors"), "wrong_kind",
         "vectors makes embeddings only: choose a model with the endpoint chat or responses."),
        (alias("code", "vectors"), "wrong_kind",
         "vectors makes embeddings only: choose a model with the endpoint chat or responses."),
        (alias("embedding", "mid", kind=Kind.EMBEDDING), "wrong_kind",
         "mid makes no embeddings: choose a model with the endpoint embeddings."),
        (alias("embedding", "vectors", "code", kind=Kind.EMBEDDING), "embedding_chain",
         "An embedding alias has no chain: vectors of different models do not mix. Clear it."),
        (alias("code", "  "), "default_missing", "It has no default model: name one."),
    ],
)  # fmt: skip
def test_alias__that_can_not_work__is_refused_in_words(changed: Any, code: str, words: str) -> None:
    before, after = configured(), with_alias(configured(), changed)
    fault = only(after)
    assert (fault.code, fault.row, fault.message) == (code, ("alias", changed.name), words)
    assert refused(before, after, fault.row) == [code]
    assert refused(None, after) == [code]


def test_chain__of_five_rungs__passes() -> None:
    assert codes(with_alias(configured(), alias("code", "coder", "auto", "fast", "small", "mid", "large"))) == []


def test_default__unknown_to_the_catalogue__is_a_finding_and_no_fault() -> None:
    after = with_alias(configured(), alias("code", "nobody-knows"))
    assert refused(configured(), after, ("alias", "code")) == []
    assert ("model_unverified", "code") in found(configured(), after)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"model": "vectors"}, "wrong_kind", "vectors makes embeddings only"),
        ({"model": " "}, "model_blank", "An override names a model: enter one"),
        ({"starts_at": NOW + DAY, "expires_at": NOW}, "window_reversed",
         "It would start at 2026-11-23T12:00:00Z and expire at 2026-11-22T12:00:00Z. It must start before it expires."),
        ({"starts_at": NOW, "expires_at": NOW}, "window_reversed", "It must start before it expires."),
        ({"alias": "gone"}, "alias_unknown", "No alias 'gone': add it, or name another."),
        ({"project": "gone"}, "project_unknown", "No project 'gone': add it, or name another."),
    ],
)  # fmt: skip
def test_override__that_can_not_work__is_refused_in_words(changes: dict[str, Any], code: str, words: str) -> None:
    row = replace(override("code", "small"), **changes)
    fault = only(configured(row))
    name = f"{row.alias} for {row.project or 'all projects'}"
    assert (fault.code, fault.row, fault.ref) == (code, ("override", name), "override:7")
    assert words in fault.message
    assert refused(configured(), configured(row), fault.row) == [code]


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"expires_at": NOW}, {"starts_at": NOW - 2 * DAY, "expires_at": NOW - DAY}]
)
def test_override__without_effect__may_name_a_model_that_is_switched_off_or_unfit(changes: dict[str, Any]) -> None:
    config = configured(override("code", "vectors", **changes), override("manager", "small", **changes))
    assert codes(switched_off(config, "small")) == [
        ("model_disabled", "fast", "default_model", "small")  # the default, and no override
    ]


def test_scheduled_override__is_judged_as_one_in_force() -> None:
    assert only(configured(override("code", "vectors", starts_at=NOW + DAY))).code == "wrong_kind"


def test_two_overrides_of_one_place__are_told_apart_by_nobody() -> None:
    config = configured(override("code", "small"))
    config = replace(
        config, overrides={(None, "code"): override("code", "small"), (None, "x"): override("code", "mid")}
    )
    assert codes(config) == [("override_twin", "code for all projects", "alias", "")]


@pytest.mark.parametrize("off", ["model", "upstream"])
@pytest.mark.parametrize(
    ("changed", "row"),
    [
        (alias("code", "far", "auto"), ("alias", "code")),
        (alias("code", "coder", "far"), ("alias", "code")),
        (override("code", "far"), ("override", "code for all projects")),
    ],
)
def test_place__that_newly_names_a_model_switched_off__is_refused(off: str, changed: Any, row: Any) -> None:
    far = ModelFacts("far", CHAT, enabled=off != "model", upstream="away")
    before = with_model(configured(), far)
    away = UpstreamFacts("away", "https://away.example/v1", "", enabled=off != "upstream")
    before = replace(before, upstreams={**before.upstreams, "away": away})
    after = (
        replace(before, overrides={(None, "code"): changed}) if row[0] == "override" else with_alias(before, changed)
    )
    assert refused(before, after, row) == ["model_disabled"]
    (fault,) = refusals(before, after, {row}, now=NOW)
    assert fault.message.startswith("far is switched off" if off == "model" else "The upstream away of far is switched")
    assert fault.message.endswith("name another, or enable it first.")


def test_kill_switch__can_be_turned_whoever_names_the_model() -> None:
    before = configured(override("manager", "coder"), override("code", "mid"))
    before = with_alias(before, alias("fast", "small", "coder"))
    after = switched_off(before, "coder")
    assert refused(before, after, ("model", "coder")) == []
    assert {fault.code for fault in structural_faults(after, NOW)} == {"model_disabled"}


def test_row__that_named_the_model_before_it_was_switched_off__may_be_edited_otherwise() -> None:
    before = switched_off(with_alias(configured(), alias("code", "large", "coder", "auto")), "coder")
    edited = with_alias(before, replace(before.aliases["code"], purpose="told better"))
    assert refused(before, edited, ("alias", "code")) == []
    reordered = with_alias(before, alias("code", "large", "auto", "coder"))
    assert refused(before, reordered, ("alias", "code")) == ["model_disabled"]
    mended = with_alias(before, alias("code", "large", "auto"))
    assert refused(before, mended, ("alias", "code")) == []


def test_configuration__whose_switch_was_turned__can_be_copied_and_the_switch_is_told() -> None:
    whole = switched_off(with_alias(configured(override("code", "coder")), alias("code", "large", "coder")), "coder")
    rows = {("alias", name) for name in whole.aliases} | {("override", "code for all projects")}
    assert refused(None, whole, *rows) == []
    assert refused(replace(configured(), aliases={}), whole, *rows) == []
    assert ("model_disabled", "code for all projects") in found(None, whole)


def test_override__that_is_enabled_with_a_model_switched_off__is_refused() -> None:
    before = switched_off(configured(override("manager", "coder", enabled=False)), "coder")
    before = with_alias(before, alias("code", "large"))
    after = replace(before, overrides={(None, "manager"): override("manager", "coder")})
    assert refused(before, after, ("override", "manager for all projects")) == ["model_disabled"]
    later = replace(before, overrides={(None, "manager"): override("manager", "coder", enabled=False, infer=False)})
    assert refused(before, later, ("override", "manager for all projects")) == []


def test_old_fault__refuses_a_change_of_its_row_and_of_no_other() -> None:
    before = with_alias(configured(), alias("code", "coder", "code"))
    after = with_alias(before, replace(before.aliases["manager"], purpose="told better"))
    assert refused(before, after, ("alias", "manager")) == []
    assert refused(before, after, ("alias", "manager"), ("alias", "code")) == ["chain_cycle"]


def test_change_of_a_model__that_makes_it_unfit_for_who_names_it__is_refused() -> None:
    after = with_model(configured(), ModelFacts("large", EMBEDS))
    (fault,) = refusals(configured(), after, {("model", "large")}, now=NOW)
    assert (fault.code, fault.row) == ("wrong_kind", ("alias", "manager"))


def without(config: Configuration, *, models: Collection[str] = (), aliases: Collection[str] = ()) -> Configuration:
    return replace(
        config,
        models={name: facts for name, facts in config.models.items() if name not in models},
        aliases={name: facts for name, facts in config.aliases.items() if name not in aliases},
    )


def test_model_in_use__may_not_go_and_its_users_are_listed() -> None:
    before = configured(override("fast", "large", "atlas"), override("code", "large", enabled=False))
    before = replace(before, projects=ATLAS)
    (fault,) = refusals(before, without(before, models=["large"]), {("model", "large")}, now=NOW)
    assert (fault.code, fault.row) == ("in_use", ("model", "large"))
    assert fault.message == (
        "The model large is the default of the alias manager; override of the alias fast for the project atlas: "
        "disable it instead, or name another."
    )


def test_model_that_is_a_rung__may_not_go() -> None:
    before = with_alias(with_model(configured(), ModelFacts("spare", CHAT)), alias("code", "coder", "spare"))
    assert set(refused(before, without(before, models=["spare"]), ("model", "spare"))) == {"in_use", "rung_unknown"}


def test_model_that_is_switched_off__keeps_its_row() -> None:
    before = with_model(configured(), ModelFacts("spare", CHAT, enabled=False))
    assert refused(before, without(before, models=["spare"]), ("model", "spare")) == ["switch_lost"]
    unused = with_model(configured(), ModelFacts("spare", CHAT))
    assert refused(unused, without(unused, models=["spare"]), ("model", "spare")) == []


def test_alias_that_is_a_rung__may_not_go() -> None:
    before = configured()
    (fault, *rest) = refusals(before, without(before, aliases=["fast"]), {("alias", "fast")}, now=NOW)
    assert {each.code for each in rest} == {"rung_unknown", "in_use"} - {fault.code} | {"rung_unknown"}
    told = next(each for each in (fault, *rest) if each.code == "in_use")
    assert told.message == "The alias fast is a rung of auto, code, manager: take it out of their chains first."
    assert refused(before, without(before, aliases=["code"]), ("alias", "code")) == []


def test_project__whose_external_id_is_anothers_name__is_refused() -> None:
    rows = {"atlas": ProjectFacts("atlas", "borea"), "borea": ProjectFacts("borea", "x"), "c": ProjectFacts("c", "x")}
    assert codes(replace(configured(), projects=rows)) == [
        ("external_id_taken", "atlas", "external_id", "borea"),
        ("external_id_twin", "borea", "external_id", "x"),
        ("external_id_twin", "c", "external_id", "x"),
    ]
    own = {"atlas": ProjectFacts("atlas", "atlas"), "borea": ProjectFacts("borea", "b")}
    assert codes(replace(configured(), projects=own)) == []


def test_prices__of_one_moment_or_below_zero__are_refused() -> None:
    price = PriceFacts(1, 1, 1, "v", valid_from=NOW)
    sound = {"mid": (price, replace(price, valid_from=NOW + DAY), replace(price, service_tier="flex"))}
    assert codes(replace(configured(), prices=sound)) == []
    twins = {"mid": (price, replace(price, input_pico=2))}
    fault = only(replace(configured(), prices=twins))
    assert (fault.code, fault.row) == ("price_twin", ("price", "mid default from 2026-11-22T12:00:00Z"))
    below = {"mid": (replace(price, output_pico=-1),)}
    fault = only(replace(configured(), prices=below))
    assert (fault.code, fault.field) == ("price_negative", "output_pico")
    assert fault.message.startswith("-1 pico-dollars a token")


def test_model__of_an_unknown_upstream__is_refused() -> None:
    fault = only(with_model(configured(), ModelFacts("spare", CHAT, upstream="away")))
    assert (fault.code, fault.row, fault.subject) == ("upstream_unknown", ("model", "spare"), "away")


def test_key__of_an_unknown_project__is_refused() -> None:
    key = KeyFacts("0123456789", "00", frozenset(), "atlas", frozenset({"atlas", "gone"}))
    config = replace(configured(), keys={"00": key}, projects=ATLAS)
    assert codes(config) == [("project_unknown", "0123456789", "projects", "gone")]
    emergency = replace(key, default_project="", projects=frozenset({""}))
    assert codes(replace(config, keys={"00": emergency})) == []
