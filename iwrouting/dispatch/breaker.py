"""One breaker as a state machine: closed, open, half_open (design.md 5). Pure: time and chance are given.

Closed lets everything through and counts consecutive failures. Open lets nothing through until its time is over. Then
it is half_open: exactly one call at a time goes through as a probe; its success closes, its failure opens for longer,
and a probe that tells nothing leaves its place to the next. A probe before its time, because nothing else was left,
closes the breaker too where it succeeds, and otherwise leaves everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

JITTER = 0.2
"""By so much of itself a time may be shorter, so that workers do not probe together."""

MAX_DOUBLINGS = 20


class State(StrEnum):
    """The states of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker opens, and for how many seconds; `failures` 0: never.

    `gone_s` is for what does not pass by itself: a model that is gone, an account that is spent.
    """

    failures: int = 5
    open_s: float = 30.0
    open_max_s: float = 600.0
    gone_s: float = 300.0


@dataclass(slots=True)
class Breaker:
    """`until` is the moment from which a probe may go, `openings` how often it opened since it was last closed.

    `early`: the probe under way went before its time. `probe` is the number of the call that probes it, or the last
    that did: only that call's result counts then.
    """

    limits: Limits
    state: State = State.CLOSED
    failures: int = 0
    openings: int = 0
    until: float = 0.0
    reason: str = ""
    probing: bool = False
    early: bool = False
    probe: int = 0

    def may_probe(self, now: float, *, early: bool = False) -> bool:
        """Whether a call may go through as the probe; `early`: before its time, because nothing else is left."""
        if self.state is State.CLOSED or self.probing:
            return False
        return self.state is State.HALF_OPEN or early or now >= self.until

    def begin_probe(self, number: int, now: float) -> None:
        """Let one call through as the probe; `number` is no other probe's."""
        self.early = self.state is State.OPEN and now < self.until
        self.state = State.HALF_OPEN
        self.probe, self.probing = number, True

    def end_probe(self, probe: int) -> None:
        """A probe told nothing: the next call may be one, and after an early one the next in its time."""
        if probe == self.probe and self.state is State.HALF_OPEN:
            self.probing = False
            self.state = State.OPEN if self.early else State.HALF_OPEN

    def counts(self, probe: int | None) -> bool:
        """Whether the result of a call counts: of the probe in half_open, of any other call in closed."""
        return self.state is State.CLOSED if probe is None else self.state is State.HALF_OPEN and probe == self.probe

    def succeed(self) -> None:
        """A call that counts was answered."""
        self.state = State.CLOSED
        self.failures = self.openings = 0
        self.probing = False

    def fail(self, now: float, reason: str, *, jitter: float, base_s: float | None = None, wait_s: float = 0.0) -> None:
        """A call that counts failed; `base_s`: open at once, for so long at first, else after enough failures.

        `wait_s` is the patience that the provider asked for, `jitter` from 0 to 1.
        """
        self.failures += 1
        if self.state is State.HALF_OPEN and self.early:
            self.end_probe(self.probe)
            return
        if self.state is State.CLOSED and base_s is None and self.failures < self.limits.failures:
            return
        self.open(now + self._open_s(base_s, wait_s, jitter), reason)

    def open(self, until: float, reason: str) -> None:
        """Let nothing through until a moment."""
        self.state = State.OPEN
        self.until, self.reason = until, reason
        self.openings += 1
        self.probing = False

    def _open_s(self, base_s: float | None, wait_s: float, jitter: float) -> float:
        base = self.limits.open_s if base_s is None else base_s
        most = max(self.limits.open_max_s, base)
        longer = min(most, base * float(2 ** min(self.openings, MAX_DOUBLINGS)))
        return max(longer * (1 - JITTER * jitter), min(wait_s, most))
