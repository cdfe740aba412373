"""What a sync would change: history stays, manual prices stay, a change holds from now or from its own later day on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from iwrouting.management.price_plan import Action, Change, Listed, plan
from iwrouting.types import ALWAYS, PriceFacts

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = PriceFacts(5, 1, 7, "catalogue")
NEW = PriceFacts(4, 1, 6, "genai")
MODEL = "gpt-x"


def changes(wanted: list[PriceFacts], rows: list[PriceFacts], *, manual: bool = False) -> list[tuple[object, ...]]:
    """Action, day and version of each line."""
    table = {MODEL: [Listed(row, manual) for row in rows]}
    found = plan({MODEL: wanted}, table, NOW)
    assert all(change.model_id == MODEL for change in found)
    return [(change.action, change.after.valid_from, change.after.version) for change in found]


def test_plan__an_empty_table__takes_the_whole_history() -> None:
    later = replace(NEW, valid_from=NOW + DAY)
    dated = replace(NEW, valid_from=NOW - DAY)
    assert changes([OLD, dated, later], []) == [
        (Action.CREATE, ALWAYS, "catalogue"),
        (Action.CREATE, NOW - DAY, "genai"),
        (Action.CREATE, NOW + DAY, "genai"),
    ]


def test_plan__another_price_now__holds_from_now_on_whatever_its_date() -> None:
    found = plan({MODEL: [replace(NEW, valid_from=NOW - DAY)]}, {MODEL: [Listed(OLD, is_manual=False)]}, NOW)
    assert found == [Change(Action.DIFFERS, MODEL, replace(NEW, valid_from=NOW), OLD)]
    assert found[0].writes


def test_plan__the_same_price_under_another_version_and_date__is_the_same() -> None:
    again = replace(OLD, version="genai", valid_from=NOW - DAY)
    assert changes([again], [OLD]) == [(Action.SAME, ALWAYS, "catalogue")]


def test_plan__a_price_of_a_later_day__is_scheduled_for_it() -> None:
    later = replace(NEW, valid_from=NOW + DAY)
    assert changes([OLD, later], [OLD]) == [
        (Action.SAME, ALWAYS, "catalogue"),
        (Action.DIFFERS, NOW + DAY, "genai"),
    ]
    assert changes([OLD, later], [OLD, later]) == [(Action.SAME, ALWAYS, "catalogue")]


def test_plan__a_scheduled_price_that_was_taken_back__is_replaced() -> None:
    scheduled = replace(NEW, valid_from=NOW + DAY)
    assert changes([replace(OLD, version="genai")], [OLD, scheduled]) == [
        (Action.SAME, ALWAYS, "catalogue"),
        (Action.DIFFERS, NOW + DAY, "genai"),
    ]


def test_plan__a_manual_price__stays_and_the_other_is_told() -> None:
    found = plan({MODEL: [NEW]}, {MODEL: [Listed(OLD, is_manual=True)]}, NOW)
    assert found == [Change(Action.MANUAL, MODEL, replace(NEW, valid_from=NOW), OLD)]
    assert not found[0].writes
    assert changes([replace(OLD, version="genai")], [OLD], manual=True) == [(Action.SAME, ALWAYS, "catalogue")]


def test_plan__a_manual_price_that_is_scheduled__stays_on_its_day() -> None:
    table = {MODEL: [Listed(OLD, is_manual=False), Listed(replace(OLD, input_pico=9, valid_from=NOW + DAY), True)]}
    found = plan({MODEL: [NEW]}, table, NOW)
    assert [(each.action, each.after.valid_from) for each in found] == [
        (Action.DIFFERS, NOW),
        (Action.MANUAL, NOW + DAY),
    ]


def test_plan__a_manual_price_of_one_tier__does_not_keep_the_others_out() -> None:
    flex = replace(NEW, service_tier="flex")
    found = plan({MODEL: [NEW, flex]}, {MODEL: [Listed(OLD, is_manual=True)]}, NOW)
    assert [(each.action, each.after.service_tier) for each in found] == [
        (Action.MANUAL, "default"),
        (Action.CREATE, "flex"),
    ]


def test_plan__a_price_that_only_begins_later__leaves_what_holds_until_then() -> None:
    later = replace(NEW, valid_from=NOW + DAY)
    assert changes([later], [OLD]) == [(Action.DIFFERS, NOW + DAY, "genai")]
    assert changes([NEW], [replace(OLD, valid_from=NOW + DAY)]) == [
        (Action.CREATE, NOW, "genai"),
        (Action.DIFFERS, NOW + DAY, "genai"),
    ]
