"""The breakers: what opens one, who may probe it, what closes it, and what it is blind to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from iwrouting.dispatch.breaker import JITTER, Breaker, Limits
from iwrouting.dispatch.breakers import Breakers, Held, Permit, Transition
from iwrouting.types import Configuration, ModelFacts, Rung, UpstreamFacts
from iwrouting.upstream.blame import Blame, blame
from iwrouting.upstream.failures import Failure, Step, bad_answer, classify, in_band, out_of_time, transport_failure
from iwrouting.upstream.pace import TimedOut
from tests.pure.small import configured

LARGE, MID = (Rung(rung, None, model, None, "environment") for rung, model in enumerate(("large", "mid")))
DOWN = classify(503, {}, b"")
GONE = classify(404, {}, b'{"error": {"code": "model_not_found"}}')
SPENT = classify(429, {}, b'{"error": {"code": "insufficient_quota", "message": "sk-secret"}}')
REFUSED = classify(401, {}, b"")
BAD = classify(400, {}, b"")
LIMITS = Limits(failures=3, open_s=10, open_max_s=60, gone_s=40)


@dataclass
class Bench:
    """Breakers with a clock that stands until it is moved, and what they told."""

    limits: Limits = LIMITS
    config: Configuration = field(default_factory=configured)
    now: float = 1000.0
    told: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.breakers = Breakers(self.limits, self.told.append, clock=lambda: self.now, chance=lambda: 0.0)

    def ask(self, rung: Rung = LARGE, *, hurried: bool = False, early: bool = False) -> Permit | Held:
        return self.breakers.admit(self.config, rung, "d", hurried=hurried, early=early)

    def permit(self, rung: Rung = LARGE, *, hurried: bool = False, early: bool = False) -> Permit:
        found = self.ask(rung, hurried=hurried, early=early)
        assert isinstance(found, Permit)
        return found

    def held(self, rung: Rung = LARGE) -> Held:
        found = self.ask(rung)
        assert isinstance(found, Held)
        return found

    def fail(self, failure: Failure = DOWN, rung: Rung = LARGE, *, times: int = 1, hurried: bool = False) -> None:
        for _ in range(times):
            permit = self.permit(rung, hurried=hurried)
            permit.failed(failure)
            permit.release()

    def serve(self, rung: Rung = LARGE) -> None:
        permit = self.permit(rung)
        permit.served()
        permit.release()

    @property
    def states(self) -> list[tuple[str, str, str, str, float | None]]:
        return [(t.target.model, t.before, t.state, t.reason, t.open_s) for t in self.told]


def test_failures_in_a_row__open_it_and_a_success_between_starts_anew() -> None:
    bench = Bench()
    bench.fail(times=2)
    bench.serve()
    bench.fail(times=2)
    assert bench.told == []
    bench.fail()
    assert bench.states == [("large", "closed", "open", "http_503", 10.0)]
    assert bench.held() == Held(1010.0, "http_503")
    bench.serve(MID)


def test_open__lets_one_probe_through_when_its_time_is_over() -> None:
    bench = Bench()
    bench.fail(times=3)
    bench.now = 1009.9
    bench.held()
    bench.now = 1010.0
    probe = bench.permit()
    assert probe.is_probe
    assert bench.held() == Held(1010.0, "http_503")
    probe.served()
    assert not bench.permit().is_probe
    assert [each[1:4] for each in bench.states[1:]] == [
        ("open", "half_open", "probe"),
        ("half_open", "closed", "answered"),
    ]
    assert bench.told[1].decision_id == "d"


def test_failed_probe__opens_for_twice_as_long_up_to_the_most() -> None:
    bench = Bench()
    bench.fail(times=3)
    for seconds in (20.0, 40.0, 60.0, 60.0):
        bench.now = bench.held().until
        bench.fail()
        assert bench.told[-1].open_s == seconds
    bench.now = bench.held().until
    bench.serve()
    bench.fail(times=3)
    assert bench.told[-1].open_s == 10.0


@pytest.mark.parametrize("result", [BAD, None])
def test_probe_that_tells_nothing__leaves_its_place_to_the_next(result: Failure | None) -> None:
    bench = Bench()
    bench.fail(times=3)
    bench.now = 1010.0
    probe = bench.permit()
    if result is not None:
        probe.failed(result)
    probe.release()
    assert bench.permit().is_probe


def test_late_results__of_calls_from_before_it_opened__count_nothing() -> None:
    bench = Bench()
    early, late = bench.permit(), bench.permit()
    bench.fail(times=3)
    early.served()
    bench.held()
    bench.now = 1010.0
    probe = bench.permit()
    late.failed(DOWN)
    late.release()
    early.release()
    bench.held()
    probe.served()
    bench.permit()


def test_result_of_an_old_probe__does_not_speak_for_a_new_one() -> None:
    bench = Bench()
    bench.fail(times=3)
    bench.now = 1010.0
    old = bench.permit()
    bench.config = replace(bench.config, revision=4, upstreams={"environment": other_address()})
    bench.fail(times=3)
    bench.now = 1030.0
    new = bench.permit()
    old.served()
    old.release()
    assert new.is_probe
    bench.held()


def test_model_that_is_gone__opens_at_once_for_minutes() -> None:
    bench = Bench()
    bench.fail(GONE)
    assert bench.states == [("large", "closed", "open", "model_not_found", 40.0)]
    bench.now = 1040.0
    bench.fail(GONE)
    assert bench.told[-1].open_s == 60.0
    bench.serve(MID)


@pytest.mark.parametrize(("failure", "seconds"), [(SPENT, 40.0), (REFUSED, 10.0)])
def test_account_that_is_refused__holds_every_model_of_it_and_keeps_no_text(failure: Failure, seconds: float) -> None:
    bench = Bench()
    bench.fail(failure, MID)
    assert bench.states == [("", "closed", "open", failure.code or failure.type, seconds)]
    for rung in (LARGE, MID):
        held = bench.held(rung)
        assert held.failure == replace(failure, message="")
        assert held.until == 1000.0 + seconds
    bench.now = 1000.0 + seconds
    probe = bench.permit(LARGE)
    assert isinstance(bench.ask(MID), Held)
    probe.served()
    bench.serve(MID)


def test_long_wait_asked_by_the_provider__is_kept_to_up_to_the_most() -> None:
    for asked, seconds in ((b"5", 10.0), (b"25", 25.0), (b"9999", 60.0)):
        bench = Bench()
        bench.fail(classify(429, {"retry-after": asked.decode()}, b""), times=3)
        assert bench.told[-1].open_s == seconds


def test_jitter__only_shortens() -> None:
    breaker = Breaker(LIMITS)
    breaker.fail(0.0, "x", jitter=1.0, base_s=40)
    assert breaker.until == pytest.approx(40 * (1 - JITTER))


def test_stream__closes_a_probe_at_its_first_output_and_counts_at_its_end() -> None:
    bench = Bench()
    for _ in range(3):
        cut = bench.permit()
        cut.started()
        cut.failed(bad_answer("truncated"))
        cut.release()
    bench.now = 1010.0
    probe = bench.permit()
    probe.started()
    assert not bench.permit().is_probe
    probe.failed(bad_answer("truncated"))
    bench.fail(times=1)
    bench.permit()


def other_address() -> UpstreamFacts:
    return UpstreamFacts("environment", "https://other.example/v1", "env:OPENAI_API_KEY")


def test_changed_configuration__gives_its_targets_a_new_chance() -> None:
    bench = Bench()
    bench.fail(GONE)
    bench.fail(GONE, MID)
    models = dict(bench.config.models)
    bench.config = replace(bench.config, revision=4, models={**models, "mid": replace(models["mid"], enabled=False)})
    assert not bench.permit(MID).is_probe
    bench.held()
    bench.config = replace(bench.config, revision=5, upstreams={"environment": other_address()})
    assert not bench.permit().is_probe
    assert [each[:4] for each in bench.states[2:]] == [
        ("mid", "open", "closed", "configuration_changed"),
        ("large", "open", "closed", "configuration_changed"),
    ]


def test_row_saved_as_it_is__gives_its_target_a_new_chance_and_its_account() -> None:
    bench = Bench()
    bench.fail(GONE)
    bench.fail(GONE, MID)
    bench.config = replace(bench.config, revision=4, models=saved(bench.config, "mid"))
    bench.permit(MID)
    bench.held()
    bench.fail(SPENT, MID)
    bench.held(MID)
    bench.config = replace(bench.config, revision=5, models=saved(bench.config, "large"))
    bench.permit(MID)


def saved(config: Configuration, model: str) -> dict[str, ModelFacts]:
    now = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=config.revision)
    return {**config.models, model: replace(config.models[model], saved_at=now)}


def test_other_key__is_another_target() -> None:
    bench = Bench()
    bench.fail(SPENT)
    rekeyed = UpstreamFacts("environment", "https://provider.example/v1", "env:IW_UPSTREAM_OTHER")
    bench.config = replace(bench.config, upstreams={"environment": rekeyed})
    assert not bench.permit().is_probe


def test_older_configuration__of_a_call_still_under_way__changes_nothing() -> None:
    bench = Bench()
    older = bench.config
    bench.config = replace(older, revision=4)
    bench.fail(GONE)
    bench.config = replace(older, models={})
    bench.held()


def test_way_out__is_the_one_that_would_be_probed_first_and_only_where_all_are_held() -> None:
    bench = Bench()
    rungs = [LARGE, MID]
    assert bench.breakers.way_out(bench.config, rungs) is None
    bench.fail(GONE)
    assert bench.breakers.way_out(bench.config, rungs) is None
    bench.fail(DOWN, MID, times=3)
    assert bench.breakers.way_out(bench.config, rungs) is MID
    probe = bench.permit(MID, early=True)
    assert probe.is_probe
    assert isinstance(bench.ask(MID, early=True), Held)
    probe.failed(DOWN)
    probe.release()
    bench.now = 1009.0
    assert bench.breakers.way_out(bench.config, rungs) is MID
    bench.now = 1010.0
    assert bench.breakers.way_out(bench.config, rungs) is None


@pytest.mark.parametrize("result", [DOWN, BAD, None])
def test_probe_before_its_time__that_does_not_succeed__changes_and_tells_nothing(result: Failure | None) -> None:
    bench = Bench()
    bench.fail(GONE)
    for _ in range(3):
        probe = bench.permit(early=True)
        assert probe.is_probe
        if result is not None:
            probe.failed(result)
        probe.release()
        assert bench.held() == Held(1040.0, "model_not_found")
    assert len(bench.told) == 1


def test_probe_before_its_time__that_succeeds__closes() -> None:
    bench = Bench()
    bench.fail(GONE)
    bench.permit(early=True).served()
    assert not bench.permit().is_probe
    assert bench.states[1:] == [("large", "open", "closed", "answered", None)]


def test_way_out__of_an_account_that_is_spent__is_none() -> None:
    bench = Bench()
    bench.fail(SPENT)
    assert bench.breakers.way_out(bench.config, [LARGE, MID]) is None
    assert isinstance(bench.ask(early=True), Held)


def test_no_failures_allowed__turns_breakers_off() -> None:
    bench = Bench(replace(LIMITS, failures=0))
    for failure in (DOWN, GONE, SPENT, REFUSED):
        bench.fail(failure, times=20)
    assert bench.told == []


def test_standing__tells_what_is_not_closed_without_secrets() -> None:
    bench = Bench()
    bench.fail(times=2, rung=MID)
    bench.fail(GONE)
    bench.now = 1010.0
    assert bench.breakers.standing() == [
        {
            "upstream": "environment",
            "model": "large",
            "state": "open",
            "reason": "model_not_found",
            "probe_in_s": 30.0,
        }
    ]


@pytest.mark.parametrize(
    ("failure", "hurried", "whom"),
    [
        (DOWN, False, Blame.MODEL),
        (classify(500, {}, b""), True, Blame.MODEL),
        (classify(529, {}, b""), False, Blame.MODEL),
        (classify(408, {}, b""), False, Blame.MODEL),
        (classify(429, {}, b""), False, Blame.MODEL),
        (classify(301, {}, b""), False, Blame.MODEL),
        (transport_failure(TimeoutError()), True, Blame.MODEL),
        (transport_failure(ConnectionResetError()), False, Blame.MODEL),
        (bad_answer("bad_body", 200), False, Blame.MODEL),
        (in_band({"code": "server_error"}), False, Blame.MODEL),
        (in_band({}), False, Blame.MODEL),
        (out_of_time(), False, Blame.MODEL),
        (out_of_time(), True, Blame.NOBODY),
        (transport_failure(TimedOut("stalled")), False, Blame.MODEL),
        (transport_failure(TimedOut("timeout_total")), False, Blame.NOBODY),
        (BAD, False, Blame.NOBODY),
        (classify(400, {}, b'{"error": {"code": "context_length_exceeded"}}'), False, Blame.NOBODY),
        (classify(400, {}, b'{"error": {"code": "unsupported_value", "param": "seed"}}'), False, Blame.NOBODY),
        (classify(404, {}, b'{"error": {"param": "model"}}'), False, Blame.NOBODY),
        (classify(409, {}, b""), False, Blame.NOBODY),
        (classify(413, {}, b""), False, Blame.NOBODY),
        (classify(422, {}, b""), False, Blame.NOBODY),
        (in_band({"code": "content_policy_violation"}), False, Blame.NOBODY),
        (Failure(Step.STOP, "configuration_error", "upstream_secret_missing", account=True), False, Blame.NOBODY),
        (GONE, False, Blame.MODEL_GONE),
        (in_band({"code": "model_not_found"}), False, Blame.MODEL_GONE),
        (SPENT, False, Blame.QUOTA),
        (in_band({"code": "insufficient_quota"}), False, Blame.QUOTA),
        (REFUSED, False, Blame.ACCOUNT),
        (classify(403, {}, b'{"error": {"type": "invalid_request_error"}}'), False, Blame.ACCOUNT),
        (classify(403, {}, b'{"error": {"code": "unsupported_country_region_territory"}}'), False, Blame.ACCOUNT),
        (classify(403, {}, b"<html>Blocked by a firewall</html>"), False, Blame.NOBODY),
        (classify(403, {}, b""), False, Blame.NOBODY),
    ],
)
def test_blame__is_for_the_provider_and_never_for_what_the_caller_did(
    failure: Failure, hurried: bool, whom: Blame
) -> None:
    assert blame(failure, hurried=hurried) is whom
