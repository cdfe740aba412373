"""Reading any range, however it is split and in whatever zone: always what the raw rows add up to (faults.md T21)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from iwrouting.models import LabelCell, UsageCell, UsageMark, UsageState
from iwrouting.reports.usage.cover import WIDTHS, begin_of
from iwrouting.reports.usage.periods import Step
from iwrouting.reports.usage.question import RUN, TAG, Question
from iwrouting.reports.usage.reading import CutsQuarter, Removed, Usage, read
from iwrouting.reports.usage.rolling import roll
from tests.audit_tables import rows
from tests.harness.samples import sample
from tests.usage import plain
from tests.usage.test_periods import shown, shown_by
from tests.usage.world import END, START, moment, record

pytestmark = pytest.mark.django_db

WORLD = (START, END)
ORDERS = ("cost_pico", "-cost_pico")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Apia",
)
GROUPS = (
    (),
    (),
    ("project",),
    ("alias", "inferred_mode", "rule"),
    ("model_served", "upstream", "key_id"),
    (RUN,),
    (TAG,),
)
MIXED = ((RUN, "project"), (TAG, "alias"), (TAG, RUN, "source"), ("kind", "endpoint", TAG))
PATIENT: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
VALUES = {
    "project": ("atlas", "borealis", ""),
    "alias": ("auto", "none"),
    "key_id": ("k1",),
    RUN: ("r1",),
    TAG: ("a", "b"),
}


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question about the world of these tests."""
    dice = Random(draw(st.integers(0, 10**6)))  # noqa: S311 - draws times by the one generator of the world
    start, end = sorted((moment(dice), moment(dice)))
    if draw(st.booleans()):
        start, end = begin_of(start), begin_of(end)
    chosen = draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=2))
    return Question(
        start,
        max(end, start + timedelta(milliseconds=1)),
        ZoneInfo(draw(st.sampled_from(ZONES))),
        draw(st.sampled_from([None, *Step])),
        draw(st.sampled_from([*GROUPS, *MIXED])),
        {name: draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, unique=True)) for name in sorted(chosen)},
        draw(st.sampled_from([None, False, True])),
        draw(st.sampled_from([None, None, ["atlas"], ["atlas", "borealis"]])),
    )


def asked_for(question: Question) -> Callable[[plain.Call], bool]:
    """Whether a call is within a question, by its definition."""

    def is_asked(call: plain.Call) -> bool:
        said = {name: {value} for name, value in call.facts.items()} | {RUN: {call.run}, TAG: {*call.tags}}
        return (
            question.start <= call.at < question.end
            and question.is_test in (None, call.facts["is_test"])
            and (question.projects is None or call.facts["project"] in question.projects)
            and all(said[name] & {*values} for name, values in question.filters.items())
        )

    return is_asked


def keys_of(question: Question) -> Callable[[plain.Call], Iterable[Any]]:
    """The groups of a call: its period by the clock, and its names."""

    def keys(call: plain.Call) -> Iterable[Any]:
        tags = call.tags & {*question.filters.get(TAG, call.tags)} if TAG in question.group else {""}
        if RUN in question.group and not call.run:
            return
        step = question.step
        period = shown(call.at.astimezone(question.zone), step) if step else ()
        for tag in tags:
            said = call.facts | {RUN: call.run, TAG: tag}
            yield period, tuple(said[name] for name in question.group)

    return keys


def told(found: Usage, question: Question) -> dict[Any, plain.Counts]:
    """The rows of an answer by period and names."""
    step = question.step
    rows = {(shown_by(row.period.name, step) if step else (), row.names): dict(row.counts) for row in found.rows}
    assert len(rows) == len(found.rows) == found.groups
    return rows


@pytest.fixture
def calls() -> list[plain.Call]:
    """The calls of a world that is rolled up."""
    record(Random(6), 160)  # noqa: S311 - a world that can be had again
    roll(lambda _line: None)
    assert not UsageMark.objects.exists()
    found = plain.calls()
    assert len({begin_of(call.at) for call in found}) > 50
    assert sum(len(call.tags) > 1 for call in found) > 20
    return found


@contextmanager
def marked(quarters: Collection[datetime]) -> Iterator[None]:
    """With these quarters marked, and cells of theirs that say nonsense."""
    with transaction.atomic():
        UsageMark.objects.bulk_create([UsageMark(bucket_at=at) for at in [*quarters, *quarters]])
        for model in (UsageCell, LabelCell):
            for width in WIDTHS:
                cells = model._default_manager.filter(
                    width=width, bucket_at__in={begin_of(at, width) for at in quarters}
                )
                cells.update(calls=10**9, cost_pico=10**9)
        yield
        transaction.set_rollback(True)


@st.composite
def marks(draw: st.DrawFn) -> set[datetime]:
    """Quarters at and beside the decisions of the world."""
    dice = Random(draw(st.integers(0, 10**6)))  # noqa: S311 - as above
    return {begin_of(moment(dice)) for _ in range(draw(st.sampled_from([0, 0, 1, 5, 40])))}


@sample(50, **PATIENT)
@given(questions(), marks(), st.integers(0, 10**6))
def test_an_answer__of_any_question_and_marks__is_what_the_raw_rows_add_up_to_however_it_is_split(
    calls: list[plain.Call], question: Question, quarters: set[datetime], seed: int
) -> None:
    dice = Random(seed)  # noqa: S311 - as above
    cuts = sorted({at for _ in range(2) if question.start < (at := moment(dice)) < question.end})
    expected = plain.grouped(filter(asked_for(question), calls), keys_of(question))
    with marked(quarters):
        answer = read(question)
        parts = [
            read(replace(question, start=one, end=other))
            for one, other in pairwise([question.start, *cuts, question.end])
        ]
    assert told(answer, question) == expected
    assert answer.totals == plain.total(dict(row.counts) for row in answer.rows)
    assert answer.totals == plain.total(dict(part.totals) for part in parts)


@pytest.fixture
def removed() -> datetime:
    """A time before which retention has removed all rows; a mark of a late row stands there."""
    before = datetime(2026, 10, 25, tzinfo=UTC)
    for minutes in (-61, -60, -46, -45, 0, 61):
        rows.outcome(rows.decision(before + timedelta(minutes=minutes), tags='["a"]'), "ok")
    roll(lambda _line: None)
    UsageState.objects.update(raw_from=before)
    UsageMark.objects.create(bucket_at=before - timedelta(minutes=45))
    return before


def test_cells__of_rows_that_are_removed__are_read_though_a_late_row_came(removed: datetime) -> None:
    with marked([removed + timedelta(hours=1)]):
        found = read(Question(removed - timedelta(hours=1), removed + timedelta(hours=2)))
    assert found.totals["decisions"] == 5
    assert (found.cells, found.raw, found.raw_from) == (True, True, removed)


@pytest.mark.parametrize("begins", [True, False])
def test_a_bound__that_cuts_a_quarter_whose_rows_are_removed__is_refused(removed: datetime, begins: bool) -> None:
    bound = removed - timedelta(minutes=37)
    times = (bound, removed) if begins else (removed - timedelta(days=1), bound)
    with pytest.raises(CutsQuarter) as refused:
        read(Question(*times))
    assert (refused.value.before, refused.value.bound) == (removed, bound)
    assert refused.value.nearest == (removed - timedelta(minutes=45), removed - timedelta(minutes=30))


def test_what_only_rows_tell__is_refused_from_before_they_were_removed(removed: datetime) -> None:
    asked = Question(removed, removed + timedelta(days=1), group=(TAG, "alias"))
    assert not read(asked).cells
    with pytest.raises(Removed):
        read(replace(asked, start=removed - timedelta(seconds=1)))


def test_a_limit__leaves_the_totals_of_all__and_the_greatest_come_first() -> None:
    for number, cost in enumerate((5, 9, 7, 9)):
        rows.outcome(rows.decision(START, project=f"p{number}"), "ok", cost_pico=cost)
    question = Question(*WORLD, group=("project",), order=("-cost_pico",))
    every, some = read(question), read(replace(question, limit=2))
    assert [row.names[0] for row in every.rows] == ["p1", "p3", "p2", "p0"]
    assert (some.rows, some.totals, some.groups) == (every.rows[:2], every.totals, 4)
    assert every.totals["cost_pico"] == 30


def test_a_measure__that_nobody_reported__comes_last_in_either_order() -> None:
    for number, cost in enumerate((5, None, 7)):
        made = rows.decision(WORLD[0] + timedelta(hours=number), project=f"p{number}")
        rows.outcome(made, "ok", cost_pico=cost)
    question = Question(*WORLD, group=("project",))
    orders = {name: [row.names[0] for row in read(replace(question, order=(name,))).rows] for name in ORDERS}
    assert orders == {"cost_pico": ["p0", "p2", "p1"], "-cost_pico": ["p2", "p0", "p1"]}


def test_names__are_sorted_as_texts_of_code_points__on_both_databases() -> None:
    for name in ("b", "B", "a_", "a-", "É"):
        rows.outcome(rows.decision(WORLD[0], project=name), "ok")
    assert [row.names[0] for row in read(Question(*WORLD, group=("project",))).rows] == ["B", "a-", "a_", "b", "É"]


def test_nothing__is_no_row_and_totals_of_nothing() -> None:
    found = read(Question(*WORLD, step=Step.DAY))
    assert (found.rows, found.groups, found.totals["calls"], found.totals["cost_pico"]) == ([], 0, 0, None)


@pytest.mark.parametrize("asked", [{"group": ("text",)}, {"filters": {"is_test": ["1"]}}, {"order": ("project",)}])
def test_a_name__that_is_none_of_ours__never_reaches_the_statement(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="can't be asked for"):
        Question(*WORLD, **asked)


def test_a_hostile_value__is_a_parameter() -> None:
    hostile = "'; DROP TABLE iwrouting_usagecell; --%s"
    rows.outcome(rows.decision(WORLD[0], project=hostile), "ok")
    found = read(Question(*WORLD, group=("project",), filters={"project": [hostile]}))
    assert [(row.names, row.counts["calls"]) for row in found.rows] == [((hostile,), 1)]
