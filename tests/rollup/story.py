"""Random things that come to the audit, in any order: decisions, tries, ends, late, twice, closed by both."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Model
from hypothesis import strategies as st

from iwrouting.models import Attempt, Decision, Outcome
from iwrouting.types import Result
from tests.audit_tables import rows

BORDERS = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Europe to summer time
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # and back
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe, by half an hour
    datetime(2026, 11, 1, 0, tzinfo=UTC),  # a month, and a partition
    datetime(2026, 12, 31, 18, 15, tzinfo=UTC),  # a year in Kathmandu
)
moments = st.builds(
    lambda border, minutes, micro: border + timedelta(minutes=minutes, microseconds=micro),
    st.sampled_from(BORDERS),
    st.sampled_from((-60 * 24, -61, -60, -15, -1, 0, 1, 14, 15, 16, 60)),
    st.sampled_from((0, -1, 1, 250_000)),
)
asked = st.fixed_dictionaries(
    {
        "project": st.sampled_from(("", "atlas")),
        "alias": st.sampled_from(("", "manager")),
        "inferred_mode": st.sampled_from(("", "code")),
        "reason": st.sampled_from(("", "rule-1: a word", "rule-2")),
        "key_id": st.sampled_from(("", "k1")),
        "endpoint": st.sampled_from(("chat", "responses", "embeddings", "responses.get", "responses.usage")),
        "is_stream": st.booleans(),
        "is_test": st.booleans(),
        "run_id": st.sampled_from(("", "r1", "r2")),
        "tags": st.sampled_from(("[]", '["a"]', '["a","b","a"]', '["run"]')),
    }
)
counts = st.none() | st.integers(0, 5)
COUNTED = (
    *("prompt_tokens", "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens"),
    *("latency_us", "first_byte_us", "overhead_us"),
)
ended = st.fixed_dictionaries(
    {
        "model_served": st.sampled_from(("", "gpt-4.1", "gpt-4.1-mini")),
        "upstream_served": st.sampled_from(("", "azure")),
        "calls": st.integers(0, 3),
        "fallbacks": st.integers(0, 2),
        "cost_state": st.sampled_from(("none", "exact", "estimated", "unpriced")),
        **dict.fromkeys(COUNTED, counts),
        "cost_pico": st.none() | st.sampled_from((0, 1, 123_456_789_012, 2**52 + 1)),
    }
)
RESULTS = tuple(each for each in Result if each != Result.RESOLVED)
places = st.integers(0, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), moments, asked),
        st.tuples(st.just("try"), places, st.integers(0, 2)),
        st.tuples(st.just("end"), places, st.sampled_from(("server", "sweeper")), st.sampled_from(RESULTS), ended),
        st.tuples(st.just("end at once"), moments, asked, st.sampled_from(RESULTS), ended),
        st.tuples(st.just("resolve"), moments, asked),
        st.tuples(st.just("again"), places),
        st.tuples(st.just("roll")),
        st.tuples(st.just("rebuild"), moments),
    ),
    min_size=3,
    max_size=14,
)


@dataclass
class Audit:
    """What came so far. `held`: decisions whose row has not come yet, while their ends may have."""

    made: list[Decision] = field(default_factory=list)
    held: list[Decision] = field(default_factory=list)
    stored: list[Model] = field(default_factory=list)

    def decide(self, at: datetime, values: dict[str, object], *, later: bool = False) -> Decision:
        """A decision; `later`: its row comes after what belongs to it."""
        made = Decision(**rows.decision_values(at, **values))
        self.made.append(made)
        if later:
            self.held.append(made)
        else:
            self.store(made)
        return made

    def attempt(self, place: int, rung: int) -> None:
        """A try of a decision, if there is one."""
        if of := self._some(place):
            number = sum(isinstance(each, Attempt) for each in self.stored) + 1
            named = {"seq": number, "rung": rung, "kind": "call", "try_number": 1, "endpoint": "chat"}
            self.store(Attempt(**rows.audit_values(of.decision_at), decision=of, **named))

    def end(self, of: Decision | None, origin: str, result: str, values: dict[str, object]) -> None:
        """An end of a decision, if there is one. A second one of the same origin is refused."""
        if of is not None:
            self.store(Outcome(**rows.outcome_values(of, origin=origin, result=result, **values)))

    def again(self, place: int) -> None:
        """A row a second time, as from a journal."""
        if self.stored:
            self.store(copy.copy(self.stored[place % len(self.stored)]))

    def arrive(self) -> None:
        """The decisions that were held."""
        while self.held:
            self.store(self.held.pop())

    def _some(self, place: int) -> Decision | None:
        return self.made[place % len(self.made)] if self.made else None

    def store(self, row: Model) -> None:
        """A row; PostgreSQL ignores one that is there, SQLite's guard refuses it."""
        try:
            with transaction.atomic():
                type(row)._default_manager.bulk_create([row], ignore_conflicts=True)
        except IntegrityError:
            return
        self.stored.append(row)

    def do(self, kind: str, *given: object) -> None:
        """A step of the story."""
        if kind == "decide":
            at, values = given
            self.decide(at, values, later=values["is_stream"])  # type: ignore[arg-type, index]
        elif kind == "try":
            self.attempt(*given)  # type: ignore[arg-type]
        elif kind == "end":
            self.end(self._some(given[0]), *given[1:])  # type: ignore[arg-type]
        elif kind == "end at once":
            self.end(self.decide(*given[:2]), "server", *given[2:])  # type: ignore[arg-type]
        elif kind == "resolve":
            self.end(self.decide(*given), "server", Result.RESOLVED, {})  # type: ignore[arg-type]
        elif kind == "again":
            self.again(*given)  # type: ignore[arg-type]
