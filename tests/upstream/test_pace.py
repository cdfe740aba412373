"""The timers of an answer on a clock of the test's own: which one runs out, when, and what keeps it from doing so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iwrouting.upstream.pace import Pace

IDLE, HEAD, WINDOW, RATE = 60.0, 120.0, 60.0, 2.0


@dataclass
class Reader:
    """Reads what comes at given times, as a client of the pace would; `ended` is when a timer ran out, and which."""

    pace: Pace
    now: float = 0.0
    rest_s: float = 0.0
    ended: tuple[float, str] | None = None
    beats: list[float] = field(default_factory=list)

    def read(self, at: float, size: int = 100) -> None:
        """A read that gets `size` bytes at `at`, unless a timer comes first; then a rest."""
        while self.ended is None:
            patience, code = self.pace.begin(self.now)
            if self.now + patience >= max(at, self.now):
                self.now = max(at, self.now)
                self.pace.end(self.now, size)
                self.now += self.rest_s
                return
            self.now += max(0.0, patience)
            if code != "heartbeat":
                self.ended = (self.now, code)
                return
            self.beats.append(self.now)
            self.pace.beat(self.now)


def reader(
    *, stream: bool = True, output: bool = True, within_s: float = 600, total_s: float = 3600, **more: Any
) -> Reader:
    pace = Pace(0.0, idle_s=IDLE, head_s=HEAD, min_bytes_per_s=more.pop("rate", RATE), window_s=WINDOW)
    if stream:
        pace.expect_output(within_s=within_s, total_s=total_s, heartbeat_s=more.pop("heartbeat_s", 0.0))
        if output:
            pace.show_output(0.0)
    return Reader(pace, **more)


def every(seconds: float, count: int) -> list[float]:
    return [seconds * number for number in range(1, count + 1)]


@pytest.mark.parametrize("stream", [True, False])
def test_silence__is_stalled_after_the_idle_time(stream: bool) -> None:
    found = reader(stream=stream, rate=0)
    found.read(30)
    found.read(1000)
    assert found.ended == (90, "stalled")


def test_silence_before_output__may_last_as_long_as_the_head_may() -> None:
    found = reader(output=False)
    found.read(100)
    found.read(1000)
    assert found.ended == (220, "stalled")


def test_signs_of_life_without_output__end_at_the_first_output_timer() -> None:
    found = reader(output=False, within_s=300)
    for at in every(15, 100):
        found.read(at)
    assert found.ended == (300, "timeout_first_output")


@pytest.mark.parametrize("stream", [True, False])
def test_drip__is_too_slow_after_one_window(stream: bool) -> None:
    found = reader(stream=stream)
    for at in every(1, 200):
        found.read(at, 1)
    assert found.ended == (60, "too_slow")


def test_drip_after_a_fast_start__is_too_slow_within_two_windows() -> None:
    found = reader()
    found.read(1, 100_000)
    for at in every(1, 300):
        found.read(1 + at, 1)
    assert found.ended is not None
    assert found.ended[1] == "too_slow"
    assert found.ended[0] <= 1 + 2 * WINDOW


def test_one_event_a_window__is_fast_enough() -> None:
    found = reader()
    for at in every(50, 60):
        found.read(at, 300)
    assert found.ended is None


def test_silence_alone__is_stalled_and_never_too_slow() -> None:
    found = reader()
    found.read(30, 1)
    found.read(89.9, 1)
    found.read(90, 1)
    assert found.ended == (89.9, "too_slow")
    found = reader()
    found.read(30, 1)
    found.read(90.1, 1)
    assert found.ended == (90, "stalled")


def test_no_rate_asked_for__lets_a_drip_go_on() -> None:
    found = reader(rate=0)
    for at in every(59, 20):
        found.read(at, 1)
    assert found.ended is None


def test_keepalives_after_output__do_not_count_for_the_rate() -> None:
    found = reader()
    found.read(1, 1000)
    for at in every(10, 30):
        found.read(1 + at, 200)
        found.pace.discount(200)
    assert found.ended is not None
    assert found.ended[1] == "too_slow"


def test_stream_without_an_end__ends_at_the_total() -> None:
    found = reader(total_s=500)
    for at in every(1, 1000):
        found.read(at, 1000)
    assert found.ended == (500, "timeout_total")


@pytest.mark.parametrize("rest_s", [10.0, 59.0, 300.0])
def test_slow_caller__is_not_the_providers_silence(rest_s: float) -> None:
    found = reader(rest_s=rest_s, total_s=100_000)
    for _ in range(30):
        found.read(found.now + 10, 300)
    assert found.ended is None


def test_slow_caller_of_a_drip__does_not_hide_it() -> None:
    found = reader(rest_s=100.0, total_s=100_000)
    for _ in range(200):
        found.read(found.now + 1, 1)
    assert found.ended is not None
    assert found.ended[1] == "too_slow"


def test_heartbeats__come_in_every_silence_and_do_not_lengthen_it() -> None:
    found = reader(heartbeat_s=20, rate=0)
    found.read(10)
    found.read(45)
    found.read(1000)
    assert found.beats == [30, 65, 85]
    assert found.ended == (105, "stalled")


def test_heartbeats_at_the_end_of_a_window__judge_no_silence() -> None:
    found = reader(heartbeat_s=20)
    found.read(30, 1)
    found.read(1000)
    assert (found.beats, found.ended) == ([20, 50, 70], (90, "stalled"))


def test_heartbeats_before_output__are_not_its_matter() -> None:
    found = reader(output=False, heartbeat_s=20)
    found.read(100)
    assert (found.beats, found.ended) == ([], None)


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(1, 2000)), max_size=40),
    st.floats(0, 50),
    st.sampled_from([0.0, 7.0]),
)
def test_any_rhythm__ends_only_by_a_rule(reads: list[tuple[float, int]], rest_s: float, heartbeat_s: float) -> None:
    found = reader(rest_s=rest_s, total_s=2000, heartbeat_s=heartbeat_s)
    for gap, size in reads:
        asked = found.now
        found.read(found.now + gap, size)
        if found.ended is None:
            assert gap <= IDLE + 0.001
            assert asked + gap <= 2000.001
            continue
        assert found.ended[1] in ("stalled", "too_slow", "timeout_total")
        assert (found.ended[1] == "stalled") <= (gap > IDLE - 0.001)
        break
