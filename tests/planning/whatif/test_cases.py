"""The what-if case by case: thresholds, tiers and dates of prices, what has no price, conflicts, keys, schedules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from iwrouting.audit import LATE_USAGE
from iwrouting.models import Decision
from iwrouting.models.patience import OutOfTime, cursor_for
from iwrouting.planning.whatif import Told, TooLong, WhatIf, groups, statement, what_if
from iwrouting.types import (
    FUNCTION_TOOLS,
    AliasFacts,
    Configuration,
    EnvironmentFacts,
    KeyFacts,
    Kind,
    ModelFacts,
    OverrideFacts,
    PriceFacts,
    ProjectFacts,
    UpstreamFacts,
)
from tests.audit_tables import rows

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 10, tzinfo=UTC)
END = START + timedelta(days=1)
NOON = START + timedelta(hours=12)
BOTH = frozenset({"chat", "responses"})
PRICED: dict[str, Any] = {"prompt_tokens": 100, "completion_tokens": 10, "model_served": "old"}


def price(tokens_pico: int, **more: Any) -> PriceFacts:
    """One price for all classes."""
    return PriceFacts(tokens_pico, tokens_pico, tokens_pico, "v1", tokens_pico, **more)


def configured(*models: ModelFacts, **prices: tuple[PriceFacts, ...]) -> Configuration:
    """The alias `manager`, which is `old`, and the model `new` unless it is given; both cost 1 and 2 pico-dollars."""
    known = {each.id: each for each in (ModelFacts("old", BOTH), ModelFacts("new", BOTH), *models)}
    return Configuration(
        revision=3,
        aliases={"manager": AliasFacts("manager", Kind.ROLE, "", "old", chain=("spare",))},
        overrides={},
        projects={},
        models={**known, "spare": ModelFacts("spare", BOTH)},
        upstreams={"e": UpstreamFacts("e", "https://x.example/v1", "env:OPENAI_API_KEY")},
        keys={},
        environment=EnvironmentFacts("env", {}),
        catalogue_version="c",
        default_upstream="e",
        prices={"old": (price(1),), "new": (price(2),), **prices},
    )


def moved(config: Configuration, model: str = "new", **more: Any) -> Configuration:
    """With a global override of the manager."""
    row = OverrideFacts("override:1", "manager", None, model, **more)
    return replace(config, overrides={**config.overrides, (None, "manager"): row})


def call(at: datetime = NOON, *, asked: dict[str, Any] | None = None, result: str = "ok", **told: Any) -> Decision:
    """A call of the manager that `old` answered for what it costs."""
    made = rows.decision(at, **{"model_resolved": "old", **(asked or {})})
    used = (told.get("prompt_tokens") or 0) + (told.get("completion_tokens") or 0)
    cost = {"cost_state": "exact", "cost_pico": used, "price_version": "v1"}
    rows.outcome(made, result, **{**cost, **told})
    return made


def ask(before: Configuration, after: Configuration, **more: Any) -> WhatIf:
    return what_if(before, after, START, END, **more)


def after_pico(before: Configuration, **more: Any) -> int:
    return ask(before, moved(before, **more)).total.after.cost_pico


def reasons(found: WhatIf) -> dict[str, int]:
    return {each.reason: each.calls for each in found.unpriced}


def conflicts(found: WhatIf) -> dict[str, int]:
    return {each.kind: each.calls for each in found.conflicts}


def test_a_moved_call__costs_its_recorded_tokens_at_the_new_price() -> None:
    call(**PRICED)
    config = configured()
    found = ask(config, moved(config))
    assert (found.total.before.cost_pico, found.total.after.cost_pico, found.total.difference_pico) == (110, 220, 110)
    assert (found.total.tokens.prompt, found.total.tokens.completion) == (100, 10)


def test_the_threshold_of_a_price__is_passed_by_each_call_alone() -> None:
    call(**PRICED)
    call(**{**PRICED, "prompt_tokens": 101})
    config = configured(new=(price(2), price(5, above_input_tokens=100)))
    assert after_pico(config) == 110 * 2 + 111 * 5


def test_the_tier__is_that_of_the_price_which_the_call_had() -> None:
    flex = price(1, service_tier="flex")
    call(**PRICED, price_version="v1 flex")
    call(**PRICED)
    config = configured(old=(price(1), flex), new=(price(2), price(1, service_tier="flex")))
    assert after_pico(config) == 110 * 1 + 110 * 2


def test_a_tier_without_a_price__is_not_priced() -> None:
    call(**PRICED, price_version="v1 flex")
    config = configured(old=(price(1), price(1, service_tier="flex")))
    found = ask(config, moved(config))
    assert (reasons(found), found.total.after.cost_pico, found.total.compared) == ({"no_price": 1}, 0, 0)


def test_a_call_whose_tier_had_no_price__keeps_an_unknown_tier() -> None:
    call(**{**PRICED, "cost_state": "unpriced", "cost_pico": None, "price_version": ""})
    config = configured()
    assert reasons(ask(config, moved(config))) == {"tier_unknown": 1}


def test_a_call_of_a_model_without_prices__is_priced_as_an_estimate() -> None:
    call(**{**PRICED, "cost_state": "unpriced", "cost_pico": None, "price_version": ""})
    config = configured(old=())
    found = ask(config, moved(config))
    assert (found.total.after.cost_pico, found.total.after.estimated, found.total.compared) == (220, 1, 0)


def test_a_price__counts_from_its_time_on() -> None:
    call(NOON - timedelta(milliseconds=1), **PRICED)
    call(NOON, **PRICED)
    config = configured(new=(price(2), price(7, valid_from=NOON)))
    assert after_pico(config) == 110 * 2 + 110 * 7


def test_before_its_first_price__a_model_has_none() -> None:
    call(NOON - timedelta(milliseconds=1), **PRICED)
    config = configured(new=(price(7, valid_from=NOON),))
    assert reasons(ask(config, moved(config))) == {"no_price": 1}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"prompt_tokens": None, "completion_tokens": None}, "no_usage"),
        ({"reasoning_tokens": 11}, "implausible"),
        ({"cached_tokens": 101}, "implausible"),
        ({"cost_state": "unpriced", "usage": '{"hosted_calls":2}'}, "uncovered"),
        ({"cost_state": "unpriced", "usage": '{"prompt_tokens_details":{"audio_tokens":5}}'}, "uncovered"),
        ({"cost_state": "unpriced", "usage": '{"completion_tokens_details":{"cached_tokens":5}}'}, "uncovered"),
        ({"cost_state": "unpriced", "usage": '{"prompt_tokens_details":{"audio_tokens":0}}'}, "tier_unknown"),
        ({"cache_write_tokens": 5}, "class_without_price"),
    ],
)
def test_what_has_no_price__is_counted_and_never_free(told: dict[str, Any], reason: str) -> None:
    call(**{**PRICED, **told})
    config = configured(new=(replace(price(2), cache_write_pico=None),))
    found = ask(config, moved(config))
    assert (reasons(found), found.total.after.unpriced, found.total.after.cost_pico) == ({reason: 1}, 1, 0)


def test_a_cost_that_no_column_holds__is_not_priced() -> None:
    call(**{**PRICED, "prompt_tokens": 10**7})
    call(**PRICED)
    config = configured(new=(price(10**12),))
    found = ask(config, moved(config))
    assert (reasons(found), found.total.after.cost_pico) == ({"class_without_price": 1}, 110 * 10**12)


def test_costs_over_64_bits__are_added_exactly() -> None:
    for _ in range(3):
        call(**{**PRICED, "cost_pico": 2**62 + 1})
    config = configured()
    assert ask(config, moved(config)).total.before.cost_pico == 3 * (2**62 + 1)


def test_a_call_that_fell_back__is_taken_for_answered_by_the_new_primary() -> None:
    call(**{**PRICED, "model_served": "spare", "cost_pico": 330}, result="ok_after_fallback")
    config = configured(spare=(price(3),))
    found = ask(config, moved(config))
    assert list(found.by_model) == [("old", "new")]
    assert (found.total.before.cost_pico, found.total.after.cost_pico) == (330, 220)


def test_the_prompt_or_the_whole_over_the_window__moves_on_to_the_next_rung() -> None:
    call(**{**PRICED, "prompt_tokens": 201})
    call(**{**PRICED, "prompt_tokens": 195, "completion_tokens": 60})
    fits = call(**{**PRICED, "prompt_tokens": 200, "completion_tokens": 50})
    config = configured(ModelFacts("new", BOTH, max_input=200, context_window=250))
    found = ask(config, moved(config))
    assert conflicts(found) == {"window": 2}
    assert {place: line.changed for place, line in found.by_model.items()} == {("old", "spare"): 2, ("old", "new"): 1}
    assert str(fits.id) not in found.conflicts[0].examples


CONFLICTS: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
    ({"max_output": 9}, {}, {"output"}),
    ({"max_output": 10}, {}, set()),
    ({"endpoints": frozenset({"responses"})}, {}, {"translated"}),
    ({"endpoints": frozenset({"embeddings"})}, {}, {"endpoint"}),
    ({"refused_params": frozenset({FUNCTION_TOOLS})}, {"finish_reason": "tool_calls"}, {"tools"}),
    ({"refused_params": frozenset({FUNCTION_TOOLS})}, {"finish_reason": "stop"}, set()),
    ({"enabled": False}, {}, {"disabled"}),
    ({"shutdown_date": date(2026, 1, 1)}, {}, {"retired"}),
    ({"verified": False}, {}, {"unverified"}),
]


@pytest.mark.parametrize(("facts", "told", "kinds"), CONFLICTS)
def test_what_the_new_model_can_not_do__is_a_conflict_with_its_newest_calls(
    facts: dict[str, Any], told: dict[str, Any], kinds: set[str]
) -> None:
    made = call(**PRICED, **told)
    config = configured(replace(ModelFacts("new", BOTH), **facts))
    found = ask(config, moved(config))
    assert conflicts(found) == dict.fromkeys(kinds, 1)
    assert all(each.examples == (str(made.id),) for each in found.conflicts)


def test_images_of_auto__are_a_conflict_with_a_model_that_reads_none() -> None:
    asked = {"model_asked": "auto", "inferred_mode": "fast", "features": '{"messages":1,"images":2}'}
    call(asked=asked, **PRICED)
    call(asked={**asked, "features": '{"messages":1}'}, **PRICED)
    config = configured(ModelFacts("new", BOTH, input_modalities=frozenset({"text"})))
    modes = {name: AliasFacts(name, Kind.CHAT_MODE, "", "old") for name in ("auto", "fast")}
    config = replace(config, aliases={**config.aliases, **modes})
    after = replace(config, aliases={**config.aliases, "fast": replace(modes["fast"], default_model="new")})
    found = ask(config, after)
    assert (conflicts(found), list(found.by_alias)) == ({"images": 1}, ["auto"])


def test_a_key_that_may_not_reach_the_new_model__goes_on_to_what_it_may() -> None:
    key = KeyFacts("k1", "1", frozenset({"call"}), "atlas", None, allowed_models=frozenset({"old", "spare"}))
    config = replace(configured(), keys={"1": key})
    call(asked={"key_id": "k1"}, **PRICED)
    call(asked={"key_id": "k2"}, **PRICED)
    found = ask(config, moved(config))
    assert conflicts(found) == {"not_allowed": 1}
    assert set(found.by_model) == {("old", "spare"), ("old", "new")}


def test_other_overrides__count_as_they_were_at_the_calls_time() -> None:
    call(NOON - timedelta(hours=1), **PRICED)
    call(NOON, **PRICED)
    own = OverrideFacts("override:2", "manager", "atlas", "spare", expires_at=NOON)
    config = replace(configured(), overrides={("atlas", "manager"): own}, projects={"atlas": ProjectFacts("atlas")})
    found = ask(config, moved(config))
    assert list(found.by_model) == [("old", "new")]
    assert found.total.changed == 1


def test_the_changed_override__counts_as_in_force_all_the_time() -> None:
    call(**PRICED)
    config = configured()
    found = ask(config, moved(config, starts_at=END + timedelta(days=1), expires_at=END + timedelta(days=2)))
    assert found.total.changed == 1
    assert "schedule" in found.assumed[0]


def test_a_change_that_is_disabled__changes_nothing() -> None:
    call(**PRICED)
    config = configured()
    assert ask(config, moved(config, enabled=False)).total.changed == 0


def test_usage_that_was_told_later__is_cost_and_no_call() -> None:
    call(**{**PRICED, "prompt_tokens": None, "completion_tokens": None, "cost_state": "unpriced"})
    call(asked={"endpoint": LATE_USAGE}, **PRICED)
    config = configured()
    found = ask(config, moved(config))
    assert (found.total.calls, found.total.changed, found.total.after.cost_pico) == (1, 1, 220)


def test_the_endpoint_of_usage_told_later__is_the_one_that_the_service_writes() -> None:
    assert statement.LATE_USAGE == LATE_USAGE


def test_refused_calls_and_names_resolved_alone__are_no_calls() -> None:
    call(result="refused", cost_state="none")
    call(asked={"endpoint": "resolve"}, result="resolved", cost_state="none")
    call(asked={"endpoint": "responses.get"}, cost_state="none")
    config = configured()
    found = ask(config, moved(config))
    assert (found.total.calls, found.refused, found.resolves, found.resolves_changed) == (0, 1, 1, 1)


def test_a_call_under_an_older_configuration__is_told_as_drifted() -> None:
    call(asked={"model_resolved": "older"}, **PRICED)
    config = configured()
    found = ask(config, moved(config))
    assert found.drifted == 1
    assert any("another configuration" in line for line in found.assumed)


def test_the_window__is_half_open() -> None:
    for at in (START - timedelta(milliseconds=1), START, END - timedelta(milliseconds=1), END):
        call(at, **PRICED)
    config = configured()
    assert ask(config, moved(config)).total.calls == 2


def test_other_projects__are_left_out() -> None:
    call(**PRICED)
    call(asked={"project": "borea"}, **PRICED)
    config = configured()
    for projects, calls in ((["borea"], 1), (["nobody"], 0), ([], 0), (None, 2)):
        assert ask(config, moved(config), projects=projects).total.calls == calls


def test_progress__comes_to_an_end_with_all_decisions() -> None:
    call(**PRICED)
    told: list[Told] = []
    config = configured()
    ask(config, moved(config), progress=told.append)
    assert (told[-1], [each.part for each in told]) == (Told(1.0, 1), sorted(each.part for each in told))


def test_a_slice_that_takes_too_long__is_read_in_shorter_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for hours in range(24):
        call(START + timedelta(hours=hours), **PRICED)
    spans: list[timedelta] = []

    def impatient(self: groups.Reader, sql: str, keys: Any, start: datetime, end: datetime) -> Any:
        spans.append(end - start)
        if end - start > timedelta(hours=1):
            raise OutOfTime
        return rows_of(self, sql, keys, start, end)

    rows_of = groups.Reader._rows
    config = configured()
    expected = ask(config, moved(config)).as_dict()
    monkeypatch.setattr(groups.Reader, "_rows", impatient)
    assert ask(config, moved(config)).as_dict() == expected
    assert max(spans) > timedelta(hours=1)


def count_for_long() -> None:
    with cursor_for(0.05) as cursor:
        cursor.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e9) SELECT MAX(i) FROM n"
        )


def test_a_statement_that_takes_too_long__is_given_up() -> None:
    with pytest.raises(OutOfTime):
        count_for_long()


def test_a_time_that_is_up__ends_it() -> None:
    config = configured()
    with pytest.raises(TooLong):
        ask(config, moved(config), until=0.0)
