"""When an alert is raised, told again, tried again and cleared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from iwrouting.alerts.findings import Finding, Looked
from iwrouting.alerts.state import (
    MOST_AT_ONCE,
    Row,
    Standing,
    Step,
    as_plain,
    fold,
    read_row,
    read_standing,
    steps,
)

START = datetime(2026, 11, 23, 3, tzinfo=UTC)
EVERY_S = 3600.0
KEY = ("journal_in_use", "web-1")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def row(seconds: float, state: str, fault: str = "", told: str = "webhook") -> Row:
    return Row(f"id-{seconds}", at(seconds), *KEY, state, "rows wait", told, fault)


def holds(*subjects: str) -> Looked:
    looked = Looked()
    looked.add("journal_in_use", [(subject, "rows wait") for subject in subjects])
    return looked


def told(rows: list[Row], looked: Looked, seconds: float) -> list[Step]:
    return steps(fold(rows, EVERY_S), looked, at(seconds), EVERY_S)


def states(rows: list[Row], looked: Looked, seconds: float) -> list[str]:
    return [step.state for step in told(rows, looked, seconds)]


def test_a_rule_that_begins_to_hold__is_raised_to_all() -> None:
    (step,) = told([], holds("web-1"), 0)
    assert step == Step("raised", Finding(*KEY, "rows wait"), only=None)


def test_while_it_stands__it_is_told_again_after_the_pause_and_not_before() -> None:
    assert states([row(0, "raised")], holds("web-1"), EVERY_S - 1) == []
    assert states([row(0, "raised")], holds("web-1"), EVERY_S) == ["again"]
    assert states([row(0, "raised"), row(EVERY_S, "again")], holds("web-1"), EVERY_S + 60) == []
    assert states([row(0, "raised"), row(EVERY_S, "again")], holds("web-1"), 2 * EVERY_S) == ["again"]


def test_what_ceased__is_cleared_once_and_only_where_it_was_looked_at() -> None:
    assert states([row(0, "raised")], holds(), 60) == ["cleared"]
    assert states([row(0, "raised")], holds("web-2"), 60) == ["raised", "cleared"]
    assert states([row(0, "raised"), row(60, "cleared")], holds(), 120) == []
    assert states([row(0, "raised")], Looked(), 60) == []
    elsewhere = Looked()
    elsewhere.add("journal_in_use", (), subject="web-2")
    assert states([row(0, "raised")], elsewhere, 60) == []


def test_what_comes_back__is_raised_anew_only_ten_minutes_after_it_was_last_raised() -> None:
    rows = [row(0, "raised"), row(60, "cleared")]
    assert states(rows, holds("web-1"), 120) == []
    assert states(rows, holds("web-1"), 600) == ["raised"]


def test_a_channel_that_failed__is_tried_again_alone_with_growing_pauses() -> None:
    rows = [row(0, "raised", fault="mail: ConnectionRefusedError")]
    assert told(rows, holds("web-1"), 59) == []
    (step,) = told(rows, holds("web-1"), 60)
    assert (step.state, step.only) == ("raised", ("mail",))
    rows.append(row(60, "raised", fault="mail: ConnectionRefusedError", told=""))
    assert told(rows, holds("web-1"), 179) == []
    assert told(rows, holds("web-1"), 180) == [step]
    rows.append(row(180, "raised", told="mail"))
    assert told(rows, holds("web-1"), 1000) == []
    assert states(rows, holds("web-1"), EVERY_S) == ["again"], "counted from the first telling"


def test_a_channel_that_fails_on__does_not_multiply_what_the_other_is_told() -> None:
    rows, now = [row(0, "raised", fault="mail: gone")], 0.0
    told_to_all = 0
    while now < 5 * EVERY_S:
        now += 60
        for step in told(rows, holds("web-1"), now):
            told_to_all += step.only is None
            rows.append(row(now, step.state, fault="mail: gone", told="" if step.only else "webhook"))
    assert told_to_all == 5
    assert len(rows) < 50


def test_the_only_channel_failing__is_told_again_once_an_hour_not_each_round() -> None:
    rows, now = [row(0, "raised", fault="mail: gone", told="")], 0.0
    while now < 3 * EVERY_S:
        now += 60
        rows += [row(now, step.state, fault="mail: gone", told="") for step in told(rows, holds("web-1"), now)]
    assert len(rows) < 30
    assert [each.state for each in rows].count("again") < 20


def test_a_cleared_one_that_was_not_told__is_tried_again_for_one_pause() -> None:
    rows = [row(0, "raised"), row(60, "cleared", fault="webhook: answered 500", told="")]
    assert [step.only for step in told(rows, holds(), 120)] == [("webhook",)]
    assert told(rows, holds(), 60 + EVERY_S) == []


def test_many_at_once__are_told_over_several_rounds() -> None:
    looked = holds(*(f"web-{number}" for number in range(25)))
    assert len(told([], looked, 0)) == MOST_AT_ONCE


def test_notes__come_back_as_they_were() -> None:
    made = row(0, "raised", fault="mail: gone")
    (standing,) = fold([made], EVERY_S).values()
    assert read_row(as_plain(made)) == made
    assert read_standing(as_plain(standing)) == standing
    assert isinstance(standing, Standing)
