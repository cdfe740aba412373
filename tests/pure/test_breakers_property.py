"""The breakers under any order of calls, results and time, against what each rule allows (design.md 5)."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from iwrouting.dispatch.breaker import JITTER, Limits, State
from iwrouting.dispatch.breakers import Breakers, Held, Permit, Transition
from iwrouting.types import Rung
from iwrouting.upstream.failures import Failure, bad_answer, classify, out_of_time
from tests.harness.samples import sample
from tests.pure.small import configured

RUNGS = [Rung(rung, None, model, None, "environment") for rung, model in enumerate(("large", "mid"))]
OF_MODEL = [classify(500, {}, b""), classify(429, {}, b""), bad_answer("bad_body", 200), out_of_time()]
OF_NOBODY = [classify(400, {}, b""), classify(413, {}, b""), classify(409, {}, b"")]
GONE = classify(404, {}, b'{"error": {"code": "model_not_found"}}')
SPENT = classify(429, {}, b'{"error": {"code": "insufficient_quota"}}')
STEPS = {("closed", "open"), ("open", "half_open"), ("half_open", "open"), ("half_open", "closed"), ("open", "closed")}
LIMITS = Limits(failures=3, open_s=10, open_max_s=60, gone_s=40)


class Calls(RuleBasedStateMachine):
    """Calls begin, end in any order, and time passes; `rows` is what an operator would read."""

    @initialize(chance=st.floats(0, 1))
    def begin(self, chance: float) -> None:
        self.now = 0.0
        self.rows: list[Transition] = []
        self.breakers = Breakers(LIMITS, self.rows.append, clock=lambda: self.now, chance=lambda: chance)
        self.config = configured()
        self.open_calls: list[tuple[Rung, Permit]] = []
        self.in_a_row = {"large": 0, "mid": 0}

    def state(self, model: str) -> str:
        """Where a breaker stands by its rows alone."""
        found = [row.state for row in self.rows if row.target.model == model]
        return found[-1] if found else State.CLOSED

    @rule(rung=st.sampled_from(RUNGS), early=st.booleans())
    def ask(self, rung: Rung, early: bool) -> None:
        model = rung.model or ""
        before = self.state(model), self.state("")
        probing = [permit for other, permit in self.open_calls if permit.is_probe and other is rung]
        found = self.breakers.admit(self.config, rung, "d", early=early)
        if before == (State.CLOSED, State.CLOSED):
            assert isinstance(found, Permit)
            assert not found.is_probe
        if isinstance(found, Held):
            assert (found.failure is not None) == (before[1] is not State.CLOSED and found.reason == SPENT.code)
            return
        assert not (found.is_probe and probing)
        self.open_calls.append((rung, found))

    @precondition(lambda self: self.open_calls)
    @rule(index=st.integers(0, 9), failure=st.sampled_from([*OF_MODEL, *OF_NOBODY, GONE, SPENT, None]))
    def end(self, index: int, failure: Failure | None) -> None:
        rung, permit = self.open_calls.pop(index % len(self.open_calls))
        model = rung.model or ""
        was, rows = self.state(model), len(self.rows)
        if failure is None:
            permit.served()
        else:
            permit.failed(failure)
        permit.release()
        self.count(model, was, permit, failure)
        told = self.rows[rows:]
        if failure in OF_NOBODY:
            assert told == []
        for row in told:
            assert (row.before, row.state) in STEPS
            if row.state is State.OPEN:
                assert row.open_s is not None
                assert LIMITS.open_s * (1 - JITTER) <= row.open_s <= LIMITS.open_max_s

    def count(self, model: str, was: str, permit: Permit, failure: Failure | None) -> None:
        """Follow the failures in a row of a closed breaker, and say when it must have opened."""
        if was == State.OPEN and self.state(model) == State.OPEN:
            return
        if was != State.CLOSED or permit.probe is not None:
            self.in_a_row[model] = 0 if self.state(model) == State.CLOSED != was else self.in_a_row[model]
            return
        if failure is None:
            self.in_a_row[model] = 0
        elif failure in OF_MODEL or failure is GONE:
            self.in_a_row[model] += 1
            must = self.in_a_row[model] >= LIMITS.failures or failure is GONE
            assert (self.state(model) == State.OPEN) == must
            self.in_a_row[model] = 0 if must else self.in_a_row[model]

    @rule(seconds=st.sampled_from([0.0, 1.0, 8.0, 10.0, 40.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def one_probe_at_most(self) -> None:
        for model in ("large", "mid"):
            probes = [p for rung, p in self.open_calls if rung.model == model and p.probe is not None]
            assert len(probes) <= 1
        assert len([p for _, p in self.open_calls if p.account_probe is not None]) <= 1

    @invariant()
    def rows_agree_with_what_stands(self) -> None:
        standing = {entry["model"]: entry["state"] for entry in self.breakers.standing()}
        for model in ("large", "mid", ""):
            shown, told = standing.get(model, "closed"), self.state(model)
            assert shown == told or (shown, told) == ("half_open", "open")

    @invariant()
    def nothing_is_held_for_ever(self) -> None:
        assert all(float(entry["probe_in_s"]) <= LIMITS.open_max_s for entry in self.breakers.standing())


Calls.TestCase.settings = sample(25, stateful_step_count=40, deadline=None)
TestCalls = Calls.TestCase
