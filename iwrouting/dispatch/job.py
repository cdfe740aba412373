"""What one call carries through its tries: the chain, the original request, the deadline, and the record so far."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from iwrouting.conf import Settings
from iwrouting.dispatch.breakers import Breakers, Held, Permit
from iwrouting.resolver import facts_of
from iwrouting.types import (
    CALLER_TOO_SLOW,
    SHUTTING_DOWN,
    AttemptRecord,
    Configuration,
    Endpoint,
    ModelFacts,
    Resolution,
    Rung,
    Skip,
    UpstreamFacts,
)
from iwrouting.upstream import Failure, Upstreams

PATHS = {
    Endpoint.CHAT: "/chat/completions",
    Endpoint.RESPONSES: "/responses",
    Endpoint.EMBEDDINGS: "/embeddings",
}

STORED = "(stored responses)"
"""In the place of a model: what an upstream keeps."""


@dataclass(slots=True)
class Job:
    """One call on its way.

    `deadline` is of the monotonic clock in seconds and spans all tries; `hurried` where the caller's own header set it.
    `strict`: parameters are not adapted, but refused. `output_cap`: the most tokens
    of output for each choice, on any rung. `refused_window` is the largest input window, in tokens, of a
    model that found the request too long, 0 for one that is not known; `waits` are the moments until which providers
    asked for patience, or a breaker will have a probe. `permit` is that of the rung that answered. `pin` is the
    upstream that alone can serve; empty: any. `method` and `path` are those of a request that is no call but about a
    response that is held; an empty path: the endpoint's own. `number` is that of the next event of a stream that broke
    off, where its API numbers them.
    """

    decision_id: str
    resolution: Resolution
    config: Configuration
    endpoint: Endpoint
    body: Mapping[str, Any]
    deadline: float
    hurried: bool = False
    strict: bool = False
    output_cap: int | None = None
    attempts: list[AttemptRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    cancel_code: str = "client_closed"
    waited_us: int = 0
    pin: str = ""
    method: str = "POST"
    path: str = ""
    waits: list[float] = field(default_factory=list)
    refused_window: int | None = None
    permit: Permit | None = None
    number: int = 0

    def facts(self, rung: Rung) -> ModelFacts:
        """What is known of a rung's model; cautious facts for one outside the catalogue."""
        return facts_of(self.config, rung.model or "")

    @property
    def chat_id(self) -> str:
        """The id of a chat answer that was translated: it names the decision."""
        return f"chatcmpl-{self.decision_id}"

    @property
    def response_id(self) -> str:
        """The id of a response that was translated: it names the decision."""
        return f"resp_{self.decision_id.replace('-', '')}"

    @property
    def goes_on(self) -> bool:
        """Whether the response is made in the background: it goes on at the provider whoever listens."""
        return self.endpoint == Endpoint.RESPONSES and self.body.get("background") is True

    def aimed_at(self, rung: Rung) -> Rung:
        """What the breakers know a rung by: a look at a stored response asks no model, and tells nothing of one."""
        return replace(rung, model=STORED) if self.path else rung

    def target(self, endpoint: str) -> str:
        """Where a try goes, under the upstream's base URL."""
        return self.path or PATHS[Endpoint(endpoint)]

    def begin(
        self,
        rung: Rung,
        try_number: int,
        endpoint: Endpoint,
        changes: tuple[str, ...],
        size: int,
        batch: int | None,
    ) -> AttemptRecord:
        """Record that a try starts now. `endpoint` is where it goes, `size` the request's bytes."""
        attempt = self._record(rung, "call", try_number)
        attempt.endpoint = endpoint
        attempt.changes = changes
        attempt.bytes_sent = size
        attempt.batch = batch
        attempt.sent_at = datetime.now(UTC)
        attempt.sent_ns = time.monotonic_ns()
        return attempt

    def skip(self, rung: Rung, reason: Skip) -> AttemptRecord:
        """Record that a rung was passed over."""
        attempt = self._record(rung, "skip", 0)
        attempt.skip_reason = reason
        return attempt

    def hold(self, rung: Rung, held: Held) -> None:
        """Record that a breaker holds a rung, and why it opened."""
        self.skip(rung, Skip.BREAKER_OPEN).error_code = held.reason
        self.waits.append(held.until)

    def fail(self, attempt: AttemptRecord, failure: Failure) -> None:
        """Record how a try failed, or why a rung could not be tried: codes only, never the provider's text."""
        attempt.error_type = failure.type
        attempt.error_code = failure.code
        attempt.error_param = failure.param
        if failure.retry_after_s is not None:
            attempt.retry_after_ms = int(failure.retry_after_s * 1000)
            self.waits.append(time.monotonic() + failure.retry_after_s)
        self.failures.append(failure)

    def note_cut(self, gone: BaseException) -> None:
        """Note the reason of a cancellation, where it was not the caller's own leaving."""
        if gone.args in ((CALLER_TOO_SLOW,), (SHUTTING_DOWN,)):
            self.cancel_code = gone.args[0]

    @property
    def calls(self) -> int:
        """How many tries were sent."""
        return sum(1 for attempt in self.attempts if attempt.sent_at is not None)

    @property
    def candidates(self) -> int:
        """How many rungs could serve at all."""
        return sum(1 for rung in self.resolution.chain if rung.skip is None)

    def _record(self, rung: Rung, kind: str, try_number: int) -> AttemptRecord:
        attempt = AttemptRecord(
            seq=len(self.attempts) + 1,
            kind=kind,
            rung=rung.rung,
            try_number=try_number,
            alias=rung.alias or "",
            model=rung.model or "",
            upstream=rung.upstream,
            endpoint=self.endpoint,
        )
        self.attempts.append(attempt)
        return attempt


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """What all calls of a worker share."""

    upstreams: Upstreams
    conf: Settings
    breakers: Breakers

    def upstream(self, job: Job, rung: Rung) -> UpstreamFacts:
        """The upstream of a rung."""
        return job.config.upstreams[rung.upstream]


def microseconds_since(start_ns: int) -> int:
    """Microseconds from a monotonic moment until now."""
    return (time.monotonic_ns() - start_ns) // 1000
