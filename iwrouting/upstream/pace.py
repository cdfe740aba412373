"""How long an answer may take to come: pure clock logic (design.md 5; faults.md U10, U12, U13).

The time in which nobody reads, because the caller is slow, is not the provider's: it stops the clocks of silence and
of rate. The clocks of the first output and of the whole stream go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

STALLED = "stalled"
TOO_SLOW = "too_slow"
NO_OUTPUT = "timeout_first_output"
TOO_LONG = "timeout_total"
HEARTBEAT = "heartbeat"


class TimedOut(TimeoutError):
    """A timer of ours ran out; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Pace:
    """The timers of one answer's body, in seconds of a monotonic clock that the caller reads.

    `began`: when its head came. `idle_s`: silence. `head_s`: silence before a stream's first output, for a model that
    thinks. `min_bytes_per_s` over `window_s`: what must come at least, once there is output; 0 for no such rule.
    `heartbeat_s`: after so much silence the caller of a stream gets a comment; 0 for none.
    """

    began: float
    idle_s: float
    head_s: float = inf
    min_bytes_per_s: float = 0.0
    window_s: float = 60.0
    heartbeat_s: float = 0.0
    output: bool = field(default=True, init=False)
    _output_by: float = field(default=inf, init=False)
    _until: float = field(default=inf, init=False)
    _silent_from: float = field(init=False)
    _beaten_at: float = field(init=False)
    _window_from: float = field(init=False)
    _window_bytes: int = field(default=0, init=False)
    _came: bool = field(default=False, init=False)
    _resting_from: float = field(init=False)

    def __post_init__(self) -> None:
        self._silent_from = self._beaten_at = self._window_from = self._resting_from = self.began

    def expect_output(self, *, within_s: float, total_s: float, heartbeat_s: float = 0.0) -> None:
        """This answer is a stream: wait for its first output, and for its end."""
        self.output = False
        self._output_by = self.began + within_s
        self._until = self.began + total_s
        self.heartbeat_s = heartbeat_s

    def show_output(self, now: float) -> None:
        """Output has begun: from now on the rate counts."""
        self.output = True
        self._window_from, self._window_bytes, self._came = now, 0, False

    def begin(self, now: float) -> tuple[float, str]:
        """A read begins: how long it may take, and the code of the timer that runs out then.

        No time at all and TOO_SLOW: what has come is too little. Silence alone never is: it has a timer of its own.
        """
        rested = now - self._resting_from
        self._silent_from += rested
        self._beaten_at += rested
        self._window_from += rested
        came, self._came = self._came, False
        if came and now - self._window_from >= self.window_s:
            little = self.output and self._window_bytes < self.min_bytes_per_s * self.window_s
            self._window_from, self._window_bytes = now, 0
            if little:
                return 0.0, TOO_SLOW
        due, code = self._next_timer()
        return due - now, code

    def end(self, now: float, size: int) -> None:
        """A read ended with `size` bytes."""
        self._resting_from = self._silent_from = self._beaten_at = now
        self._window_bytes += size
        self._came = True

    def beat(self, now: float) -> None:
        """A read was given up for a heartbeat, which is no sign of life from the provider."""
        self._resting_from = self._beaten_at = now

    def discount(self, size: int) -> None:
        """So many bytes of what came were signs of life and no output."""
        self._window_bytes = max(0, self._window_bytes - size)

    def _next_timer(self) -> tuple[float, str]:
        if not self.output:
            silent = self._silent_from + max(self.idle_s, self.head_s)
            return (silent, STALLED) if silent < self._output_by else (self._output_by, NO_OUTPUT)
        due, code = self._silent_from + self.idle_s, STALLED
        if self._until < due:
            due, code = self._until, TOO_LONG
        if self.heartbeat_s and self._beaten_at + self.heartbeat_s < due:
            due, code = self._beaten_at + self.heartbeat_s, HEARTBEAT
        return due, code
